//! What a chapter's `Cargo.toml` says about its pages and runs.

use serde::Deserialize;
use toml::Spanned;

use crate::finding::Finding;
use crate::source::Source;
use crate::tries::Try;

/// A crate under `chapters/`.
#[derive(Debug, Clone)]
pub struct Chapter {
    /// The name of its folder, and of the crate.
    pub slug: String,
    /// The path of its manifest.
    pub manifest: String,
    /// Its title in `SUMMARY.md`.
    pub title: String,
    /// The line of `[package.metadata.chapter]`.
    pub line: usize,
    /// Its pages; the first is the chapter's.
    pub pages: Vec<Page>,
    /// Its runs; the first is the default.
    pub runs: Vec<Run>,
    /// What goes wrong in it, each provoked by a test.
    pub faults: Vec<Fault>,
    /// Its programs and integration tests, as far as the manifest names them.
    pub targets: Vec<Target>,
    /// What its pages let a reader try.
    pub tries: Vec<Try>,
    /// What it depends on directly.
    pub dependencies: Vec<String>,
    /// The oldest Rust that compiles it.
    pub rust_version: Option<String>,
}

/// A page of a chapter.
#[derive(Debug, Clone)]
pub struct Page {
    /// The path of the Markdown file from the book's folder.
    pub path: String,
    /// The line of the manifest that names it.
    pub line: usize,
    /// The question that it answers.
    pub question: String,
    /// How long it takes to read and to do.
    pub minutes: u32,
    /// The slug of the chapter to know first.
    pub first: Option<String>,
    /// The glossary's terms that it introduces.
    pub terms: Vec<String>,
}

/// A run that a reader can start; xtask reads the rest of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Run {
    /// Its name in the chapter.
    pub name: String,
    /// What a page calls it, where its name does not say enough.
    pub title: Option<String>,
    /// What happens in it, in one sentence.
    #[serde(default)]
    pub about: String,
    /// The binary or example.
    #[serde(default)]
    pub program: String,
    /// Arguments that it is always given.
    #[serde(default)]
    pub args: Vec<String>,
    /// Topics that are made first, as `name:partitions`.
    #[serde(default)]
    pub topics: Vec<String>,
    /// What it asks of a broker.
    #[serde(default)]
    pub needs: Vec<String>,
    /// True if its program starts its own cluster.
    #[serde(default)]
    pub owns_cluster: bool,
}

impl Run {
    /// What a page calls it.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }
}

/// Something that goes wrong in a chapter, and that the reader can cause.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Its name in the chapter.
    pub name: String,
    /// The line of the manifest.
    pub line: usize,
    /// The chapter's run that causes it.
    pub run: String,
    /// What one sees.
    pub symptom: String,
    /// Why it happens.
    pub cause: String,
    /// What to do about it.
    pub fix: String,
    /// The heading that explains it: `first-steps/quickstart.md#sent-10-is-not-sent`.
    pub step: String,
    /// The test that provokes it, by the end of its name.
    pub test: String,
}

/// A program or an integration test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What Cargo makes of it.
    pub kind: TargetKind,
    /// Its name.
    pub name: String,
    /// Its main file, from the chapter's folder.
    pub path: String,
}

/// The kinds of target that Cargo selects by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// `[[bin]]`
    Bin,
    /// `[[example]]`
    Example,
    /// `[[test]]`
    Test,
    /// `[[bench]]`
    Bench,
}

#[derive(Deserialize)]
struct File {
    package: Package,
    #[serde(default)]
    bin: Vec<TargetTable>,
    #[serde(default)]
    example: Vec<TargetTable>,
    #[serde(default)]
    test: Vec<TargetTable>,
    #[serde(default)]
    bench: Vec<TargetTable>,
    #[serde(default)]
    dependencies: toml::Table,
    #[serde(default, rename = "dev-dependencies")]
    dev_dependencies: toml::Table,
}

#[derive(Deserialize)]
struct TargetTable {
    name: String,
    #[serde(default)]
    path: String,
}

#[derive(Deserialize)]
struct Package {
    #[serde(rename = "rust-version")]
    rust_version: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
struct Metadata {
    chapter: Option<Spanned<ChapterTable>>,
}

#[derive(Deserialize)]
struct ChapterTable {
    #[serde(default)]
    title: String,
    #[serde(default)]
    pages: Vec<Spanned<PageTable>>,
    #[serde(default)]
    runs: Vec<Run>,
    #[serde(default)]
    faults: Vec<Spanned<FaultTable>>,
    #[serde(default, rename = "try")]
    tries: Vec<Spanned<Try>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultTable {
    name: String,
    run: String,
    symptom: String,
    cause: String,
    fix: String,
    step: String,
    test: String,
}

#[derive(Deserialize)]
struct PageTable {
    path: String,
    question: String,
    minutes: u32,
    first: Option<String>,
    #[serde(default)]
    terms: Vec<String>,
}

impl Chapter {
    /// Reads the manifest of the chapter in folder `slug`.
    pub fn parse(slug: &str, source: &Source) -> Result<Chapter, Finding> {
        let file: File = toml::from_str(&source.text).map_err(|error| {
            let line = error.span().map_or(1, |span| source.line(span.start));
            Finding::new(&source.path, line, error.message(), "correct the manifest")
        })?;
        let Some(chapter) = file.package.metadata.chapter else {
            return Err(Finding::new(
                &source.path,
                1,
                "a crate under chapters/ with no `[package.metadata.chapter]`",
                "add title, pages and runs, or move the crate to xtask/",
            ));
        };
        let line = source.line(chapter.span().start);
        let chapter = chapter.into_inner();
        let pages = chapter.pages.into_iter().map(|page| {
            let line = source.line(page.span().start);
            let PageTable { path, question, minutes, first, terms } = page.into_inner();
            Page { path, line, question, minutes, first, terms }
        });
        let faults = chapter.faults.into_iter().map(|fault| {
            let line = source.line(fault.span().start);
            let FaultTable { name, run, symptom, cause, fix, step, test } = fault.into_inner();
            Fault { name, line, run, symptom, cause, fix, step, test }
        });
        let tries = chapter.tries.into_iter().map(|declared| {
            let line = source.line(declared.span().start);
            Try { line, ..declared.into_inner() }
        });
        let targets = [
            (TargetKind::Bin, file.bin),
            (TargetKind::Example, file.example),
            (TargetKind::Test, file.test),
            (TargetKind::Bench, file.bench),
        ];
        let targets = targets.into_iter().flat_map(|(kind, tables)| {
            tables.into_iter().map(move |TargetTable { name, path }| Target { kind, name, path })
        });
        let dependencies = file.dependencies.keys().chain(file.dev_dependencies.keys());
        Ok(Chapter {
            slug: slug.to_owned(),
            manifest: source.path.clone(),
            title: chapter.title,
            line,
            pages: pages.collect(),
            runs: chapter.runs,
            faults: faults.collect(),
            targets: targets.collect(),
            tries: tries.collect(),
            dependencies: dependencies.cloned().collect(),
            rust_version: file.package.rust_version,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_know_their_line() {
        let text = r#"[package]
name = "a"
rust-version = "1.95"

[package.metadata.chapter]
title = "A"
pages = [
  { path = "x/a.md", question = "Why?", minutes = 9, terms = ["record"], first = "b" },
]
runs = [{ name = "r", program = "a_run", about = "It runs.", topics = ["orders:1"] }]

[dependencies]
serde = "1"
"#;
        let chapter = Chapter::parse("a", &Source::new("chapters/a/Cargo.toml", text)).unwrap();
        assert_eq!((chapter.line, chapter.pages[0].line), (5, 8));
        assert_eq!(chapter.pages[0].first.as_deref(), Some("b"));
        assert_eq!(chapter.runs[0].about, "It runs.");
        assert_eq!(chapter.dependencies, ["serde"]);
    }

    #[test]
    fn a_broken_manifest_is_a_finding_with_its_line() {
        let source = Source::new("chapters/a/Cargo.toml", "[package]\nname = \n");
        let finding = Chapter::parse("a", &source).unwrap_err();
        assert_eq!((finding.line, finding.mend.as_str()), (2, "correct the manifest"));
        let none = Source::new("chapters/a/Cargo.toml", "[package]\nname = \"a\"\n");
        let finding = Chapter::parse("a", &none).unwrap_err();
        assert!(finding.what.contains("no `[package.metadata.chapter]`"), "{finding}");
    }
}
