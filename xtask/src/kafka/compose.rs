//! The Docker kind: docker-compose.yml, by whichever Compose this machine has.

use std::process::Command;

use anyhow::Context;
use testbed::kind::Kind;

use super::kept::{Folder, Kept};
use crate::child;
use crate::project::Project;
use crate::say::Spinner;
use crate::tools;

/// Starts a profile, and waits until its health checks pass. What did not come up is taken down again.
pub fn up(project: &Project, folder: &Folder, profile: &str) -> anyhow::Result<Kept> {
    let services: &[&str] =
        if profile == "test" { &["kafka-1", "kafka-2", "kafka-3"] } else { &["kafka"] };
    let mut kept = Kept {
        kind: Kind::Docker,
        bootstrap: String::new(),
        version: Some(testbed::version::KAFKA.to_owned()),
        brokers: services.len() as u32,
        pid: None,
        logs: Vec::new(),
        profile: Some(profile.to_owned()),
    };
    let mut start = compose(project, profile)?;
    // Before anything is started: whatever ends this program then, `kafka down` knows what to end.
    folder.write(&kept)?;
    let addresses = child::check(start.args(["up", "--detach", "--wait"]))
        .context("docker-compose.yml does not come up: see above. `cargo xtask doctor` says whether Docker answers")
        .and_then(|()| services.iter().map(|one| address(project, profile, one)).collect());
    match addresses {
        Ok(addresses) => {
            let addresses: Vec<String> = addresses;
            kept.bootstrap = addresses.join(",");
            folder.write(&kept)?;
            Ok(kept)
        }
        Err(error) => {
            match down(project, &kept) {
                Ok(()) => folder.forget()?,
                Err(stays) => eprintln!(
                    "warning: {stays:#}. Containers may be left: cargo xtask kafka down, once Docker answers"
                ),
            }
            Err(error)
        }
    }
}

/// Ends the profile's containers, and removes what they kept. Without containers it does nothing.
pub fn down(project: &Project, kept: &Kept) -> anyhow::Result<()> {
    child::check(compose(project, profile(kept))?.args(["down", "--volumes"]))
}

/// Prints the end of the containers' output.
pub fn logs(project: &Project, kept: &Kept, lines: usize) -> anyhow::Result<()> {
    child::check(compose(project, profile(kept))?.args(["logs", "--tail", &lines.to_string()]))
}

/// True if a container of the profile runs; an error where Docker does not say.
pub fn is_running(project: &Project, kept: &Kept) -> anyhow::Result<bool> {
    let _spinner = Spinner::start("Asking Docker");
    let mut command = compose(project, profile(kept))?;
    let output = command.args(["ps", "--quiet"]).output().context("Compose does not start")?;
    anyhow::ensure!(
        output.status.success(),
        "a Kafka was started in Docker, and Docker does not say whether it runs: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(!output.stdout.trim_ascii().is_empty())
}

/// Compose with our file and a profile.
pub fn compose(project: &Project, profile: &str) -> anyhow::Result<Command> {
    let mut command = tools::compose().command()?;
    command.current_dir(&project.root);
    command.arg("--file").arg(project.root.join("docker-compose.yml")).args(["--profile", profile]);
    Ok(command)
}

fn address(project: &Project, profile: &str, service: &str) -> anyhow::Result<String> {
    let mut command = compose(project, profile)?;
    let output = command.args(["port", service, "9092"]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let address = text.lines().next().map(str::trim).filter(|line| line.contains(':'));
    address
        .map(str::to_owned)
        .with_context(|| format!("`{}` names no address", child::line(&command)))
}

fn profile(kept: &Kept) -> &str {
    kept.profile.as_deref().unwrap_or("dev")
}
