//! A page's Markdown with its head, its snippets and everything else that it does not type itself.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::anchors::slice;
use crate::directive::{Asked, Directive, Maker, OPEN, PlaceKind, Stands, parse, places};
use crate::finding::{Finding, Problem};
use crate::markdown::{Link, Outline, escape_html, outline};
use crate::project::Project;
use crate::source::{Source, folder, resolve};
use crate::{head, item};

/// The widest line that a page shows without a scroll bar, in columns.
pub const SNIPPET_COLUMNS: usize = 76;

/// A page that is ready to be rendered, and what was found on the way.
#[derive(Debug, Default)]
pub struct Expanded {
    /// The Markdown.
    pub markdown: String,
    /// What could not be expanded.
    pub findings: Vec<Finding>,
    /// What was expanded and still breaks a law: wide lines, what a maker says.
    pub laws: Vec<Finding>,
    /// What the page asks for, in order; `include` is not among it.
    pub placed: Vec<Placed>,
    /// The anchors that the page shows: file and name.
    pub anchors: BTreeSet<(String, String)>,
    /// The names of the glossary's terms that it uses.
    pub terms: BTreeSet<String>,
    /// How often `{{#` stands in the Markdown because the page or a snippet means the text itself.
    pub literals: usize,
}

/// A directive on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its name.
    pub name: &'static str,
    /// What stands behind the name.
    pub words: String,
    /// The line of the page.
    pub line: usize,
}

impl Expanded {
    /// Whether the page asks for this.
    pub fn asks_for(&self, name: &str, words: &str) -> bool {
        self.placed.iter().any(|placed| placed.name == name && placed.words == words)
    }
}

/// Expands the page in `source`, whose path begins with `book/`.
pub fn expand(project: &Project, source: &Source) -> Expanded {
    let mut work = Work {
        project,
        source,
        outline: outline(&source.text),
        edits: Vec::new(),
        captions: Vec::new(),
        done: Expanded::default(),
    };
    work.head();
    for place in places(&source.text) {
        match place.kind {
            PlaceKind::Escaped => {
                work.done.literals += 1;
                work.edits.push((place.range, OPEN.to_owned()));
            }
            PlaceKind::Unclosed => {
                let problem = Problem::new("a directive without its `}}`", "close it on this line");
                work.report(place.range.start, problem);
            }
            PlaceKind::Directive { name, words } => {
                let text = parse(name, words)
                    .and_then(|directive| work.directive(directive, &place.range));
                match text {
                    Ok(text) => work.edits.push((place.range, text)),
                    Err(problem) => work.report(place.range.start, problem),
                }
            }
        }
    }
    work.terms();
    work.captions();
    work.links();
    work.finish()
}

struct Work<'a> {
    project: &'a Project,
    source: &'a Source,
    outline: Outline,
    edits: Vec<(Range<usize>, String)>,
    /// For each block of code, by its index in the outline: the lines above it.
    captions: Vec<(usize, String)>,
    done: Expanded,
}

impl Work<'_> {
    fn report(&mut self, offset: usize, problem: Problem) {
        let line = self.source.line(offset);
        self.done.findings.push(problem.at(&self.source.path, line));
    }

    /// Puts the head under the title, for a page that stands in a manifest.
    fn head(&mut self) {
        let path = self.source.path.strip_prefix("book/").unwrap_or(&self.source.path);
        let Some((chapter, page)) = self.project.page(path) else { return };
        let Some(title) = self.outline.headings.first().filter(|heading| heading.level == 1) else {
            return;
        };
        let end = title.range.end;
        match head::head(self.project, chapter, page, &self.source.text) {
            Ok(head) => self.edits.push((end..end, format!("\n{head}\n"))),
            Err(finding) => self.done.findings.push(finding),
        }
    }

    fn directive(
        &mut self,
        directive: Directive<'_>,
        range: &Range<usize>,
    ) -> Result<String, Problem> {
        match directive {
            Directive::Made { maker, words } => {
                self.stands(range, maker)?;
                let line = self.source.line(range.start);
                self.done.placed.push(Placed { name: maker.name, words: words.into(), line });
                let (project, source, name) = (self.project, self.source, maker.name);
                let asked = Asked { project, source, line, name, words };
                let made = (maker.make)(&asked)?;
                let laws = made.laws.into_iter();
                self.done.laws.extend(laws.map(|problem| problem.at(&self.source.path, line)));
                Ok(match maker.stands {
                    // Blank lines, so that a line of text before it does not make it a paragraph's.
                    Stands::Alone => format!("\n{}\n", made.markdown),
                    _ => made.markdown,
                })
            }
            Directive::Include { path, anchor } => self.include(path, anchor, range),
        }
    }

    /// Whether a directive stands where its text can.
    fn stands(&self, range: &Range<usize>, maker: &Maker) -> Result<(), Problem> {
        let in_code = self.outline.code_at(range.start).is_some();
        let before = &self.source.text[self.source.line_start(range.start)..range.start];
        let after = self.source.text[range.end..].lines().next().unwrap_or("");
        let alone = before.is_empty() && after.trim().is_empty();
        let name = maker.name;
        match maker.stands {
            Stands::Alone if in_code || !alone => Err(Problem::new(
                format!("`{OPEN}{name}}}}}` inside other text"),
                "put it on a line of its own, outside of code",
            )),
            Stands::InText if in_code => {
                Err(Problem::new(format!("`{OPEN}{name}}}}}` in code"), "put it into the text"))
            }
            _ => Ok(()),
        }
    }

    fn include(
        &mut self,
        path: &str,
        anchor: Option<&str>,
        range: &Range<usize>,
    ) -> Result<String, Problem> {
        let file = resolve(folder(&self.source.path), path)
            .ok_or_else(|| Problem::new(format!("`{path}` leads out of the workspace"), MEND))?;
        let included = Source::read(&self.project.root, &file).map_err(|error| {
            let why = match error.kind() {
                std::io::ErrorKind::NotFound => "does not exist".to_owned(),
                _ => format!("cannot be read ({error})"),
            };
            Problem::new(format!("included file {file} {why}"), MEND)
        })?;
        if let Some(anchor) = anchor {
            self.done.anchors.insert((file.clone(), anchor.to_owned()));
        }
        let slice = slice(&included, anchor)?;
        let block = self.outline.code.iter().position(|(code, _)| code.contains(&range.start));
        let Some(block) = block else {
            // Such a file is text of the page; directives in it are not expanded.
            if file.ends_with(".md") || file.ends_with(".svg") {
                return Ok(slice.lines.join("\n"));
            }
            return Err(Problem::new(
                format!("{file} is included outside of a block of code"),
                "put the line between ``` and ```",
            ));
        };
        for (line, number) in slice.lines.iter().zip(&slice.numbers) {
            self.done.literals += line.matches(OPEN).count();
            if line.trim_start().starts_with("```") {
                return Err(Problem::new(
                    format!("{file}:{number} would end the block of code"),
                    "show another part, or indent the line with `//`",
                ));
            }
            let columns = line.chars().count();
            if columns > SNIPPET_COLUMNS {
                // Reported where it is to be mended: in the code.
                self.done.laws.push(Finding::new(
                    &file,
                    *number,
                    format!("a line of {columns} columns on {}", self.source.path),
                    format!("break it: a page shows {SNIPPET_COLUMNS}"),
                ));
            }
        }
        let mut caption = format!("<span class=\"path\">{}</span>", escape_html(&file));
        if let Some(item) = item::item(&included, &slice) {
            caption.push_str(&format!(" <code>{}</code>", escape_html(&item)));
        }
        self.captions.push((block, caption));

        let prefix = &self.source.text[self.source.line_start(range.start)..range.start];
        let joint = format!("\n{prefix}");
        Ok(slice.lines.join(&joint))
    }

    /// Links the first use of each term to the glossary.
    fn terms(&mut self) {
        let path = self.source.path.strip_prefix("book/").unwrap_or(&self.source.path);
        for found in self.project.glossary.first_uses(&self.source.text, &self.outline) {
            let link = found.term.link(path, &self.source.text[found.range.clone()]);
            self.edits.push((found.range, link));
            self.done.terms.insert(found.term.name.clone());
        }
    }

    /// Puts the lines that say what a block shows around it, in a figure.
    fn captions(&mut self) {
        for (index, (block, _)) in self.outline.code.iter().enumerate() {
            let of_block =
                |(at, caption): &(usize, String)| (*at == index).then(|| caption.clone());
            let captions: Vec<String> = self.captions.iter().filter_map(of_block).collect();
            if captions.is_empty() {
                continue;
            }
            // What stands before the fence on its line: the indentation of a list, a quote's `>`.
            let before = &self.source.text[self.source.line_start(block.start)..block.start];
            let prefix: String = before.chars().map(|c| if c == '>' { c } else { ' ' }).collect();
            let open = format!(
                "<figure class=\"snippet\">\n{prefix}<figcaption>{}</figcaption>\n{}\n{prefix}",
                captions.join("<br>"),
                prefix.trim_end(),
            );
            let text = &self.source.text[block.clone()];
            let end = block.start + text.trim_end().len();
            self.edits.push((block.start..block.start, open));
            let close =
                format!("\n{}\n{prefix}</figure>\n{}", prefix.trim_end(), prefix.trim_end());
            self.edits.push((end..end, close));
        }
    }

    /// A file that is no page cannot be reached from the built page: its link becomes its name.
    fn links(&mut self) {
        let outside = |link: &&Link| {
            let target = link.target.split('#').next().unwrap_or("");
            let local = !target.is_empty() && !target.contains("://") && !link.html;
            let file = resolve(folder(&self.source.path), target);
            local && file.is_some_and(|file| !file.starts_with("book/"))
        };
        let edits: Vec<_> = self
            .outline
            .links
            .iter()
            .filter(outside)
            .filter_map(|link| {
                let file = resolve(folder(&self.source.path), &link.target)?;
                let text = if link.text == file {
                    format!("<span class=\"file\">{}</span>", escape_html(&file))
                } else {
                    let (text, file) = (escape_html(&link.text), escape_html(&file));
                    format!("{text} (<span class=\"file\">{file}</span>)")
                };
                Some((link.range.clone(), text))
            })
            .collect();
        self.edits.extend(edits);
    }

    fn finish(mut self) -> Expanded {
        // Stable: what opens a block comes before what stands in it, and stays so.
        self.edits.sort_by_key(|(range, _)| (range.start, range.end));
        let text = &self.source.text;
        let mut at = 0;
        for (range, new) in &self.edits {
            if range.start < at {
                continue;
            }
            self.done.markdown.push_str(&text[at..range.start]);
            self.done.markdown.push_str(new);
            at = range.end;
        }
        self.done.markdown.push_str(&text[at..]);
        self.done
    }
}

const MEND: &str = "correct the path: it is taken from the page's folder";
