//! What every page of a chapter has, and what none has.

use std::sync::LazyLock;

use regex::Regex;

use super::Page;
use crate::finding::{Finding, Problem};
use crate::project::Project;
use crate::source::Source;

/// A page is read in 8 to 20 minutes.
const WORDS: usize = 2_000;

/// New words on a page that a reader can keep.
const TERMS: usize = 5;

/// What a reader can expect to be able to do after one page.
const PROMISES: usize = 3;

/// What fits above a picture on a phone, in characters.
const TITLE: usize = 40;

/// The page on which our own machinery is explained.
const ABOUT_THE_BOOK: &str = "book/appendix/how-this-book-is-made.md";

static MACHINERY: LazyLock<Regex> = LazyLock::new(|| {
    let words = r"(?i)\b(?:run logs?|recording checks?|scenario groups?|claim checks?)\b";
    Regex::new(&words.replace(' ', r"\s+")).expect("the expression is constant")
});

/// Looks at each page by itself.
pub fn check(project: &Project, pages: &[Page], findings: &mut Vec<Finding>) {
    for page in pages {
        check_words(page, findings);
        if project.page(&page.path).is_some() {
            check_parts(page, findings);
        }
    }
    for chapter in &project.chapters {
        let file = chapter.manifest.as_str();
        for page in &chapter.pages {
            if page.terms.len() > TERMS {
                let what = format!("book/{} introduces {} terms", page.path, page.terms.len());
                let mend = format!("leave {TERMS} or split the page");
                findings.push(Finding::new(file, page.line, what, mend));
            }
        }
        for run in &chapter.runs {
            let long = run.title.as_ref().map(|title| title.chars().count());
            if let Some(long) = long.filter(|long| *long > TITLE) {
                let what = format!("the title of run `{}` has {long} characters", run.name);
                let mend = format!("leave {TITLE}: `about` says the rest");
                findings.push(Finding::new(file, chapter.line, what, mend));
            }
        }
        let abouts = chapter.runs.iter().map(|run| (chapter.line, &run.about));
        let questions = chapter.pages.iter().map(|page| (page.line, &page.question));
        for (line, text) in abouts.chain(questions) {
            if let Some(found) = MACHINERY.find(text) {
                findings.push(machinery(found.as_str()).at(file, line));
            }
        }
    }
}

/// Looks for words that only whoever works on the book knows.
pub fn check_machinery<'a>(texts: impl Iterator<Item = &'a Source>, findings: &mut Vec<Finding>) {
    for source in texts.filter(|source| source.path != ABOUT_THE_BOOK) {
        for found in MACHINERY.find_iter(&source.text) {
            let line = source.line(found.start());
            findings.push(machinery(found.as_str()).at(&source.path, line));
        }
    }
}

fn machinery(words: &str) -> Problem {
    Problem::new(
        format!("`{words}` is a word of our machinery"),
        "say what the reader sees: a recorded run, log lines, a test",
    )
}

fn check_words(page: &Page, findings: &mut Vec<Finding>) {
    let prose = page.outline.prose.iter().map(|range| &page.source.text[range.clone()]);
    let words: usize = prose.map(|prose| prose.split_whitespace().count()).sum();
    if words > WORDS {
        let what = format!("a page of {words} words");
        let mend = format!("leave {WORDS} or split it in two");
        findings.push(Finding::new(&page.source.path, 1, what, mend));
    }
}

fn check_parts(page: &Page, findings: &mut Vec<Finding>) {
    let mut report = |line: usize, what: &str, mend: &str| {
        findings.push(Finding::new(&page.source.path, line, what, mend));
    };
    let titled = page.outline.headings.first().is_some_and(|heading| {
        heading.level == 1 && page.source.text[..heading.range.start].trim().is_empty()
    });
    if !titled {
        report(1, "a page without a title", "begin it with `# Title`");
    }
    match promises(page) {
        None => report(
            1,
            "a page that promises nothing",
            "add `You will be able to` with one to three points above the first `##`",
        ),
        Some((line, points)) if points > PROMISES => report(
            line,
            &format!("a page that promises {points} things"),
            "keep the three that matter most",
        ),
        Some(_) => {}
    }
    let recap = |heading: &crate::markdown::Heading| heading.level == 2 && heading.text == "Recap";
    if !page.outline.headings.iter().any(recap) {
        let last = page.source.text.lines().count();
        report(last, "a page without a recap", "add `## Recap` with at most five sentences");
    }
}

/// Where a page says what the reader will be able to do, and in how many points.
fn promises(page: &Page) -> Option<(usize, usize)> {
    let text = &page.source.text;
    let step = page.outline.headings.iter().find(|heading| heading.level > 1);
    let opening = &text[..step.map_or(text.len(), |step| step.range.start)];
    let at = opening.find("You will be able to")?;
    let points = opening[at..].lines().filter(|line| line.starts_with(['-', '*'])).count();
    Some((page.source.line(at), points))
}
