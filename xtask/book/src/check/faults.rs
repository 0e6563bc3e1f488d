//! What a chapter's `faults` name exists, and nothing in them is left empty.

use std::collections::BTreeSet;

use super::Page;
use crate::files;
use crate::finding::{Finding, Problem, nearest};
use crate::manifest::{Chapter, Fault};
use crate::project::Project;
use crate::test_functions::test_functions;

/// Looks at the faults of every chapter.
pub fn check(project: &Project, pages: &[Page], findings: &mut Vec<Finding>) {
    for chapter in &project.chapters {
        let mut names = BTreeSet::new();
        let mut tests = None;
        for fault in &chapter.faults {
            let mut report = |problem: Problem| {
                findings.push(problem.at(&chapter.manifest, fault.line));
            };
            if !names.insert(&fault.name) {
                let what = format!("fault `{}` stands twice", fault.name);
                report(Problem::new(what, "give this one another name"));
            }
            let parts = [("symptom", &fault.symptom), ("cause", &fault.cause), ("fix", &fault.fix)];
            for (part, _) in parts.iter().filter(|(_, text)| text.trim().is_empty()) {
                let what = format!("fault `{}` has no {part}", fault.name);
                report(Problem::new(what, "write it in one sentence"));
            }
            if let Err(problem) = project.run(&chapter.slug, &fault.run) {
                report(of(fault, problem));
            }
            if let Err(problem) = step(chapter, pages, &fault.step) {
                report(of(fault, problem));
            }
            let tests = tests.get_or_insert_with(|| names_of_tests(project, chapter));
            if !tests.iter().any(|test| is_named(test, &fault.test)) {
                let what = format!("no test of `{}` is named `{}`", chapter.slug, fault.test);
                let mend = match nearest(&fault.test, tests.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "name the test that provokes the fault".into(),
                };
                report(of(fault, Problem::new(what, mend)));
            }
        }
    }
}

fn of(fault: &Fault, problem: Problem) -> Problem {
    Problem { what: format!("fault `{}`: {}", fault.name, problem.what), ..problem }
}

/// Whether a step is a heading of a page of this chapter.
fn step(chapter: &Chapter, pages: &[Page], step: &str) -> Result<(), Problem> {
    let wrong = |what: String, mend: &str| Err(Problem::new(what, mend));
    let Some((path, heading)) = step.split_once('#') else {
        return wrong(format!("`{step}` names no heading"), "write `part/page.md#heading`");
    };
    if !chapter.pages.iter().any(|page| page.path == path) {
        return wrong(
            format!("`{path}` is no page of this chapter"),
            "name the page whose step explains it",
        );
    }
    // A page that is missing is reported where the manifest names it.
    let Some(page) = pages.iter().find(|page| page.path == path) else { return Ok(()) };
    let headings = || page.shown.headings.iter().filter(|heading| heading.level > 1);
    if headings().any(|known| known.id == heading) {
        return Ok(());
    }
    let mend = match nearest(heading, headings().map(|known| known.id.as_str())) {
        Some(near) => format!("did you mean `#{near}`?"),
        None => "name the heading of the step that explains it".into(),
    };
    Err(Problem::new(format!("book/{path} has no step `#{heading}`"), mend))
}

/// Whether `wanted` is the end of a test's name, module by module.
fn is_named(test: &str, wanted: &str) -> bool {
    test.strip_suffix(wanted).is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
        && !wanted.is_empty()
}

/// The names of all tests of a chapter. A file that is no Rust is the compiler's to report.
fn names_of_tests(project: &Project, chapter: &Chapter) -> Vec<String> {
    let files = files::rust(&project.root, &chapter.slug);
    let holding = files.iter().filter(|file| file.text.contains("test"));
    let found = holding.filter_map(|file| test_functions(chapter, file).ok()).flatten();
    found.filter(|function| function.is_test).map(|function| function.name).collect()
}
