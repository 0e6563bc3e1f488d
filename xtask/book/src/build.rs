//! The book as HTML, by mdBook with one preprocessor of our own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mdbook_driver::MDBook;
use mdbook_driver::book::{Book, BookItem};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::complaints;
use crate::directive::OPEN;
use crate::expand::{Expanded, expand};
use crate::finding::Finding;
use crate::project::Project;
use crate::source::Source;
use crate::summary;

/// How a build ended.
#[derive(Debug)]
pub enum Outcome {
    /// The folder that holds `index.html`.
    Built(PathBuf),
    /// Nothing was built, or a page came out wrong.
    Refused(Vec<Finding>),
}

/// Builds the book of the workspace at `root`.
///
/// # Errors
/// What mdBook itself cannot do: read `book.toml`, write the output.
pub fn build(root: &Path) -> Result<Outcome> {
    let (project, mut findings) = Project::load(root);
    let mut pages = BTreeMap::new();
    for entry in &project.summary.entries {
        match Source::read(root, &format!("book/{}", entry.path)) {
            Ok(source) => {
                let mut expanded = expand(&project, &source);
                findings.append(&mut expanded.findings);
                pages.insert(entry.path.clone(), expanded);
            }
            Err(error) => findings.push(Finding::new(
                summary::PATH,
                entry.line,
                format!("page book/{} cannot be read ({error})", entry.path),
                "write it or remove this line",
            )),
        }
    }
    if !findings.is_empty() {
        findings.sort();
        findings.dedup();
        return Ok(Outcome::Refused(findings));
    }
    let mut book = MDBook::load(root).context("mdBook cannot load the book")?;
    let folder = book.build_dir_for("html");
    let literals: Vec<(String, usize)> =
        pages.iter().map(|(path, page)| (path.clone(), page.literals)).collect();
    book.with_preprocessor(Pages(pages));
    let (built, complaints) = complaints::during(|| book.build());
    built.context("mdBook cannot build the book")?;
    let mut findings = leftovers(&folder, &literals);
    // mdBook warns of broken HTML and carries on; a warning that nobody reads is a broken page.
    findings.extend(complaints.into_iter().map(|what| {
        Finding::new("book.toml", 1, format!("mdBook warns: {what}"), "correct the page it names")
    }));
    Ok(if findings.is_empty() { Outcome::Built(folder) } else { Outcome::Refused(findings) })
}

/// The preprocessor: gives mdBook our pages instead of the files.
struct Pages(BTreeMap<String, Expanded>);

impl Preprocessor for Pages {
    fn name(&self) -> &str {
        "pages"
    }

    fn run(&self, _context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        book.for_each_mut(|item| {
            if let BookItem::Chapter(chapter) = item
                && let Some(path) = chapter.source_path.as_ref()
                && let Some(page) = self.0.get(&*path.to_string_lossy())
            {
                chapter.content.clone_from(&page.markdown);
            }
        });
        Ok(book)
    }
}

/// Raw directives that reached a reader.
fn leftovers(folder: &Path, literals: &[(String, usize)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, meant) in literals {
        let html = Path::new(path).with_extension("html");
        let shown = std::fs::read_to_string(folder.join(&html)).unwrap_or_default();
        let found = shown.matches(OPEN).count();
        if found > *meant {
            findings.push(Finding::new(
                format!("book/{path}"),
                1,
                format!("the built page shows {found} raw `{OPEN}`, {meant} are meant"),
                "escape the others with a backslash or correct them",
            ));
        }
    }
    findings
}
