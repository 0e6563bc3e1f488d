//! The workspace as the book sees it: chapters, versions, order.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context;

use crate::directive::{Maker, Stands, Takes};
use crate::exercise::Exercise;
use crate::files;
use crate::finding::{Finding, Problem, nearest};
use crate::glossary::Glossary;
use crate::manifest::{Chapter, Fault, Page, Run};
use crate::misconceptions::{self, Misconception};
use crate::questions::{self, Question};
use crate::results::Results;
use crate::source::Source;
use crate::summary::{self, Summary};
use crate::test_functions::{TestFunction, may_claim, test_functions};
use crate::versions::Versions;
use crate::wasm::Modules;

/// The nearest folder, upward from the current one, that holds a `book.toml`.
///
/// # Errors
/// There is none, or the current folder cannot be read.
pub fn find_root() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("the current folder cannot be read")?;
    let root = here.ancestors().find(|folder| folder.join("book.toml").is_file());
    root.map(PathBuf::from).with_context(|| {
        format!(
            "no book.toml in {} or above it: go into the repository, or give --root",
            here.display()
        )
    })
}
/// `{{#number SLUG}}`: a chapter's present number.
pub const NUMBER: Maker = Maker {
    name: "number",
    takes: Takes::One("quickstart"),
    stands: Stands::Anywhere,
    make: |asked| Ok(asked.project.number(asked.words)?.to_string().into()),
};

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
    /// What questions test.
    pub misconceptions: Vec<Misconception>,
    /// The questions of all pages.
    pub questions: Vec<Question>,
    /// What the book's words mean.
    pub glossary: Glossary,
    /// The exercises of all chapters.
    pub exercises: Vec<Exercise>,
    /// The tests with claims above them; of something else, only in a book that breaks a law.
    pub claims: Vec<TestFunction>,
    /// How the tests ended.
    pub results: Results,
    /// What readers try, compiled; none until a build does that.
    pub modules: Modules,
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
        let glossary = Glossary::read(root).unwrap_or_else(|finding| {
            findings.push(finding);
            Glossary::default()
        });
        let exercises = exercises(root, &chapters, &mut findings);
        let claims = claims(root, &chapters, &mut findings);
        let results = if claims.is_empty() { Results::default() } else { Results::read(root) };
        let misconceptions = misconceptions::load(root, &mut findings);
        let mut project = Project {
            root: root.to_owned(),
            chapters,
            versions,
            summary,
            misconceptions,
            questions: Vec::new(),
            glossary,
            exercises,
            claims,
            results,
            modules: Modules::default(),
        };
        // Last, since answers are found in recordings and texts name versions and commands.
        project.questions = questions::load(&project, &mut findings);
        (project, findings)
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

    /// The exercise that pages name so: `quickstart/forgotten`.
    pub fn exercise(&self, id: &str) -> Result<&Exercise, Problem> {
        self.exercises.iter().find(|exercise| exercise.id() == id).ok_or_else(|| {
            let ids: Vec<String> = self.exercises.iter().map(Exercise::id).collect();
            Problem::new(
                format!("there is no exercise `{id}`"),
                match nearest(id, ids.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "name a folder as `chapter/name`: chapters/CHAPTER/exercises/NAME/exercise.toml".into(),
                },
            )
        })
    }

    /// A fault that a chapter's manifest declares.
    pub fn fault(&self, chapter: &str, fault: &str) -> Result<&Fault, Problem> {
        let chapter = self.chapter(chapter)?;
        chapter.faults.iter().find(|declared| declared.name == fault).ok_or_else(|| {
            let names = chapter.faults.iter().map(|fault| fault.name.as_str());
            Problem::new(
                format!("chapter `{}` declares no fault `{fault}`", chapter.slug),
                match nearest(fault, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("add it to `faults` in {}", chapter.manifest),
                },
            )
        })
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

fn exercises(root: &Path, chapters: &[Chapter], findings: &mut Vec<Finding>) -> Vec<Exercise> {
    let mut exercises = Vec::new();
    for Chapter { slug, .. } in chapters {
        for name in folders(&root.join("chapters").join(slug).join("exercises")) {
            match Exercise::read(root, slug, &name) {
                Some(Ok(exercise)) => exercises.push(exercise),
                Some(Err(finding)) => findings.push(finding),
                None => {}
            }
        }
    }
    exercises
}

fn claims(root: &Path, chapters: &[Chapter], findings: &mut Vec<Finding>) -> Vec<TestFunction> {
    let mut claims = Vec::new();
    for chapter in chapters {
        let files = files::rust(root, &chapter.slug);
        for source in files.iter().filter(|source| may_claim(&source.text)) {
            match test_functions(chapter, source) {
                Ok(found) => claims.extend(found.into_iter().filter(|one| !one.claims.is_empty())),
                Err(finding) => findings.push(finding),
            }
        }
    }
    claims
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
