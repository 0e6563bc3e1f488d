//! The files that claims and laws are read from.

use std::fs;
use std::path::Path;

use crate::diagram::FOLDER;
use crate::questions::ENDING;
use crate::source::Source;

/// Folders that hold nothing of the book: output, tools, and books that break a law on purpose.
const SKIPPED: [&str; 6] =
    [".git", "target", "build", "node_modules", "xtask/book/tests", "xtask/tests"];

/// Files that are read for anchors; the others are data.
const CODE: [&str; 22] = [
    "avsc",
    "c",
    "cfg",
    "conf",
    "css",
    "env",
    "hcl",
    "html",
    "java",
    "js",
    "json",
    "properties",
    "proto",
    "py",
    "rs",
    "sh",
    "sql",
    "tf",
    "toml",
    "tpl",
    "yaml",
    "yml",
];

/// Every Markdown file of the book but its summary, sorted by path.
pub fn pages(root: &Path) -> Vec<Source> {
    let markdown = |path: &str| path.ends_with(".md") && path != crate::summary::PATH;
    read(root, "book", markdown)
}

/// Every file of questions, sorted by path.
pub fn questions(root: &Path) -> Vec<Source> {
    read(root, "book", |path| path.ends_with(ENDING))
}

/// Every file in which an anchor can stand, sorted by path.
pub fn code(root: &Path) -> Vec<Source> {
    let known = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name.rsplit_once('.') {
            Some((_, extension)) => CODE.contains(&extension),
            None => true,
        }
    };
    read(root, "", known)
}

/// The Rust files of a chapter's crate, sorted by path; exercises are crates of their own.
pub fn rust(root: &Path, chapter: &str) -> Vec<Source> {
    let folders = ["src", "tests", "examples", "benches"];
    let folders = folders.map(|folder| format!("chapters/{chapter}/{folder}"));
    folders.iter().flat_map(|folder| read(root, folder, |path| path.ends_with(".rs"))).collect()
}

/// The files of the book's diagrams with this ending, sorted by path.
pub fn diagrams(root: &Path, ending: &str) -> Vec<Source> {
    read(root, FOLDER, |path| path.ends_with(&format!(".{ending}")))
}

fn read(root: &Path, below: &str, wanted: impl Fn(&str) -> bool) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(below)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let Some(relative) = relative(root, &path) else { continue };
            // A link may lead round in a circle or out of the workspace.
            if path.is_symlink() || SKIPPED.contains(&relative.as_str()) {
                continue;
            }
            if path.is_dir() {
                // What a tool can make again, such as another target folder, says so itself.
                if !path.join("CACHEDIR.TAG").exists() {
                    folders.push(path);
                }
            } else if path.is_file()
                && wanted(&relative)
                && let Ok(source) = Source::read(root, &relative)
            {
                found.push(source);
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn relative(root: &Path, path: &Path) -> Option<String> {
    let parts = path.strip_prefix(root).ok()?.components();
    let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
    Some(parts.join("/"))
}
