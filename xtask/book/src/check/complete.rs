//! Nothing is missing from a page or a chapter: it can be guessed at, run, broken and practised.

use super::Page;
use crate::fault::FAULTS;
use crate::finding::Finding;
use crate::manifest::Chapter;
use crate::playback::RUN;
use crate::project::Project;
use crate::questions::PREDICT;

/// The heading of a chapter's faults.
const HEADING: &str = "What goes wrong";

/// Looks at every chapter and at its pages; one that is not written is reported elsewhere.
pub fn check(project: &Project, pages: &[Page], findings: &mut Vec<Finding>) {
    for chapter in &project.chapters {
        if !project.exercises.iter().any(|exercise| exercise.chapter == chapter.slug) {
            findings.push(Finding::new(
                &chapter.manifest,
                chapter.line,
                format!("chapter `{}` has no exercise", chapter.slug),
                format!("add one in chapters/{}/exercises/", chapter.slug),
            ));
        }
        for (at, declared) in chapter.pages.iter().enumerate() {
            let Some(page) = pages.iter().find(|page| page.path == declared.path) else { continue };
            check_page(chapter, page, findings);
            check_table(page, at + 1 == chapter.pages.len(), findings);
        }
    }
}

fn check_page(chapter: &Chapter, page: &Page, findings: &mut Vec<Finding>) {
    let mut report = |what: &str, mend: String| {
        findings.push(Finding::new(&page.source.path, 1, what, mend));
    };
    let placed = |name: &str| page.expanded.placed.iter().any(|placed| placed.name == name);
    if !placed(RUN.name) {
        report("a page without a run", "show one with `{{#run CHAPTER/RUN}}`".into());
    }
    if !placed(PREDICT.name) {
        report("a page without a prediction", "ask before a run, with `{{#predict ID}}`".into());
    }
    let here = |step: &str| step.split('#').next() == Some(&page.path);
    if !chapter.faults.iter().any(|fault| here(&fault.step)) {
        report(
            "a page on which nothing goes wrong",
            format!("let the step of a fault in {} stand here", chapter.manifest),
        );
    }
}

/// The table of faults stands on a chapter's last page, under its heading, and nowhere else.
fn check_table(page: &Page, last: bool, findings: &mut Vec<Finding>) {
    let mut report = |line: usize, what: &str, mend: &str| {
        findings.push(Finding::new(&page.source.path, line, what, mend));
    };
    let table = page.expanded.placed.iter().find(|placed| placed.name == FAULTS.name);
    let headings = page.outline.headings.iter().filter(|heading| heading.level <= 2);
    let headings: Vec<(usize, &str)> = headings
        .map(|heading| (page.source.line(heading.range.start), heading.text.as_str()))
        .collect();
    match table {
        Some(table) if !last => {
            report(table.line, "faults before the chapter's last page", "move them there");
        }
        Some(table) => {
            let above = headings.iter().rev().find(|(line, _)| *line < table.line);
            if above.is_none_or(|(_, text)| *text != HEADING) {
                report(
                    table.line,
                    "faults under another heading",
                    "put `## What goes wrong` above",
                );
            }
        }
        None if last => {
            let end = page.source.text.lines().count();
            let mend = "add `## What goes wrong` with `{{#faults}}` below it";
            report(end, "a chapter's last page that does not say what goes wrong", mend);
        }
        None => {}
    }
}
