//! Named parts of a file: `// ANCHOR: name` … `// ANCHOR_END: name`.
//!
//! An anchor is a comment that stands alone on its line, in any language whose comments begin with
//! `//`, `#`, `--`, `;`, `/*` or `<!--`. Anchors may stand inside each other, never across.

use std::sync::LazyLock;

use regex::Regex;

use crate::finding::{Finding, Problem};
use crate::source::Source;

static ANCHOR: LazyLock<Regex> = LazyLock::new(|| {
    let comment = r"^\s*(?://|#|--|;|/\*|<!--)\s*ANCHOR(_END)?:\s*([\w-]*)\s*(?:\*/|-->)?\s*$";
    Regex::new(comment).expect("the expression is constant and a test compiles it")
});

/// One end of an anchor.
struct Mark<'a> {
    line: usize,
    end: bool,
    name: &'a str,
}

fn mark(line: usize, text: &str) -> Option<Mark<'_>> {
    // Most lines are no anchor: a plain search is cheaper than the expression.
    if !text.contains("ANCHOR") {
        return None;
    }
    let captures = ANCHOR.captures(text)?;
    Some(Mark { line, end: captures.get(1).is_some(), name: captures.get(2)?.as_str() })
}

/// A named part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Its name, once in a file.
    pub name: String,
    /// The line of its start.
    pub start: usize,
    /// The line of its end.
    pub end: usize,
}

/// The anchors of a file in the order of their starts, and what is wrong with them.
pub fn anchors(source: &Source) -> (Vec<Anchor>, Vec<Finding>) {
    let mut done: Vec<Anchor> = Vec::new();
    let mut open: Vec<Mark<'_>> = Vec::new();
    let mut findings = Vec::new();
    let mut report = |line, what: String, mend: String| {
        findings.push(Finding::new(&source.path, line, what, mend));
    };
    let marks = source.text.lines().enumerate().filter_map(|(at, text)| mark(at + 1, text));
    for mark in marks {
        let name = mark.name;
        if name.is_empty() {
            report(mark.line, "an anchor without a name".into(), "give it one".into());
        } else if !mark.end {
            let earlier = open.iter().find(|m| m.name == name).map(|m| m.line);
            let earlier = earlier.or(done.iter().find(|a| a.name == name).map(|a| a.start));
            if let Some(line) = earlier {
                report(
                    mark.line,
                    format!("anchor `{name}` stands twice in this file"),
                    format!("rename this one or the one in line {line}"),
                );
            }
            open.push(mark);
        } else if let Some(at) = open.iter().rposition(|start| start.name == name) {
            for inner in &open[at + 1..] {
                report(
                    mark.line,
                    format!("anchor `{name}` ends while `{}` is open", inner.name),
                    format!("end `{}` (line {}) first", inner.name, inner.line),
                );
            }
            let start = open.remove(at).line;
            done.push(Anchor { name: name.to_owned(), start, end: mark.line });
        } else {
            report(
                mark.line,
                format!("anchor `{name}` ends but never starts"),
                format!("add `ANCHOR: {name}` above or remove this line"),
            );
        }
    }
    for start in open {
        report(
            start.line,
            format!("anchor `{}` is never closed", start.name),
            format!("add `ANCHOR_END: {}` after its last line", start.name),
        );
    }
    done.sort_by_key(|anchor| anchor.start);
    (done, findings)
}

/// The lines of a file that an include shows; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice<'a> {
    /// The lines as shown: without anchors, blank ends and the indentation that all share.
    pub lines: Vec<&'a str>,
    /// For each of them, its line in the file.
    pub numbers: Vec<usize>,
}

impl Slice<'_> {
    /// The line of the file that is shown first.
    pub fn first_line(&self) -> usize {
        self.numbers.first().copied().unwrap_or(1)
    }
}

/// The part of `source` between the two ends of an anchor; the whole file for `None`.
pub fn slice<'a>(source: &'a Source, anchor: Option<&str>) -> Result<Slice<'a>, Problem> {
    let (from, to) = match anchor {
        None => (0, usize::MAX),
        Some(name) => {
            let (found, _) = anchors(source);
            match found.iter().find(|anchor| anchor.name == name) {
                Some(anchor) => (anchor.start, anchor.end),
                None => return Err(missing(source, name, &found)),
            }
        }
    };
    let mut lines: Vec<(usize, &str)> = source
        .text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line))
        .filter(|(at, line)| *at > from && *at < to && mark(*at, line).is_none())
        .skip_while(|(_, line)| line.trim().is_empty())
        .collect();
    while lines.last().is_some_and(|(_, line)| line.trim().is_empty()) {
        lines.pop();
    }
    if lines.is_empty() {
        let name = anchor.map_or(source.path.clone(), |name| format!("anchor `{name}`"));
        return Err(Problem::new(
            format!("{name} holds no line to show"),
            "put its two ends around the lines to show",
        ));
    }
    let indent = lines
        .iter()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(_, line)| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or(0);
    let numbers = lines.iter().map(|(at, _)| *at).collect();
    let lines = lines.iter().map(|(_, line)| line.get(indent..).unwrap_or("")).collect();
    Ok(Slice { lines, numbers })
}

fn missing(source: &Source, name: &str, found: &[Anchor]) -> Problem {
    let names: Vec<&str> = found.iter().map(|anchor| anchor.name.as_str()).collect();
    let mend = match crate::finding::nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => {
            format!("add `ANCHOR: {name}` and `ANCHOR_END: {name}` there")
        }
        None => format!("add it there, or take one of {}", names.join(", ")),
    };
    Problem::new(format!("no complete anchor `{name}` in {}", source.path), mend)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Anchors are written with `@` here, so that this file has none of its own.
    fn source(text: &str) -> Source {
        Source::new("a.rs", text.replace('@', "ANCHOR"))
    }

    fn findings(text: &str) -> Vec<String> {
        anchors(&source(text)).1.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_slice_has_no_anchor_lines_and_no_common_indentation() {
        let text = "fn a() {\n    // @: body\n\n    one();\n    // @: inner\n        two();\n    \
                    // @_END: inner\n\n    // @_END: body\n}\n";
        let source = source(text);
        let slice = slice(&source, Some("body")).unwrap();
        assert_eq!(slice.lines, ["one();", "    two();"]);
        assert_eq!(slice.numbers, [4, 6]);
        assert!(anchors(&source).1.is_empty());
    }

    #[test]
    fn comments_of_other_languages_are_anchors() {
        for (open, close) in [("#", ""), ("--", ""), ("<!--", " -->"), ("/*", " */")] {
            let text = format!("{open} @: x{close}\nshown\n{open} @_END: x{close}\n");
            assert_eq!(slice(&source(&text), Some("x")).unwrap().lines, ["shown"]);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        assert_eq!(
            findings("// @: a\n// @: b\n// @_END: a\n// @_END: b\n"),
            ["a.rs:3: anchor `a` ends while `b` is open: end `b` (line 2) first"]
        );
        assert_eq!(
            findings("// @: a\n"),
            ["a.rs:1: anchor `a` is never closed: add `ANCHOR_END: a` after its last line"]
        );
        assert_eq!(
            findings("\n// @_END: a\n"),
            ["a.rs:2: anchor `a` ends but never starts: add `ANCHOR: a` above or remove this line"]
        );
        assert_eq!(
            findings("// @: a\nx\n// @_END: a\n// @: a\nx\n// @_END: a\n"),
            ["a.rs:4: anchor `a` stands twice in this file: \
              rename this one or the one in line 1"]
        );
    }

    #[test]
    fn a_missing_anchor_names_the_near_one() {
        let source = source("// @: send\nx\n// @_END: send\n");
        assert_eq!(slice(&source, Some("sent")).unwrap_err().mend, "did you mean `send`?");
        assert_eq!(
            slice(&source, Some("receive")).unwrap_err().mend,
            "add it there, or take one of send"
        );
    }
}
