//! Cargo, as a child.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::project::Project;

/// A program or test that a build made, as Cargo's JSON messages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The target's name.
    pub target: String,
    /// The folder of its package.
    pub package: PathBuf,
    /// True for a test harness, false for the program itself.
    pub is_test: bool,
    /// Where it lies.
    pub executable: PathBuf,
}

/// The Cargo that runs this tool, in the repository's top folder.
///
/// What Cargo told this process about the package `xtask` is taken off: build scripts that look at
/// such variables would run again.
pub fn cargo(project: &Project) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&project.root);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_")
            || name.starts_with("CARGO_MANIFEST_")
            || name.starts_with("CARGO_BIN_")
        {
            command.env_remove(&*name);
        }
    }
    if let Some(folder) = &project.built_in {
        command.env("CARGO_TARGET_DIR", folder);
    }
    command
}

/// Runs a `cargo build` or `cargo test --no-run`, and gives what it made.
///
/// Diagnostics and Cargo's own progress go to the terminal as ever.
pub fn build(command: &mut Command) -> anyhow::Result<Vec<Built>> {
    try_build(command)?
        .context("the build failed: see above. `cargo xtask doctor` says what this machine lacks")
}

/// As [`build`], and none where the code does not compile: in an exercise that is no surprise.
pub fn try_build(command: &mut Command) -> anyhow::Result<Option<Vec<Built>>> {
    command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let mut child = command.spawn().context("cargo does not start")?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let mut built = Vec::new();
    for line in BufReader::new(stdout).lines() {
        built.extend(artifact(&line?));
    }
    Ok(child.wait()?.success().then_some(built))
}

/// The program `name` among what was built.
pub fn program<'a>(built: &'a [Built], name: &str) -> anyhow::Result<&'a PathBuf> {
    built
        .iter()
        .find(|one| one.target == name && !one.is_test)
        .map(|one| &one.executable)
        .with_context(|| format!("the build made no program {name:?}: is it a [[bin]] or [[example]] of its manifest?"))
}

/// True if `cargo nextest` can be run.
pub fn has_nextest() -> bool {
    testbed::machine::on_path("cargo-nextest").is_some()
        || std::env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
            .is_some_and(|home| home.join("bin").join("cargo-nextest").is_file())
}

fn artifact(line: &str) -> Option<Built> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    if message.get("reason")? != "compiler-artifact" {
        return None;
    }
    let manifest = PathBuf::from(message.get("manifest_path")?.as_str()?);
    Some(Built {
        target: message.get("target")?.get("name")?.as_str()?.to_owned(),
        package: manifest.parent()?.to_owned(),
        is_test: message.get("profile")?.get("test")?.as_bool()?,
        executable: message.get("executable")?.as_str()?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_read_from_messages_and_the_rest_is_passed_over() {
        let message = r#"{"reason":"compiler-artifact","manifest_path":"/r/chapters/a/Cargo.toml",
            "target":{"name":"a_run","kind":["example"]},"profile":{"test":false},"executable":"/r/target/debug/examples/a_run"}"#;
        let built = artifact(message).unwrap();
        assert_eq!(built.executable, PathBuf::from("/r/target/debug/examples/a_run"));
        assert_eq!(built.package, PathBuf::from("/r/chapters/a"));
        assert_eq!(artifact(r#"{"reason":"build-finished","success":true}"#), None);
        let library = message.replace("\"/r/target/debug/examples/a_run\"", "null");
        assert_eq!(artifact(&library), None);
        assert!(
            program(&[built], "b_run").unwrap_err().to_string().contains("no program \"b_run\"")
        );
    }
}
