//! The laws of the book, each in the file of its kind.

mod addresses;
mod anchors;
mod claims;
mod complete;
mod diagrams;
mod exercises;
mod faults;
mod form;
mod glossary;
mod links;
mod order;
mod questions;
mod spacing;
mod tries;
mod typed;

use std::path::Path;

use crate::expand::{Expanded, expand};
use crate::files;
use crate::finding::Finding;
use crate::markdown::{Outline, outline};
use crate::project::Project;
use crate::source::Source;

/// A page in the check: as typed and as mdBook gets it.
pub struct Page {
    /// The path from the book's folder.
    pub path: String,
    /// The file.
    pub source: Source,
    /// The parts of the file.
    pub outline: Outline,
    /// What mdBook gets.
    pub expanded: Expanded,
    /// The parts of what mdBook gets.
    pub shown: Outline,
}

/// Everything that is wrong with the book at `root`, by file and line.
pub fn check(root: &Path) -> Vec<Finding> {
    let (project, pages, mut findings) = judge(root);
    complete::check(&project, &pages, &mut findings);
    sorted(findings)
}

/// What is wrong with the parts that a book has, whatever it lacks.
pub fn check_present(root: &Path) -> Vec<Finding> {
    let (_, _, findings) = judge(root);
    sorted(findings)
}

fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort();
    findings.dedup();
    findings
}

fn judge(root: &Path) -> (Project, Vec<Page>, Vec<Finding>) {
    let (project, mut findings) = Project::load(root);
    let questions = files::questions(root);
    let pages: Vec<Page> = files::pages(root).into_iter().map(|s| page(&project, s)).collect();
    for page in &pages {
        findings.extend_from_slice(&page.expanded.findings);
        findings.extend_from_slice(&page.expanded.laws);
    }
    // ANCHOR: laws
    anchors::check(&files::code(root), &pages, &mut findings);
    order::check(&project, &pages, &mut findings);
    links::check(root, &pages, &mut findings);
    let texts = || pages.iter().map(|page| &page.source).chain(&questions);
    typed::check(&project, texts(), &mut findings);
    tries::check(&project, &pages, &mut findings);
    form::check(&project, &pages, &mut findings);
    form::check_machinery(texts(), &mut findings);
    questions::check(&project, &questions, &pages, &mut findings);
    spacing::check(&project, &pages, &mut findings);
    claims::check(&project, &pages, &mut findings);
    faults::check(&project, &pages, &mut findings);
    exercises::check(&project, &pages, &mut findings);
    glossary::check(&project, &pages, &mut findings);
    diagrams::check(&project, &pages, &mut findings);
    addresses::check(&project, &mut findings);
    // ANCHOR_END: laws
    (project, pages, findings)
}

fn page(project: &Project, source: Source) -> Page {
    let expanded = expand(project, &source);
    Page {
        path: source.path.trim_start_matches("book/").to_owned(),
        outline: outline(&source.text),
        shown: outline(&expanded.markdown),
        source,
        expanded,
    }
}
