//! Building an exercise's check and running it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::workbench::CHECK;
use crate::cargo;
use crate::child;
use crate::copy::manifest;
use crate::project::Project;
use crate::say::Spinner;

/// How a check came out. What was seen has been printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All that the task asks for is there.
    Passed,
    /// The check saw something else.
    Failed,
    /// There was nothing to run.
    DoesNotCompile,
}

/// Checks the copy in `folder`.
pub fn run(project: &Project, folder: &Path) -> anyhow::Result<Verdict> {
    match build(project, folder)? {
        Some(program) if child::passes(&mut command(&program, folder))? => Ok(Verdict::Passed),
        Some(_) => Ok(Verdict::Failed),
        None => Ok(Verdict::DoesNotCompile),
    }
}

/// The check's program; none where the code does not compile, which Cargo has said in its own words.
pub fn build(project: &Project, folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let target = project.target_dir();
    let mut cargo = cargo::cargo(project);
    cargo.current_dir(folder).env("CARGO_TARGET_DIR", &target);
    cargo.args(["test", "--no-run", "--test", CHECK]);
    // The first build may have to compile what the exercise uses: then Cargo shows how far it is.
    let _spinner = if is_built(folder) {
        cargo.arg("--quiet");
        Some(Spinner::start("Compiling"))
    } else {
        None
    };
    let Some(built) = cargo::try_build(&mut cargo)? else { return Ok(None) };
    let check = built.into_iter().find(|one| one.target == CHECK && one.is_test);
    Ok(Some(check.context("the build made no check: see the exercise's check/main.rs")?.executable))
}

/// True if Cargo has seen this project: it has added the package to the lock file that came along.
fn is_built(folder: &Path) -> bool {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let name = manifest::package_name(&read("Cargo.toml")).unwrap_or_default();
    read("Cargo.lock").contains(&format!("name = {name:?}\n"))
}

/// The command that runs a check on what stands in `folder`.
pub fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    command
}
