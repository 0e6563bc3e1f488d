//! A page's Markdown with its head, its snippets and everything else that it does not type itself.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::anchors::slice;
use crate::directive::{Directive, OPEN, PlaceKind, parse, places};
use crate::finding::{Finding, Problem};
use crate::markdown::{Link, Outline, escape_html, outline};
use crate::project::Project;
use crate::source::{Source, folder, resolve};
use crate::{command, head, item, recording};

/// The widest line that a page shows without a scroll bar, in columns.
pub const SNIPPET_COLUMNS: usize = 76;

/// A page that is ready to be rendered, and what was found on the way.
#[derive(Debug, Default)]
pub struct Expanded {
    /// The Markdown.
    pub markdown: String,
    /// What could not be expanded.
    pub findings: Vec<Finding>,
    /// What was expanded and still breaks a law: wide lines, stale recordings.
    pub laws: Vec<Finding>,
    /// The anchors that the page shows: file and name.
    pub anchors: BTreeSet<(String, String)>,
    /// How often `{{#` stands in the Markdown because the page or a snippet means the text itself.
    pub literals: usize,
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
        match head::head(self.project, chapter, page) {
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
            Directive::Version(name) => Ok(self.project.versions.get(name)?.to_owned()),
            Directive::Number(slug) => Ok(self.project.number(slug)?.to_string()),
            Directive::Command(words) => command::line(self.project, &words),
            Directive::Run { chapter, run } => {
                let run = self.project.run(chapter, run)?;
                self.alone(range, "run")?;
                let figure = recording::figure(self.project, chapter, run)?;
                let line = self.source.line(range.start);
                let stale = figure.stale.map(|problem| problem.at(&self.source.path, line));
                self.done.laws.extend(stale);
                Ok(figure.markdown)
            }
            Directive::Include { path, anchor } => self.include(path, anchor, range),
        }
    }

    /// A directive that becomes a block stands on a line of its own, outside of code.
    fn alone(&self, range: &Range<usize>, name: &str) -> Result<(), Problem> {
        let before = &self.source.text[self.source.line_start(range.start)..range.start];
        let after = self.source.text[range.end..].lines().next().unwrap_or("");
        let block = before.is_empty() && after.trim().is_empty();
        if block && self.outline.code_at(range.start).is_none() {
            return Ok(());
        }
        Err(Problem::new(
            format!("`{OPEN}{name}}}}}` inside other text"),
            "put it on a line of its own, outside of code",
        ))
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
