//! What a page must not type, because it has another source: versions, numbers, commands.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::command;
use crate::directive::places;
use crate::finding::{Finding, Problem};
use crate::project::Project;
use crate::source::Source;

static COMMAND: LazyLock<Regex> =
    LazyLock::new(|| regex(r"cargo xtask ([a-z][\w-]*)(?:(?: chapter)? (\d+)\b)?"));

static CHAPTER: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)\bchapters?\s+(\d+)\b"));

static VERSION: LazyLock<Regex> = LazyLock::new(|| regex(r"\bv?(\d+(?:\.\d+)+)\b"));

/// A version that something is said about once and for all does not drift.
static HISTORY: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)\b(?:since|before|until)\s+(?:[\w-]+\s+){0,2}v?$"));

static UNIT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^\s*(?:[nµm]?s\b|%|[KMG]i?B\b|bytes|(?:milli|micro)?seconds|minutes|hours|times|records)",
    )
});

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the expression is constant and a test compiles it")
}

/// Looks at what each page types outside of directives, code included, and what its questions type.
pub fn check<'a>(
    project: &Project,
    texts: impl Iterator<Item = &'a Source>,
    findings: &mut Vec<Finding>,
) {
    let names = names(project);
    for source in texts {
        let text = without_directives(&source.text);
        let mut report = |at: usize, problem: Problem| {
            findings.push(problem.at(&source.path, source.line(at)));
        };
        let mut commands: Vec<Range<usize>> = Vec::new();
        for found in COMMAND.captures_iter(&text) {
            let (at, range) = whole(&found);
            commands.push(range);
            if let Err(problem) = typed_command(project, &found) {
                report(at, problem);
            }
        }
        for found in CHAPTER.captures_iter(&text) {
            let (at, range) = whole(&found);
            if !commands.iter().any(|command| command.contains(&range.start)) {
                let slug = slug(project, &found[1]);
                report(
                    at,
                    Problem::new(
                        format!("a chapter number is typed: `{}`", words(&found[0])),
                        format!("write `{{{{#number {slug}}}}}`, or link to the page"),
                    ),
                );
            }
        }
        for found in VERSION.captures_iter(&text) {
            let (at, range) = whole(&found);
            if let Some(problem) = typed_version(project, &names, &text, &range, &found[1]) {
                report(at, problem);
            }
        }
    }
}

fn whole(found: &Captures<'_>) -> (usize, Range<usize>) {
    found.get(0).map_or((0, 0..0), |whole| (whole.start(), whole.range()))
}

/// The text with a space for each byte of a directive, so that places stay the same.
fn without_directives(text: &str) -> String {
    let mut masked = text.to_owned();
    for place in places(text) {
        masked.replace_range(place.range.clone(), &" ".repeat(place.range.len()));
    }
    masked
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The chapter that has this number now, or a word that stands for one.
fn slug(project: &Project, number: &str) -> String {
    let chapters = project.chapters.iter().map(|chapter| chapter.slug.clone());
    let mut with_number =
        chapters.filter(|slug| project.number(slug).is_ok_and(|place| place.to_string() == number));
    with_number.next().unwrap_or_else(|| "SLUG".into())
}

fn typed_command(project: &Project, found: &Captures<'_>) -> Result<(), Problem> {
    let verb = &found[1];
    command::operand(verb)?;
    let Some(number) = found.get(2) else { return Ok(()) };
    let slug = slug(project, number.as_str());
    Err(Problem::new(
        format!("a chapter number is typed: `{}`", &found[0]),
        format!("write `{{{{#command {verb} {slug}}}}}`"),
    ))
}

/// What pages call the things whose versions they may name.
fn names(project: &Project) -> BTreeSet<String> {
    let fixed = ["apache kafka", "kafka", "librdkafka", "rust"].map(str::to_owned);
    let dependencies = project.chapters.iter().flat_map(|c| c.dependencies.iter().cloned());
    fixed.into_iter().chain(dependencies).collect()
}

fn typed_version(
    project: &Project,
    names: &BTreeSet<String>,
    text: &str,
    range: &Range<usize>,
    version: &str,
) -> Option<Problem> {
    let before = &text[..range.start];
    let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    let after = &text[range.end..];
    let token = line.rsplit(char::is_whitespace).next().unwrap_or("");
    if HISTORY.is_match(line) || token.contains("://") || token.contains("](") {
        return None;
    }
    let parts = version.split('.').count();
    let name = line
        .trim_end_matches([' ', '`', '"', '=', '@', '(', ':', '^', '~', '*'])
        .rsplit(|c: char| c.is_whitespace() || "`\"*([{".contains(c))
        .next()
        .map(str::to_lowercase)
        .filter(|name| names.contains(name));
    let typed = match (&name, parts) {
        // Four numbers are an address.
        (_, 4..) => false,
        (_, 3) => true,
        (Some(_), _) => !UNIT.is_match(after),
        (None, _) => false,
    };
    if !typed {
        return None;
    }
    let known = name.filter(|name| project.versions.get(name).is_ok());
    let known = known.unwrap_or_else(|| "NAME".into());
    Some(Problem::new(
        format!("a version is typed: `{version}`"),
        format!("write `{{{{#version {known}}}}}`"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_masked_and_places_kept() {
        let text = "a {{#version kafka}} b \\{{#number x}} c";
        let masked = without_directives(text);
        assert_eq!(masked.len(), text.len());
        assert_eq!(masked.find(" b "), text.find(" b "));
        assert!(!masked.contains("kafka"));
    }
}
