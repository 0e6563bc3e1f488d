//! What a reader types first, on a machine that has neither Java nor Docker: the first run, and a Kafka kept for play.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use super::{Context, Outcome};
use crate::project::Project;

/// What such a machine lacks.
const HIDDEN: [&str; 4] = ["java", "mvn", "docker", "docker-compose"];

/// The file that the first page shows, and the test of the first program holds it to.
const EXPECTED: &str = "tests/it/output/first.txt";

/// Runs both; nothing is built but what that reader builds.
pub fn prove(context: &Context<'_>) -> anyhow::Result<Outcome> {
    let project = context.project;
    if project.target_dir().join("kafka").join("state.json").exists() {
        let why = "a Kafka is kept running (cargo xtask kafka down)";
        return Ok(Outcome::LeftOut(why.to_owned()));
    }
    let first = project.chapters.first().context("there is no chapter")?;
    let path = first.folder.join(EXPECTED);
    let expected = std::fs::read_to_string(&path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let machine = Machine::new(project)?;

    let printed = machine.xtask(&["run", "chapter", "1"])?;
    anyhow::ensure!(
        printed == expected,
        "`cargo xtask run chapter 1` prints something else than {}:\n{printed}",
        path.display()
    );
    eprintln!("run chapter 1: as its page shows");

    machine.xtask(&["kafka", "up"])?;
    let played = play(&machine, &expected);
    let ended = machine.xtask(&["kafka", "down"]);
    played?;
    ended?;
    anyhow::ensure!(machine.xtask(&["kafka", "status"]).is_err(), "it is said to run after `down`");
    eprintln!("kafka up, status, down: the built-in broker, and the command that it names works");
    Ok(Outcome::Passed)
}

/// The command that `status` names works.
fn play(machine: &Machine<'_>, expected: &str) -> anyhow::Result<()> {
    let status = machine.xtask(&["kafka", "status"])?;
    anyhow::ensure!(status.starts_with("Running: built in"), "{status}");
    let command = status
        .lines()
        .find_map(|line| line.strip_prefix("Use it:")?.trim().strip_prefix("cargo xtask "))
        .with_context(|| format!("`kafka status` names no command:\n{status}"))?;
    let printed = machine.xtask(&command.split(' ').collect::<Vec<_>>())?;
    // It chose the number of partitions itself, so the order may lie in another.
    let last = |text: &str| text.lines().last().map(str::to_owned);
    anyhow::ensure!(last(&printed) == last(expected), "`{command}` printed:\n{printed}");
    Ok(())
}

/// This one, without what is hidden.
struct Machine<'a> {
    project: &'a Project,
    path: OsString,
}

impl Machine<'_> {
    fn new(project: &Project) -> anyhow::Result<Machine<'_>> {
        let aside = project.target_dir().join("ci").join("path");
        if aside.exists() {
            std::fs::remove_dir_all(&aside)
                .with_context(|| format!("{} cannot be removed", aside.display()))?;
        }
        let path = std::env::var_os("PATH").context("there is no PATH")?;
        Ok(Machine { project, path: without_hidden(&path, &aside)? })
    }

    /// What this program prints there; an error where it fails.
    fn xtask(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let this = std::env::current_exe().context("this program cannot find itself")?;
        let mut command = Command::new(this);
        command
            .args(arguments)
            .current_dir(&self.project.root)
            .env("PATH", &self.path)
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
            .env("NO_COLOR", "1")
            .env_remove("JAVA_HOME")
            .env_remove("KAFKA_BROKERS")
            .env_remove("LOG_FORMAT")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stderr(Stdio::inherit());
        let output = command.output().context("this program does not start")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let words = arguments.join(" ");
        anyhow::ensure!(output.status.success(), "`{words}` failed ({}):\n{text}", output.status);
        Ok(text)
    }
}

/// The PATH with each folder that holds something hidden replaced by one below `aside` with links to all the rest:
/// Java lies beside the compiler.
fn without_hidden(path: &OsString, aside: &Path) -> anyhow::Result<OsString> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for (at, folder) in std::env::split_paths(path).enumerate() {
        if !HIDDEN.iter().any(|name| folder.join(name).exists()) {
            folders.push(folder);
            continue;
        }
        let rest = aside.join(at.to_string());
        std::fs::create_dir_all(&rest)
            .with_context(|| format!("{} cannot be made", rest.display()))?;
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("{} cannot be read", folder.display()))?;
        for entry in entries {
            let name = entry?.file_name();
            if !HIDDEN.iter().any(|hidden| name == *hidden) {
                std::os::unix::fs::symlink(folder.join(&name), rest.join(&name))
                    .with_context(|| format!("{} cannot be filled", rest.display()))?;
            }
        }
        folders.push(rest);
    }
    std::env::join_paths(folders).context("a folder of the PATH holds a colon")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beside_java_stays() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for file in ["usr/java", "usr/mvn", "usr/cc", "cargo/cargo"] {
            std::fs::create_dir_all(at(file).parent().unwrap()).unwrap();
            std::fs::write(at(file), "").unwrap();
        }
        let path = std::env::join_paths([at("cargo"), at("usr"), at("gone")]).unwrap();
        let path = without_hidden(&path, &at("aside")).unwrap();
        let found = |name: &str| std::env::split_paths(&path).any(|one| one.join(name).exists());
        assert!(found("cc") && found("cargo"));
        assert!(!found("java") && !found("mvn"));
        assert_eq!(std::env::split_paths(&path).next(), Some(at("cargo")));
    }
}
