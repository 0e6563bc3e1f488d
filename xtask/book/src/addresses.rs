//! The addresses under which pages were ever published: none of them may go dead.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::project::Project;

/// Where they are listed, one a line, in alphabetical order.
pub const FILE: &str = "book/addresses.txt";

/// The address of a page, from the book's own.
pub fn of_page(path: &str) -> String {
    path.strip_suffix(".md").map_or_else(|| path.to_owned(), |stem| format!("{stem}.html"))
}

/// The addresses of the present pages.
pub fn present(project: &Project) -> BTreeSet<String> {
    let book = project.root.join("book");
    let written = project.summary.entries.iter().filter(|entry| book.join(&entry.path).is_file());
    written.map(|entry| of_page(&entry.path)).collect()
}

/// Adds the present pages to the list, and returns what was added.
///
/// # Errors
/// The list cannot be read or written.
pub fn list(root: &Path) -> Result<Vec<String>> {
    let (project, _) = Project::load(root);
    let path = root.join(FILE);
    let old = match fs::read_to_string(&path) {
        Ok(old) => old,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("{FILE} cannot be read")),
    };
    let listed: BTreeSet<String> = old.lines().map(|line| line.trim().to_owned()).collect();
    let present = present(&project);
    let added = present.difference(&listed).cloned().collect();
    let all = listed.union(&present).filter(|line| !line.is_empty());
    let new: String = all.map(|line| format!("{line}\n")).collect();
    if new != old {
        fs::write(&path, new).with_context(|| format!("{FILE} cannot be written"))?;
    }
    Ok(added)
}
