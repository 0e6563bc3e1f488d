//! The proof that `new` works: in a copy of this repository a new chapter is formatted, compiles without a warning,
//! passes its tests, can be recorded, has a page and an exercise as every chapter has, and breaks no law but that it
//! waits to be written.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context;

use super::Args;
use crate::cargo;
use crate::child;
use crate::exercise;
use crate::project::Project;
use crate::record;
use crate::tidy;

/// Longer than any in this book: a name decides where a line of code is broken.
const SLUG: &str = "a-name-of-many-letters";

/// What the copy needs.
const COPIED: [&str; 4] = ["chapters", "xtask", "book", ".config"];

/// Makes the copy below `target/copies`, and a chapter in it; `book` is the program that checks pages.
pub fn prove(project: &Project, book: &Path, lints: &[&str]) -> anyhow::Result<()> {
    let root = project.target_dir().join("copies").join("repository");
    if root.exists() {
        fs::remove_dir_all(&root)
            .with_context(|| format!("{} cannot be removed", root.display()))?;
    }
    for name in COPIED {
        copy(&project.root.join(name), &root.join(name))?;
    }
    for entry in fs::read_dir(&project.root)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), root.join(entry.file_name()))?;
        }
    }
    let before = tidy::check(&Project::open(&root)?)?;
    let args = Args { slug: SLUG.to_owned(), part: None, title: None };
    super::run(&Project::open(&root)?, args)?;

    let new: Vec<_> = tidy::check(&Project::open(&root)?)?;
    let new: Vec<_> = new.into_iter().filter(|finding| !before.contains(finding)).collect();
    anyhow::ensure!(
        new.iter().any(|finding| finding.is_unwritten()),
        "tidy does not see that the chapter is unwritten"
    );
    if let Some(finding) = new.iter().find(|finding| !finding.is_unwritten()) {
        anyhow::bail!("a new chapter breaks a law: {finding}");
    }
    let new = Project { built_in: Some(project.target_dir()), ..Project::open(&root)? };
    child::check(cargo::cargo(&new).args(["fmt", "--check", "-p", SLUG]))?;
    let mut clippy = cargo::cargo(&new);
    clippy.args(["clippy", "--all-targets", "--quiet", "--offline", "-p", SLUG, "--"]);
    for lint in lints {
        clippy.args(["-D", lint]);
    }
    child::check(&mut clippy)?;
    child::check(cargo::cargo(&new).args(["test", "--quiet", "--offline", "-p", SLUG]))?;
    anyhow::ensure!(
        record::run(&new, record::Args::of(SLUG))? == ExitCode::SUCCESS,
        "the run of a new chapter cannot be recorded"
    );
    child::check(Command::new(book).arg("check").arg("--root").arg(&root))
        .context("the pages of a new chapter break a law")?;
    anyhow::ensure!(
        exercise::prove(&new, lints, Some(SLUG))?,
        "the exercise of a new chapter is not what it says"
    );
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("{} cannot be made", to.display()))?;
    let entries =
        fs::read_dir(from).with_context(|| format!("{} cannot be read", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_name() == "target" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
