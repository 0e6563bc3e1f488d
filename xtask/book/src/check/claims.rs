//! Claims on pages and claims above tests know each other.

use std::collections::BTreeMap;

use super::Page;
use crate::directive::{PlaceKind, places};
use crate::finding::{Finding, Problem};
use crate::project::Project;

/// More marks in one paragraph are noise.
const PER_PARAGRAPH: usize = 2;

/// Looks at every claim. A claim without a test cannot be shown, so the directive itself says so.
pub fn check(project: &Project, pages: &[Page], findings: &mut Vec<Finding>) {
    let mut first: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for test in &project.claims {
        for (id, line) in &test.claims {
            let mut report = |what: String, mend: String| {
                findings.push(Finding::new(&test.file, *line, what, mend));
            };
            if id.is_empty() || id.contains(char::is_whitespace) {
                report(
                    format!("a claim is named by one word, not by `{id}`"),
                    "write it like `nothing-is-lost`".into(),
                );
                continue;
            }
            if !test.is_test {
                report(
                    format!("claim `{id}` stands above what is no test"),
                    "move it above the test that proves it".into(),
                );
            }
            if let Some((file, line)) = first.get(id.as_str()) {
                report(
                    format!("claim `{id}` is carried by a second test"),
                    format!("leave it at one: this or {file}:{line}"),
                );
                continue;
            }
            first.insert(id, (&test.file, *line));
            if !pages.iter().any(|page| page.expanded.asks_for("claim", id)) {
                report(
                    format!("claim `{id}` is made on no page"),
                    format!("write `{{{{#claim {id}}}}}` behind the sentence, or remove this line"),
                );
            }
        }
    }
    for page in pages {
        check_paragraphs(page, findings);
    }
}

fn check_paragraphs(page: &Page, findings: &mut Vec<Finding>) {
    let mut counted: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let claims = places(&page.source.text)
        .into_iter()
        .filter(|place| matches!(place.kind, PlaceKind::Directive { name: "claim", .. }));
    for at in claims.map(|place| place.range.start) {
        counted.entry(paragraph(&page.source.text, at)).or_default().push(at);
        if page.outline.headings.iter().any(|heading| heading.range.contains(&at)) {
            let problem = Problem::new("a claim in a heading", "put it behind a sentence");
            findings.push(problem.at(&page.source.path, page.source.line(at)));
        }
    }
    for places in counted.values().filter(|places| places.len() > PER_PARAGRAPH) {
        let problem = Problem::new(
            format!("a paragraph of {} claims", places.len()),
            format!("keep the {PER_PARAGRAPH} that a reader would doubt"),
        );
        findings.push(problem.at(&page.source.path, page.source.line(places[PER_PARAGRAPH])));
    }
}

/// Where the paragraph or the point of a list begins that holds the byte at `offset`.
fn paragraph(text: &str, offset: usize) -> usize {
    let mut start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    loop {
        let line = text[start..].lines().next().unwrap_or("").trim_start();
        if start == 0 || line.starts_with(['-', '*', '+']) {
            return start;
        }
        let before = text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
        if text[before..start].trim().is_empty() {
            return start;
        }
        start = before;
    }
}
