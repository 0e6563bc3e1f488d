//! What was learned comes back: on later pages, and at the end of each part.

use std::collections::BTreeSet;

use super::Page;
use crate::finding::{Finding, Problem, nearest};
use crate::misconceptions;
use crate::project::Project;
use crate::questions::Question;
use crate::summary::{self, Entry};

/// How far a page's last question goes back, in pages of chapters: far enough that remembering is
/// work, near enough that it succeeds.
const BACK: std::ops::RangeInclusive<usize> = 2..=5;

/// Looks at where questions lead back to, and at what is asked nowhere.
pub fn check(project: &Project, pages: &[Page], findings: &mut Vec<Finding>) {
    let order = order(project);
    for question in &project.questions {
        if let Err(Problem { what, mend }) = check_from(project, &order, question) {
            let what = format!("question `{}`: {what}", question.id);
            findings.push(Finding::new(&question.file, question.line, what, mend));
        }
    }
    for (place, entry) in order.iter().enumerate() {
        let Some(page) = pages.iter().find(|page| page.path == entry.path) else { continue };
        check_last(project, &order, place, page, findings);
    }
    check_parts(project, &order, pages, findings);
    check_misconceptions(project, findings);
}

/// The pages of chapters, in the order of the book.
fn order(project: &Project) -> Vec<&Entry> {
    let entries = project.summary.entries.iter();
    entries.filter(|entry| project.page(&entry.path).is_some()).collect()
}

fn place(order: &[&Entry], page: &str) -> Option<usize> {
    order.iter().position(|entry| entry.path == page)
}

/// The questions on a page, in the order in which they are asked.
fn asked<'a>(project: &'a Project, page: &'a Page) -> impl Iterator<Item = &'a Question> {
    page.expanded.placed.iter().filter_map(|placed| {
        let is = |question: &&Question| {
            (&question.page, question.directive()) == (&page.path, placed.name)
                && question.id == placed.words
        };
        project.questions.iter().find(is)
    })
}

fn check_from(project: &Project, order: &[&Entry], question: &Question) -> Result<(), Problem> {
    let Some(from) = question.from() else { return Ok(()) };
    let Some(there) = place(order, from) else {
        let known = project.chapters.iter().flat_map(|chapter| &chapter.pages);
        let mend = match nearest(from, known.map(|page| page.path.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name a page of a chapter, from the book's folder".into(),
        };
        return Err(Problem::new(format!("`from` names no page: `{from}`"), mend));
    };
    match place(order, &question.page) {
        Some(here) if there >= here => Err(Problem::new(
            format!("`from` is no earlier page: `{from}`"),
            "name a page that the reader knows",
        )),
        _ => Ok(()),
    }
}

/// A page's last question goes back, where there is a page to go back to.
fn check_last(
    project: &Project,
    order: &[&Entry],
    here: usize,
    page: &Page,
    findings: &mut Vec<Finding>,
) {
    if here < *BACK.start() {
        return;
    }
    let reach = &order[here.saturating_sub(*BACK.end())..=here - BACK.start()];
    let Some(last) = asked(project, page).last() else { return };
    let near = |from: &str| reach.iter().any(|entry| entry.path == from);
    // A page that is none, or a later one, is reported as such.
    let earlier = |from: &str| place(order, from).is_some_and(|place| place < here);
    let what = match last.from() {
        Some(from) if near(from) || !earlier(from) => return,
        Some(from) => format!("the page's last question goes back to {from}"),
        None => "the page's last question goes back to no page".to_owned(),
    };
    let pages: Vec<&str> = reach.iter().map(|entry| entry.path.as_str()).collect();
    findings.push(Finding::new(
        &last.file,
        last.line,
        format!("question `{}`: {what}", last.id),
        format!("end the page with a quiz `from` {}", pages.join(" or ")),
    ));
}

/// A part ends with questions from at least two of its pages, where it has two.
fn check_parts(project: &Project, order: &[&Entry], pages: &[Page], findings: &mut Vec<Finding>) {
    for (part, (title, line)) in project.summary.parts.iter().enumerate() {
        let entries = order.iter().filter(|entry| entry.part == Some(part));
        let mut of_part: Vec<&str> = entries.map(|entry| entry.path.as_str()).collect();
        // One that stands twice is reported as such.
        of_part.dedup();
        let [_, .., last] = of_part[..] else { continue };
        let Some(page) = pages.iter().find(|page| page.path == last) else { continue };
        let mixed: BTreeSet<&str> = asked(project, page)
            .map(|question| question.from().unwrap_or(last))
            .filter(|from| of_part.contains(from))
            .collect();
        if mixed.len() < 2 {
            findings.push(Finding::new(
                summary::PATH,
                *line,
                format!("`{title}` does not end with questions from two of its pages"),
                format!("add a quiz to book/{last} whose `from` is an earlier page of the part"),
            ));
        }
    }
}

/// What nobody is asked, nobody unlearns.
fn check_misconceptions(project: &Project, findings: &mut Vec<Finding>) {
    for known in &project.misconceptions {
        let asked = project.questions.iter().any(|question| question.misconception == known.id);
        let unwritten = |slug: &String| project.chapter(slug).is_err();
        if asked || known.chapter.as_ref().is_some_and(unwritten) {
            continue;
        }
        findings.push(Finding::new(
            misconceptions::PATH,
            known.line,
            format!("no question tests `{}`", known.id),
            "ask one, or name the `chapter` that will be written about it",
        ));
    }
}
