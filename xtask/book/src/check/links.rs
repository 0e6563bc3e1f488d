//! Links lead somewhere; those to other sites are not fetched.

use std::path::Path;

use super::Page;
use crate::finding::{Finding, Problem, nearest};
use crate::source::{folder, resolve};

/// Looks at every link of every page.
pub fn check(root: &Path, pages: &[Page], findings: &mut Vec<Finding>) {
    for page in pages {
        let mut report = |offset: usize, problem: Problem| {
            findings.push(problem.at(&page.source.path, page.source.line(offset)));
        };
        for link in &page.outline.links {
            if let Err(problem) = follow(root, pages, page, &link.target) {
                report(link.range.start, problem);
            }
        }
        for range in &page.outline.undefined {
            let text = &page.source.text[range.clone()];
            let what = format!("link `{text}` has no target");
            report(
                range.start,
                Problem::new(what, "define the reference, or write `[text](page.md)`"),
            );
        }
    }
}

/// Whether `target`, as a page links to it, leads somewhere.
pub fn follow(root: &Path, pages: &[Page], page: &Page, target: &str) -> Result<(), Problem> {
    if target.contains("://") || target.starts_with("mailto:") || target.starts_with("data:") {
        return Ok(());
    }
    let (path, fragment) = match target.split_once('#') {
        Some((path, fragment)) => (path, Some(fragment)),
        None => (target, None),
    };
    if path.is_empty() {
        return fragment.map_or(Ok(()), |fragment| heading(page, fragment));
    }
    let dead = |mend: String| Problem::new(format!("dead link `{target}`"), mend);
    if path.starts_with('/') {
        return Err(dead("begin it at this page: the book may stand below any address".into()));
    }
    let Some(file) = resolve(folder(&page.source.path), path) else {
        return Err(dead("it leads out of the workspace".into()));
    };
    if let Some(linked) = pages.iter().find(|other| other.source.path == file) {
        return fragment.map_or(Ok(()), |fragment| heading(linked, fragment));
    }
    if root.join(&file).exists() {
        return Ok(());
    }
    let paths = || pages.iter().map(|page| page.source.path.as_str());
    let written = file.strip_suffix(".html").map(|stem| format!("{stem}.md"));
    if written.is_some_and(|written| paths().any(|path| path == written)) {
        return Err(dead("link to the .md file".into()));
    }
    // Another page of nearly this name, in whatever folder.
    let name = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        name.trim_end_matches(".md").to_owned()
    };
    let names: Vec<String> = paths().map(name).collect();
    let near = nearest(&name(&file), names.iter().map(String::as_str));
    let near = near.and_then(|near| paths().find(|path| name(path) == near));
    Err(dead(match near {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there is no {file}"),
    }))
}

fn heading(page: &Page, fragment: &str) -> Result<(), Problem> {
    if page.shown.has_id(fragment) {
        return Ok(());
    }
    let ids = page.shown.headings.iter().map(|heading| heading.id.as_str());
    let mend = match nearest(fragment, ids) {
        Some(near) => format!("did you mean `#{near}`?"),
        None => "link to one of its headings".into(),
    };
    Err(Problem::new(format!("{} has no heading `#{fragment}`", page.source.path), mend))
}
