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
use crate::foot;
use crate::project::Project;
use crate::repository::Repository;
use crate::source::Source;
use crate::summary;
use crate::wasm::Modules;

/// How a build ended.
#[derive(Debug)]
pub enum Outcome {
    /// The book is there.
    Built(Built),
    /// Nothing was built, or a page came out wrong.
    Refused(Vec<Finding>),
}

/// A book that was built.
#[derive(Debug)]
pub struct Built {
    /// The folder that holds `index.html`.
    pub folder: PathBuf,
    /// The sizes of what was compiled for its pages, a line each.
    pub sizes: Vec<String>,
    /// What it lacks, and the command that mends it.
    pub left_out: Option<String>,
}

/// Builds the book of the workspace at `root`.
///
/// # Errors
/// What mdBook itself cannot do: read `book.toml`, write the output. What readers try, where it does not compile.
pub fn build(root: &Path) -> Result<Outcome> {
    write(root, None, None)
}

/// Builds the book into `folder`, for a server that shows it at `/`.
///
/// # Errors
/// As [`build`].
pub fn build_into(root: &Path, folder: &Path) -> Result<Outcome> {
    write(root, Some(folder), None)
}

/// Builds the book, and beside it puts the documentation of the crates from the folder `api`.
///
/// # Errors
/// As [`build`]; and the documentation cannot be copied.
pub fn build_beside(root: &Path, api: Option<&Path>) -> Result<Outcome> {
    write(root, None, api)
}

fn write(root: &Path, served: Option<&Path>, api: Option<&Path>) -> Result<Outcome> {
    let (mut project, mut findings) = Project::load(root);
    project.modules = Modules::build(&project)?;
    findings.append(&mut project.modules.findings);
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
    if let Some(folder) = served {
        book.config.build.build_dir = folder.to_owned();
        // The page of "not found" is shown at any address, so its links begin here.
        book.config.set("output.html.site-url", "/")?;
    }
    let (pages_folder, folder) = (book.source_dir(), book.build_dir_for("html"));
    let literals: Vec<(String, usize)> =
        pages.iter().map(|(path, page)| (path.clone(), page.literals)).collect();
    book.with_preprocessor(Pages(pages));
    let (built, complaints) = complaints::during(|| book.build());
    built.context("mdBook cannot build the book")?;
    remove_sources(&pages_folder, &folder).context("cannot tidy up the built book")?;
    project.modules.write(&folder)?;
    if let Some(api) = api {
        foot::copy_api(api, &folder)?;
    }
    foot::write(&project, &Repository::find(root), &folder)?;
    let mut findings = leftovers(&folder, &literals);
    // mdBook warns of broken HTML and carries on; a warning that nobody reads is a broken page.
    findings.extend(complaints.into_iter().map(|what| {
        Finding::new("book.toml", 1, format!("mdBook warns: {what}"), "correct the page it names")
    }));
    if !findings.is_empty() {
        return Ok(Outcome::Refused(findings));
    }
    let (sizes, left_out) = (project.modules.sizes(), project.modules.left_out.take());
    Ok(Outcome::Built(Built { folder, sizes, left_out }))
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

/// Folders of the book's source that no reader needs: scripts and styles stand in the book a second time, under the
/// names that pages link to.
const SOURCES: [&str; 3] = ["diagrams", "theme", "widgets"];

/// mdBook copies every file that lies beside the pages. Those that pages are made from go again, one by one as they
/// lie in the book's source: what mdBook itself adds stays, and with it the licences of its fonts.
fn remove_sources(pages: &Path, folder: &Path) -> std::io::Result<()> {
    for name in SOURCES {
        if pages.join(name).is_dir() {
            unless_absent(std::fs::remove_dir_all(folder.join(name)))?;
        }
    }
    remove_declarations(pages, folder)
}

fn remove_declarations(pages: &Path, folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(pages)? {
        let entry = entry?;
        let name = PathBuf::from(entry.file_name());
        let built = folder.join(&name);
        if entry.file_type()?.is_dir() {
            remove_declarations(&entry.path(), &built)?;
        } else if name.extension().is_some_and(|kind| kind == "toml" || kind == "txt") {
            unless_absent(std::fs::remove_file(built))?;
        }
    }
    Ok(())
}

fn unless_absent(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
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
