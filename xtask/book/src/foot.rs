//! What stands below every page: of which state it was made, under which licences, where its
//! source is.
//!
//! The foot is put into the finished HTML: in the page's text, every search for "Kafka" would find
//! it on every page.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::markdown::escape_html;
use crate::project::Project;
use crate::repository::Repository;
use crate::source::relative;

/// The folder of the built book that holds the documentation of the crates.
pub const API: &str = "api";

/// The end of a page's text in mdBook's HTML.
const END: &str = "</main>";

/// Writes the foot into every page of the book in `folder`, and into the one that is printed.
///
/// # Errors
/// A page cannot be read or written, or has no end.
pub fn write(project: &Project, repository: &Repository, folder: &Path) -> Result<()> {
    let stamp = stamp(project, repository);
    let mut feet: Vec<(PathBuf, String)> = Vec::new();
    for (at, entry) in project.summary.entries.iter().enumerate() {
        let foot = foot(&stamp, &links(project, repository, folder, &entry.path));
        let page = folder.join(Path::new(&entry.path).with_extension("html"));
        // mdBook shows the first page at the book's own address too.
        if at == 0 {
            let index = folder.join("index.html");
            if index != page {
                feet.push((index, foot.clone()));
            }
        }
        feet.push((page, foot));
    }
    let print = folder.join("print.html");
    if print.exists() {
        feet.push((print, foot(&stamp, &[])));
    }
    for (path, foot) in feet {
        let shown = path.display();
        let html = fs::read_to_string(&path).with_context(|| format!("{shown} cannot be read"))?;
        let end = html.rfind(END).with_context(|| format!("{shown} has no `{END}`"))?;
        let html = format!("{}{foot}{}", &html[..end], &html[end..]);
        fs::write(&path, html).with_context(|| format!("{shown} cannot be written"))?;
    }
    Ok(())
}

fn foot(stamp: &[String], links: &[(String, &str)]) -> String {
    let links: Vec<String> = links
        .iter()
        .map(|(target, text)| format!("<a href=\"{}\">{text}</a>", escape_html(target)))
        .collect();
    let links = match links.is_empty() {
        true => String::new(),
        false => format!("<p class=\"page-links\">{}</p>\n", links.join(" · ")),
    };
    let licences = "Code: MIT or Apache-2.0, as you like. Text: CC BY 4.0.";
    format!(
        "<footer class=\"page-foot\">\n{links}<p class=\"stamp\">{}</p>\n\
         <p class=\"licences\">{licences}</p>\n</footer>\n",
        stamp.join(" · ")
    )
}

/// Of what this copy of the book was made. The date is the commit's, so that the same commit makes
/// the same pages.
fn stamp(project: &Project, repository: &Repository) -> Vec<String> {
    let mut stamp = Vec::new();
    if let Some(commit) = &repository.commit {
        let changed = if commit.changed { " with uncommitted changes" } else { "" };
        stamp.push(format!("Commit {}{changed}", escape_html(commit.short())));
        stamp.push(format!("<time>{}</time>", escape_html(&commit.date)));
    }
    let names = [("Kafka", "kafka"), ("librdkafka", "librdkafka"), ("rdkafka", "rdkafka")];
    for (shown, name) in names {
        if let Ok(version) = project.versions.get(name) {
            stamp.push(format!("{shown} {}", escape_html(version)));
        }
    }
    stamp
}

/// Where a page leads beyond the book; an address that is not known is not made up.
fn links(
    project: &Project,
    repository: &Repository,
    folder: &Path,
    page: &str,
) -> Vec<(String, &'static str)> {
    let mut links = Vec::new();
    if let Some(edit) = repository.edit(&format!("book/{page}")) {
        links.push((edit, "Edit this page"));
    }
    let Some((chapter, _)) = project.page(page) else { return links };
    if let Some(tree) = repository.tree(&format!("chapters/{}", chapter.slug)) {
        links.push((tree, "Source of this chapter"));
    }
    let api = format!("{API}/{}/index.html", chapter.slug.replace('-', "_"));
    if folder.join(&api).is_file() {
        links.push((relative(page, &api), "API of its crate"));
    }
    links
}

/// Copies the documentation of the crates beside the book, where the pages link to it.
///
/// # Errors
/// A file cannot be read or written.
pub fn copy_api(from: &Path, folder: &Path) -> Result<()> {
    copy(from, &folder.join(API))
        .with_context(|| format!("{} cannot be copied to the book", from.display()))
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
