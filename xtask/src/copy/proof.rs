//! The proof that `copy` works: each chapter alone in both forms, and all of them in one project.
//!
//! Compiling a chapter alone finds a feature that it borrowed from a neighbour.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{Arrived, as_workspace, cargo_in, files, into_project, manifest};
use crate::cargo;
use crate::child;
use crate::project::Project;
use crate::suite;

/// Copies, checks and tests every chapter below `target/copies`.
pub fn prove(project: &Project) -> anyhow::Result<()> {
    let top = project.target_dir().join("copies");
    if top.exists() {
        std::fs::remove_dir_all(&top)
            .with_context(|| format!("{} cannot be removed", top.display()))?;
    }
    files::create(&top)?;
    for chapter in &project.chapters {
        eprintln!("{}: a workspace of its own", chapter.slug);
        let own = top.join("own").join(&chapter.slug);
        as_workspace(project, chapter, &own)?;
        check(project, &own, &["check", "-p", &chapter.slug, "--all-targets"])?;

        eprintln!("{}: a library in a project", chapter.slug);
        let host = Host::new(project, top.join("library").join(&chapter.slug))?;
        host.add(&into_project(project, chapter, &host.folder, &host.folder, false)?)?;
        check(project, &host.folder, &["check", "--workspace", "--all-targets"])?;
    }
    eprintln!("all chapters in one project, tested");
    let host = Host::new(project, top.join("together"))?;
    for chapter in &project.chapters {
        if !host.folder.join(&chapter.slug).exists() {
            host.add(&into_project(project, chapter, &host.folder, &host.folder, true)?)?;
        }
    }
    test(project, &host.folder)
}

/// A Cargo project as a reader might have one, with our lock file so that it builds offline.
struct Host {
    folder: PathBuf,
}

impl Host {
    fn new(project: &Project, folder: PathBuf) -> anyhow::Result<Host> {
        files::create(&folder.join("src"))?;
        files::write(&folder.join("src").join("lib.rs"), "")?;
        let ours = files::read(&project.root.join("Cargo.toml"))?;
        let package = "\n[package]\nname = \"host\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n";
        files::write(&folder.join("Cargo.toml"), &(manifest::workspace(&ours, &[])? + package))?;
        files::copy_if_there(&project.root.join("Cargo.lock"), &folder.join("Cargo.lock"))?;
        Ok(Host { folder })
    }

    /// Does what the printed message asks a reader to do.
    fn add(&self, arrived: &Arrived) -> anyhow::Result<()> {
        let path = self.folder.join("Cargo.toml");
        let text =
            manifest::add(&files::read(&path)?, &arrived.members, arrived.dependency_line())?;
        std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
    }
}

fn check(project: &Project, folder: &Path, words: &[&str]) -> anyhow::Result<()> {
    let mut command = cargo_in(project, folder, words);
    // The same folder of results for all: what the registry gave is compiled once.
    child::check(command.arg("--quiet").env("CARGO_TARGET_DIR", project.target_dir()))
}

/// Unit tests, and integration tests on the built-in broker: what a reader has at once.
fn test(project: &Project, folder: &Path) -> anyhow::Result<()> {
    let left_out: Vec<suite::LeftOut> =
        suite::MODULES.into_iter().map(|module| suite::LeftOut { module, reason: None }).collect();
    let mut command;
    if cargo::has_nextest() {
        command = cargo_in(project, folder, &["nextest", "run", "--workspace"]);
        if let Some(filter) = suite::nextest_filter(None, &left_out) {
            command.args(["-E", &filter]);
        }
    } else {
        command = cargo_in(project, folder, &["test", "--workspace", "--all-targets"]);
        command.arg("--").args(suite::libtest_skips(&left_out));
    }
    child::check(command.env("CARGO_TARGET_DIR", project.target_dir()))
}
