//! The built-in and the local kind: `testbed up`, which owns the brokers, in a process group of its own.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testbed::kind::Kind;

use super::kept::{Folder, Kept, tail};
use crate::cargo;
use crate::child::Stop;
use crate::project::Project;
use crate::run;
use crate::say::Spinner;

/// Three brokers on a busy machine need 8 s; this is where to give up, not what to expect.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a file or a process is looked at.
const STEP: Duration = Duration::from_millis(50);

/// Starts a cluster that stays, and waits until it answers.
pub fn up(project: &Project, folder: &Folder, kind: Kind, brokers: u32) -> anyhow::Result<Kept> {
    let built = run::build_testbed(project, kind)?;
    up_with(cargo::program(&built, "testbed")?, folder, kind, brokers)
}

/// The same with a `testbed` that is built.
pub fn up_with(testbed: &Path, folder: &Folder, kind: Kind, brokers: u32) -> anyhow::Result<Kept> {
    folder.create()?;
    // Appended to: should two owners begin at the same moment, neither overwrites what the other says.
    let output = File::options()
        .create(true)
        .append(true)
        .open(folder.output())
        .and_then(|file| file.set_len(0).map(|()| file))
        .with_context(|| format!("{} cannot be written", folder.output().display()))?;
    let stop = Stop::watch()?;
    let mut owner = Command::new(testbed)
        .args(["up", "--broker", kind.word(), "--brokers", &brokers.to_string(), "--state"])
        .arg(folder.state())
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        // Ctrl-C in this terminal is not meant for it.
        .process_group(0)
        .spawn()
        .context("testbed does not start")?;
    let _spinner = Spinner::start(format!("Starting Kafka, {}", kind.label()));
    let kept = wait_for(folder, &mut owner, &stop);
    // From here on a second Ctrl-C ends this program at once.
    drop(stop);
    if kept.is_err()
        && let Err(stays) = end(&mut owner)
    {
        eprintln!("warning: {stays:#}");
    }
    kept
}

/// Waits until the owner says where its cluster is; an error where it ends, takes too long, or a signal comes.
fn wait_for(folder: &Folder, owner: &mut Child, stop: &Stop) -> anyhow::Result<Kept> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        stop.check()?;
        // Another owner may have begun at the same moment, and been faster: then this one ends.
        if let Some(kept) = folder.read()?.filter(|kept| kept.pid == Some(owner.id())) {
            return Ok(kept);
        }
        if let Some(status) = owner.try_wait()? {
            anyhow::bail!("Kafka did not start ({status}):\n{}", tail(&folder.output(), 20));
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "Kafka did not answer within {PATIENCE:?}:\n{}",
            tail(&folder.output(), 20)
        );
        thread::sleep(STEP);
    }
}

/// Ends an owner whose cluster nobody will use, and waits until it has ended: it is remembered nowhere.
fn end(owner: &mut Child) -> anyhow::Result<()> {
    // One that has ended is no longer known by its number.
    if owner.try_wait()?.is_none() {
        terminate(owner.id())?;
    }
    let deadline = Instant::now() + PATIENCE;
    while owner.try_wait()?.is_none() {
        anyhow::ensure!(
            Instant::now() < deadline,
            "process {pid} has not ended within {PATIENCE:?}. End it: kill -9 {pid}",
            pid = owner.id()
        );
        thread::sleep(STEP);
    }
    Ok(())
}

/// Tells the owner to end, and waits until it has.
pub fn down(folder: &Folder, kept: &Kept) -> anyhow::Result<()> {
    let Some(pid) = kept.pid else { return Ok(()) };
    let _spinner = Spinner::start("Ending Kafka");
    terminate(pid)?;
    let deadline = Instant::now() + PATIENCE;
    while is_ours(folder, kept) {
        anyhow::ensure!(
            Instant::now() < deadline,
            "process {pid} has not ended within {PATIENCE:?}; its output is in {}. End it: kill -9 {pid}",
            folder.output().display()
        );
        thread::sleep(STEP);
    }
    Ok(())
}

/// Prints the end of each broker's log; the built-in broker has none but what its owner prints.
pub fn logs(folder: &Folder, kept: &Kept, lines: usize) -> anyhow::Result<()> {
    let output = folder.output();
    let files: Vec<&Path> = match kept.logs[..] {
        [] => vec![&output],
        _ => kept.logs.iter().map(|path| path.as_path()).collect(),
    };
    for file in files {
        println!("==> {} <==\n{}", file.display(), tail(file, lines));
    }
    Ok(())
}

/// True if the remembered process runs, and is the one that writes this folder's state.
///
/// Process ids are used again: a number alone would in time end a stranger.
pub fn is_ours(folder: &Folder, kept: &Kept) -> bool {
    let Some(command) = kept.pid.and_then(command_line) else { return false };
    command.contains("testbed") && command.contains(&*folder.state().to_string_lossy())
}

fn terminate(pid: u32) -> anyhow::Result<()> {
    let pid = Pid::from_raw(i32::try_from(pid).context("a process id is a small number")?);
    match kill(pid, Signal::SIGTERM) {
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("process {pid} cannot be told to end")),
    }
}

/// The command line of a running process; `None` if there is none, or it has ended and waits for its parent.
fn command_line(pid: u32) -> Option<String> {
    if let Ok(bytes) = std::fs::read(format!("/proc/{pid}/cmdline")) {
        let words = String::from_utf8_lossy(&bytes).replace('\0', " ");
        return (!words.trim().is_empty()).then_some(words);
    }
    // macOS has no /proc.
    crate::tools::first_line("ps", &["-ww", "-o", "command=", "-p", &pid.to_string()])
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;

    use super::*;
    use crate::project::Project;

    #[test]
    fn a_stranger_with_the_same_number_is_not_ours() {
        let project = Project { root: "/nowhere".into(), chapters: Vec::new(), built_in: None };
        let folder = Folder::of(&project);
        let mut kept = Kept {
            kind: Kind::Local,
            bootstrap: String::new(),
            version: None,
            brokers: 1,
            pid: Some(std::process::id()),
            logs: Vec::new(),
            profile: None,
        };
        assert!(command_line(std::process::id()).is_some());
        assert!(!is_ours(&folder, &kept));
        kept.pid = None;
        assert!(!is_ours(&folder, &kept));
    }

    #[test]
    fn a_process_is_ours_by_its_state_file() {
        let project = Project { root: "/nowhere".into(), chapters: Vec::new(), built_in: None };
        let folder = Folder::of(&project);
        let mut owner = Command::new("sh")
            .args(["-c", "echo here; read line", "testbed"])
            .arg(folder.state())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // A process that has just been made has no command line for a moment.
        let mut line = String::new();
        std::io::BufReader::new(owner.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let kept = Kept {
            kind: Kind::Embedded,
            bootstrap: String::new(),
            version: None,
            brokers: 1,
            pid: Some(owner.id()),
            logs: Vec::new(),
            profile: None,
        };
        assert!(is_ours(&folder, &kept));
        terminate(owner.id()).unwrap();
        owner.wait().unwrap();
        assert!(!is_ours(&folder, &kept));
        terminate(owner.id()).unwrap();
    }
}
