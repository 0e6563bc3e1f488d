//! The directives of a page: `{{#name words}}`.
//!
//! One parser for the build and the check. A backslash in front (`\{{#name}}`) shows the directive
//! as text. There is no directive that this file does not name: an unknown one is an error.

use std::ops::Range;

use crate::finding::{Problem, nearest};

/// The names of all directives.
pub const NAMES: [&str; 5] = ["command", "include", "number", "run", "version"];

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive<'a> {
    /// `{{#include path}}` or `{{#include path:anchor}}`.
    Include {
        /// The file, from the page's folder.
        path: &'a str,
        /// The part of the file to show; `None` shows it whole.
        anchor: Option<&'a str>,
    },
    /// `{{#version NAME}}`.
    Version(&'a str),
    /// `{{#command VERB WORDS…}}`.
    Command(Vec<&'a str>),
    /// `{{#number SLUG}}`.
    Number(&'a str),
    /// `{{#run SLUG/RUN}}`.
    Run {
        /// The chapter's slug.
        chapter: &'a str,
        /// The run's name in the chapter's manifest.
        run: &'a str,
    },
}

/// Understands a directive, or says what is wrong with it.
pub fn parse<'a>(name: &str, words: &'a str) -> Result<Directive<'a>, Problem> {
    let one = |form: &str| {
        if words.is_empty() || words.contains(char::is_whitespace) {
            let what = format!("directive `{name}` takes one word");
            Err(Problem::new(what, format!("write `{OPEN}{form}}}}}`")))
        } else {
            Ok(words)
        }
    };
    match name {
        "include" => include(one("include path/to/file.rs:anchor")?),
        "version" => one("version rdkafka").map(Directive::Version),
        "number" => one("number quickstart").map(Directive::Number),
        "command" => Ok(Directive::Command(words.split_whitespace().collect())),
        "run" => match one("run quickstart/shop")?.split_once('/') {
            Some((chapter, run)) => Ok(Directive::Run { chapter, run }),
            None => Err(Problem::new(
                format!("`{words}` names no run"),
                format!("write chapter and run: `{OPEN}run {words}/name}}}}`"),
            )),
        },
        unknown => Err(Problem::new(
            format!("unknown directive `{unknown}`"),
            match nearest(unknown, NAMES) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("use one of {}, or escape it with a backslash", NAMES.join(", ")),
            },
        )),
    }
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
        let anchored = Directive::Include { path: "a.rs", anchor: Some("send") };
        assert_eq!(parse("include", "a.rs:send"), Ok(anchored));
    }

    #[test]
    fn unknown_names_get_a_proposal() {
        assert_eq!(parse("versoin", "kafka").unwrap_err().mend, "did you mean `version`?");
        assert_eq!(
            parse("playground", "a.rs").unwrap_err().mend,
            "use one of command, include, number, run, version, or escape it with a backslash"
        );
    }
}
