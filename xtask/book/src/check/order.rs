//! Chapters, pages and the summary know each other.

use std::collections::{BTreeMap, HashSet};

use super::Page;
use crate::finding::Finding;
use crate::project::Project;
use crate::summary;

/// Pages that belong to no chapter.
fn stands_alone(path: &str) -> bool {
    path == "introduction.md" || path.starts_with("appendix/")
}

/// Looks at the summary, at the manifests and at the files.
pub fn check(project: &Project, pages: &[Page], findings: &mut Vec<Finding>) {
    let files: HashSet<&str> = pages.iter().map(|page| page.path.as_str()).collect();
    check_summary(project, &files, findings);
    check_manifests(project, &files, findings);
    check_sequence(project, findings);
    for page in pages {
        let path = &page.path;
        if project.summary.entry(path).is_none() {
            findings.push(Finding::new(
                &page.source.path,
                1,
                "this page is not in SUMMARY.md",
                "add a line for it there, or delete the page",
            ));
        }
        if project.page(path).is_none() && !stands_alone(path) {
            findings.push(Finding::new(
                &page.source.path,
                1,
                "a page of no chapter",
                "name it in `pages` of its chapter's Cargo.toml, or move it to book/appendix/",
            ));
        }
    }
}

fn check_summary(project: &Project, files: &HashSet<&str>, findings: &mut Vec<Finding>) {
    let mut report = |line, what: String, mend: &str| {
        findings.push(Finding::new(summary::PATH, line, what, mend));
    };
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &project.summary.entries {
        let path = entry.path.as_str();
        if path.is_empty() {
            let what = format!("`{}` is a draft without a file", entry.title);
            report(entry.line, what, "write the page, or remove this line until it is written");
        } else if !files.contains(path) {
            let what = format!("page book/{path} does not exist");
            report(entry.line, what, "write it, or remove this line");
        } else if let Some(first) = seen.get(path) {
            let what = format!("page book/{path} stands twice");
            report(entry.line, what, &format!("keep one line: this or line {first}"));
        }
        seen.entry(path).or_insert(entry.line);
        if let Some((chapter, page)) = project.page(path)
            && chapter.pages.first().is_some_and(|first| first.path == page.path)
            && chapter.title != entry.title
        {
            let what = format!("the title `{}` is not that of {}", entry.title, chapter.manifest);
            report(entry.line, what, &format!("write `{}`, or change it there", chapter.title));
        }
    }
    let mut parts: BTreeMap<&str, usize> = BTreeMap::new();
    for (title, line) in &project.summary.parts {
        if let Some(first) = parts.insert(title, *line) {
            let what = format!("part `{title}` stands twice");
            report(*line, what, &format!("move its pages under line {first}"));
        }
    }
}

fn check_manifests(project: &Project, files: &HashSet<&str>, findings: &mut Vec<Finding>) {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for chapter in &project.chapters {
        if chapter.pages.is_empty() {
            findings.push(Finding::new(
                &chapter.manifest,
                chapter.line,
                format!("chapter `{}` has no page", chapter.slug),
                "write one and name it in `pages`",
            ));
        }
        for page in &chapter.pages {
            let mut report = |what: String, mend: String| {
                findings.push(Finding::new(&chapter.manifest, page.line, what, mend));
            };
            if !files.contains(page.path.as_str()) {
                let what = format!("page book/{} does not exist", page.path);
                report(what, "write it, or correct the path".into());
            }
            if let Some(owner) = owners.insert(&page.path, &chapter.slug) {
                let what = format!("page book/{} belongs to `{owner}` already", page.path);
                report(what, "name it in one manifest only".into());
            }
        }
    }
}

/// A chapter's pages follow each other, in the order of its manifest.
fn check_sequence(project: &Project, findings: &mut Vec<Finding>) {
    let entries = &project.summary.entries;
    let place = |path: &str| entries.iter().position(|entry| entry.path == path);
    for chapter in &project.chapters {
        for pair in chapter.pages.windows(2) {
            let (Some(before), Some(after)) = (place(&pair[0].path), place(&pair[1].path)) else {
                continue;
            };
            if after != before + 1 {
                findings.push(Finding::new(
                    summary::PATH,
                    entries[after].line,
                    format!("book/{} does not follow book/{}", pair[1].path, pair[0].path),
                    format!("keep the order of `pages` in {}", chapter.manifest),
                ));
            }
        }
    }
}
