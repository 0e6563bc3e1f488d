//! The directives of a page: `{{#name words}}`.
//!
//! One parser for the build and the check. A backslash in front (`\{{#name}}`) shows the directive
//! as text. There is no directive that this file does not name: an unknown one is an error.
//!
//! A new directive is a [`Maker`] in a module of its own, and its place in [`MAKERS`].

use std::ops::Range;

use crate::finding::{Problem, nearest};
use crate::project::Project;
use crate::source::Source;
use crate::{
    claim, command, diagram, exercise, fault, glossary, playback, project, questions, reading_path,
    tries, versions,
};

/// Every directive but `include`.
pub const MAKERS: &[&Maker] = &[
    &claim::CLAIM,
    &command::COMMAND,
    &diagram::DIAGRAM,
    &exercise::EXERCISE,
    &fault::FAULTS,
    &glossary::GLOSSARY,
    &project::NUMBER,
    &reading_path::PATH,
    &questions::PREDICT,
    &questions::QUIZ,
    &playback::RUN,
    &tries::TRY,
    &versions::VERSION,
];

const INCLUDE: &str = "include";

/// How a directive begins.
pub const OPEN: &str = "{{#";

/// A place in a page's text where a directive begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<'a> {
    /// The bytes of the page's text, the backslash of an escape included.
    pub range: Range<usize>,
    /// What stands there.
    pub kind: PlaceKind<'a>,
}

/// What stands at a [`Place`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceKind<'a> {
    /// `\{{#…`: text to show, without its backslash.
    Escaped,
    /// A directive's name and the text after it.
    Directive {
        /// The word after `{{#`.
        name: &'a str,
        /// The rest, trimmed.
        words: &'a str,
    },
    /// No `}}` on the same line.
    Unclosed,
}

/// Every place in `text` where a directive begins, in order.
pub fn places(text: &str) -> Vec<Place<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(OPEN).map(|at| from + at) {
        let inner = at + OPEN.len();
        if text[..at].ends_with('\\') {
            found.push(Place { range: at - 1..inner, kind: PlaceKind::Escaped });
            from = inner;
            continue;
        }
        let line_end = text[inner..].find('\n').map_or(text.len(), |end| inner + end);
        match text[inner..line_end].find("}}") {
            Some(end) => {
                let body = &text[inner..inner + end];
                let (name, words) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
                found.push(Place {
                    range: at..inner + end + 2,
                    kind: PlaceKind::Directive { name, words: words.trim() },
                });
                from = inner + end + 2;
            }
            None => {
                found.push(Place { range: at..line_end, kind: PlaceKind::Unclosed });
                from = line_end;
            }
        }
    }
    found
}

/// A directive that was understood.
#[derive(Debug, Clone, Copy)]
pub enum Directive<'a> {
    /// `{{#include path}}` or `{{#include path:anchor}}`, which only [`expand`](mod@crate::expand)
    /// can give: it depends on the block of code around it.
    Include {
        /// The file, from the page's folder.
        path: &'a str,
        /// The part of the file to show; `None` shows it whole.
        anchor: Option<&'a str>,
    },
    /// Any other one: what makes its text, and the words for it.
    Made {
        /// What makes the text.
        maker: &'static Maker,
        /// What stands behind the name.
        words: &'a str,
    },
}

/// What makes the text of a directive; each stands in the module of its subject, as a constant.
#[derive(Debug)]
pub struct Maker {
    /// The word behind `{{#`.
    pub name: &'static str,
    /// How many words it takes.
    pub takes: Takes,
    /// Where it may stand.
    pub stands: Stands,
    /// Makes the text.
    pub make: fn(&Asked<'_>) -> Result<Made, Problem>,
}

/// How many words a directive takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// None at all.
    Nothing,
    /// One, such as this example.
    One(&'static str),
    /// Any number.
    Words,
}

/// Where a directive may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// In text and in code.
    Anywhere,
    /// In text only.
    InText,
    /// On a line of its own, outside of code: it becomes a block.
    Alone,
}

/// What a [`Maker`] makes text from.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The workspace.
    pub project: &'a Project,
    /// The page on which the directive stands.
    pub source: &'a Source,
    /// The line of the page.
    pub line: usize,
    /// The directive's name.
    pub name: &'static str,
    /// What stands behind the directive's name, as the maker takes it.
    pub words: &'a str,
}

impl Asked<'_> {
    /// The page's path from the book's folder, as manifests and questions name it.
    pub fn page(&self) -> &str {
        self.source.path.strip_prefix("book/").unwrap_or(&self.source.path)
    }
}

/// The text of a directive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// Markdown, in which HTML may stand.
    pub markdown: String,
    /// Laws that it breaks although it can be shown; they are reported at the directive's line.
    pub laws: Vec<Problem>,
}

impl From<String> for Made {
    fn from(markdown: String) -> Made {
        Made { markdown, laws: Vec::new() }
    }
}

/// The names of all directives, in alphabetical order.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = MAKERS.iter().map(|maker| maker.name).collect();
    names.push(INCLUDE);
    names.sort_unstable();
    names
}

/// Understands a directive, or says what is wrong with it.
pub fn parse<'a>(name: &str, words: &'a str) -> Result<Directive<'a>, Problem> {
    if name == INCLUDE {
        return include(one(name, words, "path/to/file.rs:anchor")?);
    }
    let Some(maker) = MAKERS.iter().copied().find(|maker| maker.name == name) else {
        let names = names();
        return Err(Problem::new(
            format!("unknown directive `{name}`"),
            match nearest(name, names.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("use one of {}, or escape it with a backslash", names.join(", ")),
            },
        ));
    };
    match maker.takes {
        Takes::One(example) => one(name, words, example).map(|_| ())?,
        Takes::Nothing if !words.is_empty() => {
            let what = format!("directive `{name}` takes no words");
            return Err(Problem::new(what, format!("write `{OPEN}{name}}}}}`")));
        }
        Takes::Nothing | Takes::Words => {}
    }
    Ok(Directive::Made { maker, words })
}

fn one<'a>(name: &str, words: &'a str, example: &str) -> Result<&'a str, Problem> {
    if words.is_empty() || words.contains(char::is_whitespace) {
        let what = format!("directive `{name}` takes one word");
        return Err(Problem::new(what, format!("write `{OPEN}{name} {example}}}}}`")));
    }
    Ok(words)
}

fn include(target: &str) -> Result<Directive<'_>, Problem> {
    let Some((path, anchor)) = target.split_once(':') else {
        return Ok(Directive::Include { path: target, anchor: None });
    };
    if anchor.chars().all(|c| c.is_ascii_digit() || c == ':') {
        return Err(Problem::new(
            format!("include by line number `{target}`"),
            "put `ANCHOR: name` and `ANCHOR_END: name` around the lines and name the anchor",
        ));
    }
    Ok(Directive::Include { path, anchor: Some(anchor) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<PlaceKind<'_>> {
        places(text).into_iter().map(|place| place.kind).collect()
    }

    #[test]
    fn finds_directives_escapes_and_open_ends() {
        let text = "a {{#version kafka}} \\{{#include x}} {{#number a\n}} {{#run a/b}}";
        assert_eq!(
            kinds(text),
            [
                PlaceKind::Directive { name: "version", words: "kafka" },
                PlaceKind::Escaped,
                PlaceKind::Unclosed,
                PlaceKind::Directive { name: "run", words: "a/b" },
            ]
        );
        assert_eq!(&text[places(text)[0].range.clone()], "{{#version kafka}}");
        assert_eq!(&text[places(text)[1].range.clone()], "\\{{#");
    }

    #[test]
    fn line_numbers_are_refused() {
        for target in ["a.rs:3", "a.rs:3:5", "a.rs::5", "a.rs:"] {
            let problem = parse("include", target).unwrap_err();
            assert_eq!(problem.what, format!("include by line number `{target}`"));
        }
        let parsed = parse("include", "a.rs:send");
        let Ok(Directive::Include { path, anchor }) = parsed else { panic!("{parsed:?}") };
        assert_eq!((path, anchor), ("a.rs", Some("send")));
    }

    #[test]
    fn a_directive_takes_the_words_that_it_says() {
        for words in ["", "kafka rdkafka"] {
            let problem = parse("version", words).unwrap_err();
            assert_eq!(problem.what, "directive `version` takes one word");
            assert_eq!(problem.mend, "write `{{#version rdkafka}}`");
        }
        assert!(parse("command", "run quickstart shop").is_ok());
    }

    #[test]
    fn unknown_names_get_a_proposal() {
        assert_eq!(parse("versoin", "kafka").unwrap_err().mend, "did you mean `version`?");
        let all = names().join(", ");
        assert_eq!(
            parse("playground", "a.rs").unwrap_err().mend,
            format!("use one of {all}, or escape it with a backslash")
        );
        assert!(all.starts_with("claim, command, "), "{all}");
    }
}
