//! The laws of the book, each in the file of its kind.

mod files;

use std::path::Path;

use crate::expand::{Expanded, expand};
use crate::finding::Finding;
use crate::markdown::{Outline, outline};
use crate::project::Project;
use crate::source::Source;

/// A page in the check: as typed and as read.
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
    let pages: Vec<Page> = files::pages(root)
        .into_iter()
        .map(|source| {
            let mut expanded = expand(&project, &source);
            findings.append(&mut expanded.findings);
            Page {
                path: source.path.trim_start_matches("book/").to_owned(),
                outline: outline(&source.text),
                shown: outline(&expanded.markdown),
                source,
                expanded,
            }
        })
        .collect();
    let _ = pages;
    findings.sort();
    findings.dedup();
    findings
}
