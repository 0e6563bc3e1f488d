//! Every term has one definition and one page that introduces it, and that page uses it.

use std::collections::BTreeSet;

use super::Page;
use crate::finding::{Finding, nearest};
use crate::glossary::{FILE, PAGE, introducing};
use crate::project::Project;

/// Longer definitions are not read where they appear.
const WORDS: usize = 40;

/// Looks at the terms of the glossary and of the manifests.
pub fn check(project: &Project, pages: &[Page], findings: &mut Vec<Finding>) {
    check_entries(project, findings);
    check_manifests(project, pages, findings);
    let shown = pages.iter().any(|page| page.expanded.asks_for("glossary", ""));
    if !shown && !project.glossary.terms.is_empty() {
        let what = "no page shows the terms";
        findings.push(Finding::new(
            FILE,
            1,
            what,
            format!("write `{{{{#glossary}}}}` in book/{PAGE}"),
        ));
    }
}

fn check_entries(project: &Project, findings: &mut Vec<Finding>) {
    let mut names = BTreeSet::new();
    for term in &project.glossary.terms {
        let name = &term.name;
        let mut report = |what: String, mend: String| {
            findings.push(Finding::new(FILE, term.line, what, mend));
        };
        if !names.insert(name.to_lowercase()) {
            report(format!("`{name}` is defined twice"), "keep one definition".into());
        }
        match term.definition.split_whitespace().count() {
            0 => report(format!("`{name}` has no definition"), "write a sentence or two".into()),
            words if words > WORDS => {
                report(format!("a definition of {words} words"), format!("leave {WORDS}"));
            }
            _ => {}
        }
        let mut introducing = introducing(project, name);
        match (introducing.next(), introducing.next()) {
            (None, _) => report(
                format!("no page introduces `{name}`"),
                "add it to the `terms` of a page in its chapter's manifest, or remove it".into(),
            ),
            (Some(first), Some(second)) => report(
                format!("`{name}` is introduced twice, by book/{first} and book/{second}"),
                "take it from the `terms` of one of them".into(),
            ),
            (Some(_), None) => {}
        }
    }
}

fn check_manifests(project: &Project, pages: &[Page], findings: &mut Vec<Finding>) {
    for chapter in &project.chapters {
        for page in &chapter.pages {
            let written = pages.iter().find(|written| written.path == page.path);
            for term in &page.terms {
                let mut report = |what: String, mend: String| {
                    findings.push(Finding::new(&chapter.manifest, page.line, what, mend));
                };
                if project.glossary.term(term).is_none() {
                    let names = project.glossary.terms.iter().map(|term| term.name.as_str());
                    let mend = match nearest(term, names) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("define it in {FILE}"),
                    };
                    report(format!("the glossary has no term `{term}`"), mend);
                } else if written.is_some_and(|page| !page.expanded.terms.contains(term)) {
                    report(
                        format!("book/{} introduces `{term}` and never uses it", page.path),
                        "explain it in the page's text, or take it from `terms`".into(),
                    );
                }
            }
        }
    }
}
