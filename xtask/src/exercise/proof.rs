//! The proof that the exercises are what they say: each starter fails for its stated reason, each solution passes.

use std::path::Path;
use std::process::Output;
use std::time::Instant;

use anyhow::Context;
use regex_lite::Regex;

use super::catalog::{Catalog, Exercise};
use super::{check, workbench};
use crate::cargo;
use crate::child;
use crate::copy::files;
use crate::project::Project;
use crate::say::count;

/// Lays out every exercise, or those of one chapter, below `target/exercises`, twice, and holds both to what is said of them.
///
/// Both are formatted and linted as all other code is: a reader learns from them.
pub fn prove(project: &Project, lints: &[&str], chapter: Option<&str>) -> anyhow::Result<bool> {
    let top = project.target_dir().join("exercises");
    if top.exists() {
        std::fs::remove_dir_all(&top)
            .with_context(|| format!("{} cannot be removed", top.display()))?;
    }
    let root = project.root.canonicalize().context("the repository cannot be read")?;
    let root = root.to_string_lossy();
    let mut wrong = 0;
    let catalog = Catalog::read(project)?;
    let of_chapter = |exercise: &&Exercise| chapter.is_none_or(|slug| exercise.slug == slug);
    for exercise in catalog.iter().filter(of_chapter) {
        let lay_out = |variant: &str| {
            let name = format!("{}-{variant}", exercise.copy_name());
            let folder = top.join(&name);
            let package = workbench::Package { name, version: 1 };
            workbench::lay_out(project, exercise, &folder, &package, &root).map(|()| folder)
        };
        let (starter, solution) = (lay_out("starter")?, lay_out("solution")?);
        solve(exercise, &solution)?;

        for (name, folder, judge) in
            [("starter", &starter, fails as Judge), ("solution", &solution, passes as Judge)]
        {
            let built = Instant::now();
            let checked = observe(project, folder)?;
            let complaint = match checked {
                Some((output, seconds)) => {
                    eprintln!(
                        "{} {name}: built in {:.1} s, checked in {seconds:.1} s",
                        exercise.id,
                        built.elapsed().as_secs_f64() - seconds
                    );
                    judge(exercise, &output)
                }
                None => Some("it does not compile".to_owned()),
            };
            if let Some(complaint) = complaint {
                eprintln!("error: {} {name}: {complaint}", exercise.id);
                wrong += 1;
            } else if let Err(error) = lint(project, folder, lints) {
                if error.is::<child::Stopped>() {
                    return Err(error);
                }
                eprintln!("error: {} {name}: {error:#}", exercise.id);
                wrong += 1;
            }
        }
    }
    if wrong > 0 {
        eprintln!("error: {} to mend", count(wrong, "thing"));
    }
    Ok(wrong == 0)
}

type Judge = fn(&Exercise, &Output) -> Option<String>;

/// Writes the solution's files over the starter's.
fn solve(exercise: &Exercise, folder: &Path) -> anyhow::Result<()> {
    let solution = exercise.folder.join("solution");
    for path in files::below(&solution)? {
        let to = folder.join(&path);
        files::create(to.parent().unwrap_or(folder))?;
        std::fs::copy(solution.join(&path), &to)
            .with_context(|| format!("{} cannot be written", to.display()))?;
    }
    Ok(())
}

/// What the check prints, and its seconds; none where the code does not compile.
fn observe(project: &Project, folder: &Path) -> anyhow::Result<Option<(Output, f64)>> {
    let Some(program) = check::build(project, folder)? else { return Ok(None) };
    let start = Instant::now();
    let output = check::command(&program, folder).output().context("the check does not start")?;
    Ok(Some((output, start.elapsed().as_secs_f64())))
}

fn fails(exercise: &Exercise, output: &Output) -> Option<String> {
    let said = said(output);
    if output.status.success() {
        return Some(format!("passes, so there is nothing to do:\n{said}"));
    }
    let wanted = &exercise.says.fails_with;
    let found = Regex::new(wanted).is_ok_and(|wanted| wanted.is_match(&said));
    (!found).then(|| format!("fails with something else than fails_with = {wanted:?}:\n{said}"))
}

fn passes(_: &Exercise, output: &Output) -> Option<String> {
    (!output.status.success()).then(|| format!("fails ({}):\n{}", output.status, said(output)))
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

/// The laws of all other code: the format of the chapters, and no warning.
fn lint(project: &Project, folder: &Path, lints: &[&str]) -> anyhow::Result<()> {
    let cargo = |verb: &str| {
        let mut command = cargo::cargo(project);
        command.current_dir(folder).env("CARGO_TARGET_DIR", project.target_dir()).arg(verb);
        command
    };
    let mut fmt = cargo("fmt");
    fmt.args(["--check", "--", "--config-path"]).arg(project.root.join("chapters"));
    child::check(&mut fmt)?;
    let mut clippy = cargo("clippy");
    clippy.args(["--quiet", "--all-targets", "--"]);
    for lint in lints {
        clippy.args(["-D", lint]);
    }
    child::check(&mut clippy)
}
