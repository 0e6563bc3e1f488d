//! Questions stand on their pages, and runs wait for them.

use std::collections::BTreeMap;

use super::{Page, links};
use crate::expand::Placed;
use crate::finding::{Finding, Problem};
use crate::playback::RUN;
use crate::project::Project;
use crate::questions::{PREDICT, QUIZ, Question, file_of};
use crate::recording::{Recorded, split};
use crate::source::Source;

/// Looks at every question, wherever it is defined and wherever it is placed.
pub fn check(project: &Project, files: &[Source], pages: &[Page], findings: &mut Vec<Finding>) {
    for file in files {
        if !pages.iter().any(|page| file_of(&page.source.path) == file.path) {
            findings.push(Finding::new(
                &file.path,
                1,
                "questions of no page",
                "name the file after its page, or delete it",
            ));
        }
    }
    for page in pages {
        check_doubles(page, findings);
    }
    for question in &project.questions {
        let of_question = |page: &&Page| page.path == question.page;
        let Some(page) = pages.iter().find(of_question) else { continue };
        let mut report = |Problem { what, mend }: Problem| {
            let what = format!("question `{}`: {what}", question.id);
            findings.push(Finding::new(&question.file, question.line, what, mend));
        };
        for target in &question.links {
            if let Err(problem) = links::follow(&project.root, pages, page, target) {
                report(problem);
            }
        }
        let (name, id) = (question.directive(), question.id.as_str());
        let is_placed = |placed: &&Placed| placed.words == id && is_question(placed);
        match page.expanded.placed.iter().find(is_placed) {
            Some(placed) => {
                if let Err(problem) = check_stop(project, page, question, placed) {
                    report(problem);
                }
            }
            None => report(Problem::new(
                format!("it is not on {}", page.source.path),
                format!("write `{{{{#{name} {id}}}}}` there, or delete it"),
            )),
        }
    }
}

fn is_question(placed: &Placed) -> bool {
    [PREDICT.name, QUIZ.name].contains(&placed.name)
}

/// A question is asked once on a page, and a run is shown once: each has one address there.
fn check_doubles(page: &Page, findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<(bool, &str), usize> = BTreeMap::new();
    for placed in &page.expanded.placed {
        let question = is_question(placed);
        if !question && placed.name != RUN.name {
            continue;
        }
        if let Some(first) = seen.insert((question, &placed.words), placed.line) {
            let what = if question { "question" } else { "run" };
            findings.push(Finding::new(
                &page.source.path,
                placed.line,
                format!("{what} `{}` stands twice on this page", placed.words),
                format!("keep one: this or line {first}"),
            ));
        }
    }
}

/// A stop is a moment of a run that the page plays below the question.
fn check_stop(
    project: &Project,
    page: &Page,
    question: &Question,
    asked: &Placed,
) -> Result<(), Problem> {
    let Some(stop) = question.stop() else { return Ok(()) };
    let (chapter, run) = split(&stop.run)?;
    Recorded::read(project, chapter, run)?.moment(&stop.moment)?;
    let plays = |placed: &Placed| placed.name == RUN.name && placed.words == stop.run;
    let below = |placed: &Placed| plays(placed) && placed.line > asked.line;
    if page.expanded.placed.iter().any(below) {
        return Ok(());
    }
    let what = format!("{} does not play {} below it", page.source.path, stop.run);
    Err(Problem::new(what, format!("write `{{{{#run {}}}}}` there", stop.run)))
}
