//! A chapter, as its `Cargo.toml` describes it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;
use testbed::needs::Needs;

/// Chapters that others may depend on, as their tests do.
pub const FOUNDATIONS: [&str; 3] = ["events", "logging", "testbed"];

/// One crate below `chapters/`.
#[derive(Debug, Clone)]
pub struct Chapter {
    /// The name of its folder and of its package.
    pub slug: String,
    /// Its place in the book, from 1; `None` where `SUMMARY.md` does not name its page.
    pub number: Option<usize>,
    /// Its folder.
    pub folder: PathBuf,
    /// Its title.
    pub title: String,
    /// One sentence, from the package's description.
    pub description: String,
    /// Its pages; the first is the chapter's own.
    pub pages: Vec<Page>,
    /// What can be run; the first is the default.
    pub runs: Vec<Run>,
    /// What goes wrong in it, and how to cause that.
    pub faults: Vec<Fault>,
    /// False where it is all Kafka, and has no part that a browser could run.
    pub core: bool,
    /// The names of its Cargo features.
    pub features: Vec<String>,
    /// Its programs, tests and benches.
    pub targets: Vec<Target>,
}

/// A page of the book that belongs to a chapter.
#[derive(Debug, Clone, Deserialize)]
pub struct Page {
    /// The path below `book/`.
    pub path: String,
    /// What it answers.
    #[serde(default)]
    pub question: String,
    /// Minutes to read and do it.
    #[serde(default)]
    pub minutes: u32,
}

/// A program that a reader can run, and what it asks of a Kafka.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Its name within the chapter.
    pub name: String,
    /// What a page calls it, where its name does not say enough.
    pub title: Option<String>,
    /// The binary or example.
    pub program: String,
    /// One sentence.
    #[serde(default)]
    pub about: String,
    /// Arguments that it is always given.
    #[serde(default)]
    pub args: Vec<String>,
    /// What it asks of a cluster.
    #[serde(default)]
    pub needs: Needs,
    /// Topics to create first, as `name:partitions`.
    #[serde(default)]
    pub topics: Vec<String>,
    /// True if the book shows a recording of it.
    #[serde(default)]
    pub recorded: bool,
    /// True if the program starts its cluster itself.
    #[serde(default)]
    pub owns_cluster: bool,
}

impl Run {
    /// What happens in it, behind the title that its page gives it.
    pub fn says(&self) -> String {
        match &self.title {
            Some(title) => format!("{title}: {}", self.about),
            None => self.about.clone(),
        }
    }
}

/// Something that goes wrong, which a reader can cause. The test that provokes it is read by the book alone.
#[derive(Debug, Clone, Deserialize)]
pub struct Fault {
    /// Its name within the chapter.
    pub name: String,
    /// The run that causes it.
    pub run: String,
    /// What is seen.
    pub symptom: String,
    /// Why it happens.
    pub cause: String,
    /// What to do against it.
    pub fix: String,
    /// The step of a page that explains it: a path below `book/`, and a heading.
    pub step: String,
}

/// A Cargo target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name, unique in the workspace.
    pub name: String,
    /// What Cargo makes of it.
    pub kind: TargetKind,
    /// Its first file, from the chapter's folder.
    pub path: String,
}

/// The kinds of target that are selected by name.
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

impl TargetKind {
    /// Cargo's flag that selects a target of this kind by name.
    pub fn flag(self) -> &'static str {
        match self {
            TargetKind::Bin => "--bin",
            TargetKind::Example => "--example",
            TargetKind::Test => "--test",
            TargetKind::Bench => "--bench",
        }
    }

    /// Where Cargo looks for a target whose manifest gives no path.
    fn folder(self) -> &'static str {
        match self {
            TargetKind::Bin => "src/bin",
            TargetKind::Example => "examples",
            TargetKind::Test => "tests",
            TargetKind::Bench => "benches",
        }
    }
}

/// The file of the program that bears the package's name.
const MAIN: &str = "src/main.rs";

#[derive(Deserialize)]
struct Manifest {
    package: Package,
    #[serde(default)]
    features: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    bin: Vec<NamedTarget>,
    #[serde(default)]
    example: Vec<NamedTarget>,
    #[serde(default)]
    test: Vec<NamedTarget>,
    #[serde(default)]
    bench: Vec<NamedTarget>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
struct Metadata {
    #[serde(default)]
    chapter: ChapterTable,
}

#[derive(Deserialize, Default)]
struct ChapterTable {
    #[serde(default)]
    title: String,
    #[serde(default)]
    pages: Vec<Page>,
    #[serde(default)]
    runs: Vec<Run>,
    #[serde(default)]
    faults: Vec<Fault>,
    core: Option<bool>,
}

#[derive(Deserialize)]
struct NamedTarget {
    name: String,
    path: Option<String>,
}

impl Chapter {
    /// Reads a chapter's manifest.
    pub fn read(manifest: &Path) -> anyhow::Result<Chapter> {
        let text = std::fs::read_to_string(manifest)
            .with_context(|| format!("{} cannot be read", manifest.display()))?;
        let folder = manifest.parent().unwrap_or(Path::new("."));
        Chapter::parse(&text, folder)
            .with_context(|| format!("{} is not right: correct it", manifest.display()))
    }

    /// Reads the text of the manifest in `folder`.
    pub fn parse(text: &str, folder: &Path) -> anyhow::Result<Chapter> {
        let manifest: Manifest = toml_edit::de::from_str(text)?;
        let chapter = manifest.package.metadata.chapter;
        let of = |kind: TargetKind, targets: Vec<NamedTarget>| {
            let own = manifest.package.name.clone();
            targets.into_iter().map(move |NamedTarget { name, path }| {
                let path = path.unwrap_or_else(|| match kind {
                    TargetKind::Bin if name == own => MAIN.to_owned(),
                    _ => format!("{}/{name}.rs", kind.folder()),
                });
                Target { name, kind, path }
            })
        };
        let mut targets: Vec<Target> = of(TargetKind::Bin, manifest.bin)
            .chain(of(TargetKind::Example, manifest.example))
            .chain(of(TargetKind::Test, manifest.test))
            .chain(of(TargetKind::Bench, manifest.bench))
            .collect();
        // A src/main.rs without a [[bin]] is a program with the package's name.
        let has_bin = targets.iter().any(|target| target.kind == TargetKind::Bin);
        if !has_bin && folder.join("src").join("main.rs").is_file() {
            let (name, path) = (manifest.package.name.clone(), MAIN.to_owned());
            targets.push(Target { name, kind: TargetKind::Bin, path });
        }
        Ok(Chapter {
            slug: manifest.package.name,
            number: None,
            folder: folder.to_owned(),
            title: chapter.title,
            description: manifest.package.description,
            pages: chapter.pages,
            runs: chapter.runs,
            faults: chapter.faults,
            core: chapter.core.unwrap_or(true),
            features: manifest.features.into_keys().collect(),
            targets,
        })
    }

    /// True if other chapters build on it.
    pub fn is_foundation(&self) -> bool {
        FOUNDATIONS.contains(&self.slug.as_str())
    }

    /// The target of this kind with this name.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// The names of its targets of one kind.
    pub fn targets_of(&self, kind: TargetKind) -> impl Iterator<Item = &str> {
        self.targets
            .iter()
            .filter(move |target| target.kind == kind)
            .map(|target| target.name.as_str())
    }

    /// True if it has a library.
    pub fn has_lib(&self) -> bool {
        self.folder.join("src").join("lib.rs").is_file()
    }

    /// Its question: that of its first page.
    pub fn question(&self) -> &str {
        self.pages.first().map_or("", |page| &page.question)
    }

    /// Minutes for all of its pages.
    pub fn minutes(&self) -> u32 {
        self.pages.iter().map(|page| page.minutes).sum()
    }

    /// `3`, or `–` where it has no place in the book.
    pub fn number_text(&self) -> String {
        self.number.map_or("–".to_owned(), |number| number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
[package]
name = "producers"
description = "Sending."

[package.metadata.chapter]
title = "Producers"
pages = [
  { path = "a/producers.md", question = "Who has it?", minutes = 12, terms = ["acks"] },
  { path = "a/producers/more.md", question = "And then?", minutes = 8 },
]
runs = [{ name = "send", program = "producers_run", needs = ["txn", "brokers=3"], topics = ["orders:6"] }]

[features]
default = ["kafka"]
kafka = []

[[example]]
name = "producers_run"

[[test]]
name = "producers_it"
"#;

    #[test]
    fn a_manifest_gives_pages_runs_and_targets() {
        let chapter = Chapter::parse(MANIFEST, Path::new("chapters/producers")).unwrap();
        assert_eq!((chapter.question(), chapter.minutes()), ("Who has it?", 20));
        assert_eq!(chapter.runs[0].needs.to_string(), "brokers=3, txn");
        assert_eq!(chapter.target("producers_run").unwrap().kind, TargetKind::Example);
        assert_eq!(chapter.features, ["default", "kafka"]);
        assert!(chapter.core);
        let program = MANIFEST.replace("title =", "core = false\ntitle =");
        assert!(!Chapter::parse(&program, Path::new(".")).unwrap().core);
        let run = Run { about: "It sends.".into(), ..chapter.runs[0].clone() };
        assert_eq!(run.says(), "It sends.");
        let titled = Run { title: Some("Kill the leader".into()), ..run };
        assert_eq!(titled.says(), "Kill the leader: It sends.");
    }

    #[test]
    fn an_unknown_need_and_an_unknown_key_are_refused() {
        let wrong = MANIFEST.replace("\"txn\"", "\"teleport\"");
        let error = Chapter::parse(&wrong, Path::new(".")).unwrap_err();
        assert!(error.to_string().contains("unknown need \"teleport\""), "{error}");
        let wrong = MANIFEST.replace("topics =", "topic =");
        let error = Chapter::parse(&wrong, Path::new(".")).unwrap_err();
        assert!(error.to_string().contains("unknown field `topic`"), "{error}");
    }
}
