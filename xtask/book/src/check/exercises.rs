//! Exercises stand on pages, and nothing in them is left empty.

use regex::Regex;

use super::Page;
use crate::exercise::HINT_COUNT;
use crate::finding::Finding;
use crate::project::Project;

/// Looks at every exercise. A directive without one cannot be shown, so it says so itself.
pub fn check(project: &Project, pages: &[Page], findings: &mut Vec<Finding>) {
    for exercise in &project.exercises {
        let mut report = |what: String, mend: &str| {
            findings.push(Finding::new(&exercise.file, 1, what, mend));
        };
        let table = &exercise.table;
        let parts = [
            ("title", &table.title),
            ("task", &table.task),
            ("why", &table.why),
            ("fails_with", &table.fails_with),
        ];
        for (part, _) in parts.iter().filter(|(_, text)| text.trim().is_empty()) {
            report(format!("an exercise with an empty `{part}`"), "write it");
        }
        let hints = table.hints.iter().filter(|hint| !hint.trim().is_empty()).count();
        if hints != HINT_COUNT || table.hints.len() != HINT_COUNT {
            let mend = "write three: where to look, what idea, the line";
            report(format!("an exercise with {hints} hints"), mend);
        }
        if let Err(error) = Regex::new(&table.fails_with) {
            let error = error.to_string();
            let last = error.lines().last().unwrap_or("").trim_start_matches("error: ");
            report(format!("`fails_with` is no regular expression ({last})"), "correct it");
        }
        let id = exercise.id();
        if !pages.iter().any(|page| page.expanded.asks_for("exercise", &id)) {
            let mend =
                format!("write `{{{{#exercise {id}}}}}` on a page of `{}`", exercise.chapter);
            report(format!("exercise `{id}` stands on no page"), &mend);
        }
    }
}
