//! The process between the server and a run: it ends the run when the server lets go.
//!
//! The server holds the writing end of this process's standard input and never writes. A page that
//! is closed, Stop, the server's own end, even one by SIGKILL: each closes the pipe, and what follows
//! is the same. A run is ended as Ctrl-C in a terminal ends it, by SIGINT to its process group, so that
//! the chapter's program flushes and leaves its group; what has not ended after a while is killed.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How long a run may take to end in order: a client flushes and leaves, a broker stops.
pub const GRACE: Duration = Duration::from_secs(10);

/// How often the group of an ended command is looked at; no system call waits for a group.
const LOOK: Duration = Duration::from_millis(10);

enum Came {
    /// Standard input ended.
    LetGo,
    /// The command ended.
    Ended(std::io::Result<ExitStatus>),
}

/// Runs `command` in a process group of its own, until it ends or standard input does.
///
/// Gives the command's exit code, or 128 + N where signal N ended it. When this returns, no process
/// of the group is left.
///
/// # Errors
/// The command does not start.
pub fn hold(command: &[String], grace: Duration) -> Result<ExitCode> {
    let (program, arguments) = command.split_first().context("no command was given")?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .with_context(|| format!("{program} does not start"))?;
    let group = Pid::from_raw(i32::try_from(child.id()).context("a process id beyond i32")?);

    let (tell, told) = mpsc::channel();
    let ended = tell.clone();
    thread::spawn(move || ended.send(Came::Ended(child.wait())));
    thread::spawn(move || {
        let mut rest = [0; 64];
        // What is written does not matter, an error ends it as well.
        while std::io::stdin().read(&mut rest).is_ok_and(|read| read > 0) {}
        tell.send(Came::LetGo)
    });

    let status = match told.recv() {
        Ok(Came::Ended(status)) => status,
        _ => {
            // ESRCH: it has just ended.
            let _ = killpg(group, Signal::SIGINT);
            match told.recv_timeout(grace) {
                Ok(Came::Ended(status)) => status,
                _ => {
                    let _ = killpg(group, Signal::SIGKILL);
                    match told.recv() {
                        Ok(Came::Ended(status)) => status,
                        _ => anyhow::bail!("the end of {program} was not seen"),
                    }
                }
            }
        }
    };
    clear(group, grace);
    let status = status.with_context(|| format!("the end of {program} was not seen"))?;
    let code = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Ends what the command left in its group: compilers that Cargo had started, say.
fn clear(group: Pid, grace: Duration) {
    let begun = Instant::now();
    let mut killed = false;
    while killpg(group, None) != Err(Errno::ESRCH) {
        if begun.elapsed() > grace {
            // The dead that nobody has collected yet are members too: one signal is enough.
            if killed {
                return;
            }
            let _ = killpg(group, Signal::SIGKILL);
            killed = true;
        }
        thread::sleep(LOOK);
    }
}
