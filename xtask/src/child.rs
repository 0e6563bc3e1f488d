//! Child processes that own the terminal for a while.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Runs a command to its end while Ctrl-C is left to it.
///
/// The terminal sends SIGINT to the whole foreground group, the command included: this process only
/// has to survive it. SIGTERM and SIGHUP come to this process alone, and are handed on.
pub fn run(command: &mut Command) -> anyhow::Result<ExitStatus> {
    let mut signals =
        Signals::new([SIGINT, SIGTERM, SIGHUP]).context("no signal can be watched")?;
    let watch = signals.handle();
    let mut child = command.spawn().with_context(|| not_started(command))?;
    let pid = i32::try_from(child.id()).map(Pid::from_raw);
    let relay = std::thread::spawn(move || {
        for signal in signals.forever() {
            if let (true, Ok(pid), Ok(signal)) = (signal != SIGINT, pid, Signal::try_from(signal)) {
                // An error means that the child has just ended: nothing is left to tell.
                let _ = kill(pid, signal);
            }
        }
    });
    let status = child.wait().with_context(|| not_started(command));
    watch.close();
    let _ = relay.join();
    status
}

/// Runs a command, and fails with its command line where it does.
pub fn check(command: &mut Command) -> anyhow::Result<()> {
    let status = run(command)?;
    anyhow::ensure!(status.success(), "`{}` failed ({status})", line(command));
    Ok(())
}

/// The exit code that a shell would give: the child's own, or 128 + N where signal N ended it.
pub fn code(status: ExitStatus) -> u8 {
    let code = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

/// [`code`], for `main`.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    ExitCode::from(code(status))
}

/// The command as one could type it.
pub fn line(command: &Command) -> String {
    let quoted = |word: &std::ffi::OsStr| {
        let word = word.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(quoted)
        .collect::<Vec<_>>()
        .join(" ")
}

fn not_started(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    format!("`{program}` does not start: is it installed, and executable?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_the_childs() {
        let status = run(Command::new("sh").args(["-c", "exit 7"])).unwrap();
        assert_eq!(code(status), 7);
        let killed = run(Command::new("sh").args(["-c", "kill -TERM $$"])).unwrap();
        assert_eq!(code(killed), 143);
    }

    #[test]
    fn what_does_not_start_is_named() {
        let error = run(&mut Command::new("no-such-program-anywhere")).unwrap_err();
        assert!(format!("{error:#}").starts_with("`no-such-program-anywhere` does not start"));
    }

    #[test]
    fn a_command_line_can_be_typed_again() {
        let mut command = Command::new("cargo");
        command.args(["nextest", "run", "-E", "package(=a) and not test(b)", "it's"]);
        assert_eq!(line(&command), r"cargo nextest run -E 'package(=a) and not test(b)' 'it'\''s'");
    }
}
