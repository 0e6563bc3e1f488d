//! The repository: where it is, its chapters and their order.

mod chapter;
mod lookup;
mod summary;

use std::path::{Path, PathBuf};

use anyhow::Context;

pub use chapter::{Chapter, FOUNDATIONS, Fault, Run, Target, TargetKind};
pub use lookup::{nearest, without_the_word_chapter};
pub use summary::Summary;

/// The repository this tool works on.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its top folder.
    pub root: PathBuf,
    /// The chapters in the order of the book; those not in `SUMMARY.md` come last, without a number.
    pub chapters: Vec<Chapter>,
    /// Where a copy of this repository is built: into the folder of the one that it was made from,
    /// so that nothing is compiled twice.
    pub built_in: Option<PathBuf>,
}

impl Project {
    /// Finds the repository around the current folder, else the one that this program was built in.
    pub fn find() -> anyhow::Result<Project> {
        let here = std::env::current_dir().context("the current folder cannot be read")?;
        let built_in = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = here
            .ancestors()
            .chain(built_in.iter().flat_map(|folder| folder.ancestors()))
            .find(|folder| folder.join("chapters").is_dir() && folder.join("xtask").is_dir())
            .context(
                "no repository with chapters/ and xtask/ around this folder: go into your clone",
            )?;
        Project::open(root)
    }

    /// Reads the chapters of the repository at `root`.
    pub fn open(root: &Path) -> anyhow::Result<Project> {
        let summary_path = root.join("book").join("SUMMARY.md");
        let summary = match std::fs::read_to_string(&summary_path) {
            Ok(text) => Summary::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Summary::default(),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("{} cannot be read", summary_path.display()));
            }
        };
        let folder = root.join("chapters");
        let mut chapters = Vec::new();
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("{} cannot be read", folder.display()))?;
        for entry in entries {
            let manifest = entry?.path().join("Cargo.toml");
            if manifest.is_file() {
                chapters.push(Chapter::read(&manifest)?);
            }
        }
        Ok(Project::assemble(root, summary, chapters))
    }

    /// Puts chapters in the order of the book and numbers them.
    pub fn assemble(root: &Path, summary: Summary, mut chapters: Vec<Chapter>) -> Project {
        let place = |chapter: &Chapter| {
            let page = chapter.pages.first()?;
            summary.pages.iter().position(|path| *path == page.path)
        };
        chapters
            .sort_by_key(|chapter| (place(chapter).unwrap_or(usize::MAX), chapter.slug.clone()));
        for (at, chapter) in chapters.iter_mut().enumerate() {
            chapter.number = place(chapter).map(|_| at + 1);
        }
        Project { root: root.to_owned(), chapters, built_in: None }
    }

    /// The folder of build results: `$CARGO_TARGET_DIR`, else `target`.
    pub fn target_dir(&self) -> PathBuf {
        if let Some(folder) = &self.built_in {
            return folder.clone();
        }
        match std::env::var_os("CARGO_TARGET_DIR").filter(|path| !path.is_empty()) {
            Some(path) => self.root.join(path),
            None => self.root.join("target"),
        }
    }
}
