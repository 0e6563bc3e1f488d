//! Child processes that own the terminal for a while, and the signals that end this process.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use signal_hook::low_level::unregister;

/// The signals that ask for the end, each with its number.
const ENDS: [(i32, usize); 3] = [(SIGHUP, 1), (SIGINT, 2), (SIGTERM, 15)];

const NOT_WATCHED: &str = "no signal can be watched";

/// Whether such a signal ends this process, as it does by default.
static BY_DEFAULT: AtomicBool = AtomicBool::new(true);

static WATCH: Mutex<Watch> = Mutex::new(Watch { is_set_up: false, stops: 0 });

struct Watch {
    /// Whether [`BY_DEFAULT`] is asked when a signal comes.
    is_set_up: bool,
    /// How many [`Stop`]s there are.
    stops: usize,
}

impl Watch {
    fn lock() -> MutexGuard<'static, Watch> {
        WATCH.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a signal has asked for the end. While there is one of these, signals do not end this process.
///
/// When the last is gone they do so again. `signal_hook` alone would swallow them from then on: it takes its actions
/// away, but not itself.
pub struct Stop {
    signal: Arc<AtomicUsize>,
    actions: Vec<SigId>,
}

impl Stop {
    /// Begins to watch.
    pub fn watch() -> anyhow::Result<Stop> {
        let mut watch = Watch::lock();
        if !watch.is_set_up {
            for (number, _) in ENDS {
                flag::register_conditional_default(number, &BY_DEFAULT).context(NOT_WATCHED)?;
            }
            watch.is_set_up = true;
        }
        watch.stops += 1;
        BY_DEFAULT.store(false, Ordering::SeqCst);
        drop(watch);
        // From here on an error drops it, which counts it off.
        let mut stop = Stop { signal: Arc::default(), actions: Vec::new() };
        for (number, value) in ENDS {
            let action = flag::register_usize(number, Arc::clone(&stop.signal), value);
            stop.actions.push(action.context(NOT_WATCHED)?);
        }
        Ok(stop)
    }

    /// The exit code that a shell gives a program that the signal ended.
    pub fn code(&self) -> Option<u8> {
        let signal = self.signal.load(Ordering::Relaxed);
        (signal != 0).then(|| u8::try_from(128 + signal).unwrap_or(u8::MAX))
    }

    /// An error where a signal has come.
    pub fn check(&self) -> anyhow::Result<()> {
        self.code().map_or(Ok(()), |code| Err(Stopped(code).into()))
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        let mut watch = Watch::lock();
        watch.stops -= 1;
        BY_DEFAULT.store(watch.stops == 0, Ordering::SeqCst);
        for action in self.actions.drain(..) {
            unregister(action);
        }
    }
}

/// A signal has asked for the end, and what was to be done is not done.
#[derive(Debug)]
pub struct Stopped(u8);

impl Stopped {
    /// The program's exit code.
    pub fn code(&self) -> u8 {
        self.0
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped by a signal")
    }
}

impl std::error::Error for Stopped {}

/// Runs a command to its end while Ctrl-C is left to it.
///
/// The terminal sends SIGINT to the whole foreground group, the command included: this process only
/// has to survive it. SIGTERM and SIGHUP come to this process alone, and are handed on.
pub fn run(command: &mut Command) -> anyhow::Result<ExitStatus> {
    attend(command, |child| child.wait().context("the end of a program was not seen"))
}

/// As [`run`], and `until` sees the command to its end.
pub fn attend<T>(
    command: &mut Command,
    until: impl FnOnce(&mut Child) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let _stop = Stop::watch()?;
    let mut signals = Signals::new(ENDS.map(|(number, _)| number)).context(NOT_WATCHED)?;
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
    let seen = until(&mut child);
    watch.close();
    let _ = relay.join();
    seen
}

/// Runs a command: true if all is well with it. Where a signal came meanwhile that is no answer, but an error:
/// [`Stopped`].
pub fn passes(command: &mut Command) -> anyhow::Result<bool> {
    let stop = Stop::watch()?;
    let status = run(command)?;
    stop.check()?;
    Ok(status.success())
}

/// Runs a command, and fails with its command line where it does, and where a signal came meanwhile.
pub fn check(command: &mut Command) -> anyhow::Result<()> {
    let stop = Stop::watch()?;
    let status = run(command)?;
    stop.check()?;
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

    // What signals do is tried from outside, by `tests/it/signals.rs`: one that comes to this process is seen by the
    // tests beside this one too.
    #[test]
    fn a_signal_is_told_as_a_shell_tells_it() {
        let stop = Stop::watch().unwrap();
        assert_eq!(stop.code(), None);
        stop.check().unwrap();
        stop.signal.store(15, Ordering::Relaxed);
        assert_eq!(stop.code(), Some(143));
        let error = stop.check().unwrap_err().context("the suite does not run");
        assert_eq!(format!("{error:#}"), "the suite does not run: stopped by a signal");
        assert_eq!(error.downcast_ref::<Stopped>().map(Stopped::code), Some(143));
    }

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
