//! The laws of the book, each in the file of its kind.

mod anchors;
mod files;
mod form;
mod links;
mod order;
mod typed;

use std::path::Path;

use crate::expand::{Expanded, expand};
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
    let (project, mut findings) = Project::load(root);
    let pages: Vec<Page> = files::pages(root).into_iter().map(|s| page(&project, s)).collect();
    for page in &pages {
        findings.extend_from_slice(&page.expanded.findings);
        findings.extend_from_slice(&page.expanded.laws);
    }
    anchors::check(&files::code(root), &pages, &mut findings);
    order::check(&project, &pages, &mut findings);
    links::check(root, &pages, &mut findings);
    typed::check(&project, &pages, &mut findings);
    form::check(&project, &pages, &mut findings);
    findings.sort();
    findings.dedup();
    findings
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
