//! The workspace as the book sees it: chapters, versions, order.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::finding::{Finding, Problem, nearest};
use crate::manifest::{Chapter, Page, Run};
use crate::source::Source;
use crate::summary::{self, Summary};
use crate::versions::Versions;

/// Everything that pages are made from.
#[derive(Debug, Clone)]
pub struct Project {
    /// The workspace's root.
    pub root: PathBuf,
    /// The crates under `chapters/`, by slug.
    pub chapters: Vec<Chapter>,
    /// The versions that pages may name.
    pub versions: Versions,
    /// The book's order.
    pub summary: Summary,
}

impl Project {
    /// Reads the workspace at `root`; what cannot be read is a finding and is left out.
    pub fn load(root: &Path) -> (Project, Vec<Finding>) {
        let mut findings = Vec::new();
        let mut chapters = Vec::new();
        for slug in folders(&root.join("chapters")) {
            let manifest = format!("chapters/{slug}/Cargo.toml");
            let Some(source) = needed(root, &manifest, &mut findings) else { continue };
            match Chapter::parse(&slug, &source) {
                Ok(chapter) => chapters.push(chapter),
                Err(finding) => findings.push(finding),
            }
        }
        let manifest = needed(root, "Cargo.toml", &mut findings);
        let lock = needed(root, "Cargo.lock", &mut findings);
        let versions = match (manifest, lock) {
            (Some(manifest), Some(lock)) => Versions::collect(&manifest, &lock, &chapters)
                .unwrap_or_else(|finding| {
                    findings.push(finding);
                    Versions::default()
                }),
            _ => Versions::default(),
        };
        let summary = needed(root, summary::PATH, &mut findings);
        let summary = summary.map(|source| Summary::parse(&source)).unwrap_or_default();
        (Project { root: root.to_owned(), chapters, versions, summary }, findings)
    }

    /// The chapter with this slug.
    pub fn chapter(&self, slug: &str) -> Result<&Chapter, Problem> {
        let found = self.chapters.iter().find(|chapter| chapter.slug == slug);
        found.ok_or_else(|| {
            let slugs = self.chapters.iter().map(|chapter| chapter.slug.as_str());
            let mend = match nearest(slug, slugs) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "use the name of a folder under chapters/".into(),
            };
            Problem::new(format!("there is no chapter `{slug}`"), mend)
        })
    }

    /// A chapter's number: the place of its first page among those of all chapters.
    pub fn number(&self, slug: &str) -> Result<usize, Problem> {
        let chapter = self.chapter(slug)?;
        let first = |path: &str| {
            let mut pages = self.chapters.iter().filter_map(|chapter| chapter.pages.first());
            pages.any(|page| page.path == path)
        };
        let mut numbered = self.summary.entries.iter().filter(|entry| first(&entry.path));
        let path = chapter.pages.first().map(|page| page.path.as_str());
        match path.and_then(|path| numbered.position(|entry| entry.path == path)) {
            Some(place) => Ok(place + 1),
            None => Err(Problem::new(
                format!("chapter `{slug}` has no number"),
                format!("name its first page in {}", summary::PATH),
            )),
        }
    }

    /// The chapter and the page whose file has this path in the book's folder.
    pub fn page(&self, path: &str) -> Option<(&Chapter, &Page)> {
        let mut pages = self.chapters.iter().flat_map(|c| c.pages.iter().map(move |p| (c, p)));
        pages.find(|(_, page)| page.path == path)
    }

    /// A run that a chapter's manifest declares.
    pub fn run(&self, chapter: &str, run: &str) -> Result<&Run, Problem> {
        let chapter = self.chapter(chapter)?;
        chapter.runs.iter().find(|declared| declared.name == run).ok_or_else(|| {
            let names: Vec<&str> = chapter.runs.iter().map(|run| run.name.as_str()).collect();
            Problem::new(
                format!("chapter `{}` declares no run `{run}`", chapter.slug),
                match nearest(run, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("add it to `runs` in {}", chapter.manifest),
                },
            )
        })
    }
}

fn needed(root: &Path, path: &str, findings: &mut Vec<Finding>) -> Option<Source> {
    match Source::read(root, path) {
        Ok(source) => Some(source),
        Err(error) => {
            let what = match error.kind() {
                io::ErrorKind::NotFound => "this file is missing".to_owned(),
                _ => format!("this file cannot be read ({error})"),
            };
            findings.push(Finding::new(path, 1, what, "the book is made from it: add it"));
            None
        }
    }
}

/// The names of the folders in `path`, sorted; none if there is no such folder.
fn folders(path: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
