//! The glossary: one definition a term, linked at its first use on each page.
//!
//! `glossary.toml` defines the terms. Which page introduces a term stands in the manifest of that
//! page's chapter, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::Range;
use std::path::Path;

use regex::Regex;
use serde::Deserialize;
use toml::Spanned;

use crate::directive::{Maker, Stands, Takes, places};
use crate::finding::{Finding, Problem};
use crate::markdown::{Outline, escape_html};
use crate::project::Project;
use crate::source::{Source, relative};

/// Where the terms are defined.
pub const FILE: &str = "book/glossary.toml";

/// The page that shows them all, from the book's folder.
pub const PAGE: &str = "appendix/glossary.md";

/// `{{#glossary}}`: every term with its definition and the page that introduces it.
pub const GLOSSARY: Maker = Maker {
    name: "glossary",
    takes: Takes::Nothing,
    stands: Stands::Alone,
    make: |asked| {
        if asked.page() != PAGE {
            return Err(Problem::new(
                "the glossary stands on another page",
                format!("move this to book/{PAGE}: every term's link leads there"),
            ));
        }
        Ok(list(asked.project).into())
    },
};

/// A word that means one thing in the whole book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The word or words, in the singular.
    pub name: String,
    /// Other forms that mean the same; regular plurals need not be named.
    pub also: Vec<String>,
    /// What it means, in plain text.
    pub definition: String,
    /// The line of the glossary's file.
    pub line: usize,
}

/// All terms.
#[derive(Debug, Clone, Default)]
pub struct Glossary {
    /// In the order of the file.
    pub terms: Vec<Term>,
    /// Finds any form of any term; `None` without terms.
    pattern: Option<Regex>,
    /// The term of each form, which is in small letters.
    forms: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    term: Vec<Spanned<TermTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermTable {
    name: String,
    #[serde(default)]
    also: Vec<String>,
    definition: String,
}

/// The first use of a term on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use<'a> {
    /// The term.
    pub term: &'a Term,
    /// Where it stands in the page's text.
    pub range: Range<usize>,
}

impl Glossary {
    /// Reads the glossary of the workspace at `root`; one that is not there has no terms.
    pub fn read(root: &Path) -> Result<Glossary, Finding> {
        match Source::read(root, FILE) {
            Ok(source) => Glossary::parse(&source),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Glossary::default()),
            Err(error) => Err(Finding::new(
                FILE,
                1,
                format!("this file cannot be read ({error})"),
                "make it readable",
            )),
        }
    }

    fn parse(source: &Source) -> Result<Glossary, Finding> {
        let file: File = toml::from_str(&source.text).map_err(|error| {
            let line = error.span().map_or(1, |span| source.line(span.start));
            Finding::new(&source.path, line, error.message(), "correct the glossary")
        })?;
        let terms = file.term.into_iter().map(|term| {
            let line = source.line(term.span().start);
            let TermTable { name, also, definition } = term.into_inner();
            Term { name, also, definition, line }
        });
        let terms: Vec<Term> = terms.collect();
        let mut forms = BTreeMap::new();
        for (at, term) in terms.iter().enumerate() {
            for form in term.forms() {
                forms.entry(form).or_insert(at);
            }
        }
        // Longer forms first: a consumer group is not a consumer.
        let mut longest: Vec<&String> = forms.keys().filter(|form| !form.is_empty()).collect();
        longest.sort_by_key(|form| std::cmp::Reverse(form.len()));
        let spaced = longest.iter().map(|form| regex::escape(form).replace(' ', r"\s+"));
        let any = spaced.collect::<Vec<_>>().join("|");
        let pattern = (!any.is_empty()).then(|| Regex::new(&format!(r"(?i)\b(?:{any})\b")));
        let pattern = pattern.transpose().map_err(|error| {
            Finding::new(&source.path, 1, format!("the terms are too many ({error})"), "leave some")
        })?;
        Ok(Glossary { terms, pattern, forms })
    }

    /// The term of this name.
    pub fn term(&self, name: &str) -> Option<&Term> {
        self.terms.iter().find(|term| term.name == name)
    }

    /// The first use of each term in a page's prose: not in headings, links, code or directives.
    pub fn first_uses(&self, text: &str, outline: &Outline) -> Vec<Use<'_>> {
        let Some(pattern) = &self.pattern else { return Vec::new() };
        let prose = prose(text, outline);
        let mut seen = BTreeSet::new();
        let mut uses = Vec::new();
        for found in pattern.find_iter(&prose) {
            let form = found.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
            let Some(at) = self.forms.get(&form.to_lowercase()) else { continue };
            if !cut(text, &found.range()) && seen.insert(*at) {
                uses.push(Use { term: &self.terms[*at], range: found.range() });
            }
        }
        uses
    }
}

/// The text with a character that is no letter in place of everything that holds no links to terms.
fn prose(text: &str, outline: &Outline) -> String {
    let mut shown = vec![false; text.len()];
    let mut set = |range: &Range<usize>, to: bool| {
        if let Some(bytes) = shown.get_mut(range.clone()) {
            bytes.fill(to);
        }
    };
    outline.prose.iter().for_each(|range| set(range, true));
    outline.headings.iter().for_each(|heading| set(&heading.range, false));
    outline.links.iter().for_each(|link| set(&link.range, false));
    places(text).iter().for_each(|place| set(&place.range, false));
    let mut prose = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        // Line ends stand between pieces of prose, and a term may be broken over two lines.
        if shown[at] || c == '\n' {
            prose.push(c);
        } else {
            // As many bytes as before, so that places stay the same.
            prose.extend(std::iter::repeat_n('\u{1}', c.len_utf8()));
        }
    }
    prose
}

/// Whether a word goes on behind the marks of emphasis around it, as in `**record**s`.
fn cut(text: &str, range: &Range<usize>) -> bool {
    let after = text[range.end..].trim_start_matches(['*', '_']);
    let before = text[..range.start].trim_end_matches(['*', '_']);
    after.starts_with(|c: char| c.is_alphanumeric() || c == '-')
        || before.ends_with(|c: char| c.is_alphanumeric() || c == '-')
}

impl Term {
    /// What a link's fragment calls it.
    pub fn id(&self) -> String {
        let words = self.name.to_lowercase();
        let kept = words.chars().map(|c| if c.is_alphanumeric() { c } else { '-' });
        format!("term-{}", kept.collect::<String>())
    }

    /// Every form under which a page may use it, in small letters.
    fn forms(&self) -> Vec<String> {
        let own = [self.name.clone(), plural(&self.name)];
        own.iter().chain(&self.also).map(|form| form.to_lowercase()).collect()
    }

    /// The link that stands for a use of it on a page.
    pub fn link(&self, page: &str, shown: &str) -> String {
        format!(
            "<a class=\"term\" href=\"{}#{}\" data-definition=\"{}\">{shown}</a>",
            relative(page, &PAGE.replace(".md", ".html")),
            self.id(),
            escape_html(self.definition.trim()),
        )
    }
}

/// The regular plural of the last word.
fn plural(name: &str) -> String {
    let vowel_before_y =
        || name.len() > 1 && name[..name.len() - 1].ends_with(['a', 'e', 'o', 'u']);
    if let Some(stem) = name.strip_suffix('y').filter(|_| !vowel_before_y()) {
        return format!("{stem}ies");
    }
    let hissing = ["s", "x", "z", "ch", "sh"].iter().any(|end| name.ends_with(end));
    format!("{name}{}", if hissing { "es" } else { "s" })
}

/// The terms in alphabetical order, as a list of definitions.
fn list(project: &Project) -> String {
    let mut terms: Vec<&Term> = project.glossary.terms.iter().collect();
    terms.sort_by_key(|term| term.name.to_lowercase());
    let mut list = String::from("<dl class=\"glossary\">\n");
    for term in terms {
        let introduced = introducing(project, &term.name).next().and_then(|page| {
            let entry = project.summary.entry(page)?;
            let way = relative(PAGE, &page.replace(".md", ".html"));
            Some(format!(" <a href=\"{way}\">{}</a>", escape_html(&entry.title)))
        });
        // Writing to a String cannot fail.
        let _ = writeln!(
            list,
            "<dt id=\"{}\">{}</dt>\n<dd>{}{}</dd>",
            term.id(),
            escape_html(&term.name),
            escape_html(term.definition.trim()),
            introduced.unwrap_or_default(),
        );
    }
    list.push_str("</dl>");
    list
}

/// The pages whose manifest says that they introduce this term; one, if no law is broken.
pub fn introducing<'a>(project: &'a Project, term: &str) -> impl Iterator<Item = &'a str> {
    let pages = project.chapters.iter().flat_map(|chapter| &chapter.pages);
    let term = term.to_owned();
    pages.filter(move |page| page.terms.contains(&term)).map(|page| page.path.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::outline;

    fn glossary() -> Glossary {
        let term = |name: &str, also: &str| {
            format!("[[term]]\nname = \"{name}\"\nalso = [{also}]\ndefinition = \"It is.\"\n")
        };
        let text =
            term("consumer", "") + &term("consumer group", "\"group\"") + &term("record", "");
        Glossary::parse(&Source::new(FILE, text)).unwrap()
    }

    fn used(text: &str) -> Vec<String> {
        let glossary = glossary();
        let uses = glossary.first_uses(text, &outline(text));
        uses.iter()
            .map(|found| format!("{}={}", found.term.name, &text[found.range.clone()]))
            .collect()
    }

    #[test]
    fn the_first_use_of_each_term_is_found_and_the_longer_term_wins() {
        assert_eq!(
            used("Größe: Consumer\ngroups read, a **consumer** reads Records, a record, a group."),
            ["consumer group=Consumer\ngroups", "consumer=consumer", "record=Records"]
        );
    }

    #[test]
    fn headings_links_code_directives_and_parts_of_words_are_no_uses() {
        let text = "# A record\n\n`record` [a record](x.md) {{#number record}} recorded record-like \
                    **record**ing\n\n```\nrecord\n```\n\n    record\n\n![record](y.svg)\n";
        assert_eq!(used(text), [""; 0]);
        assert_eq!(used("A (record), a *record*."), ["record=record"]);
    }

    #[test]
    fn plurals_are_regular() {
        let words = ["record", "in-sync replica", "policy", "key", "batch", "bus"];
        let plurals = words.map(plural);
        assert_eq!(
            plurals,
            ["records", "in-sync replicas", "policies", "keys", "batches", "buses"]
        );
    }
}
