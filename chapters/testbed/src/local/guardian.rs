//! The process that ends a broker when we cannot.
//!
//! A destructor does not run when a process is killed, when it ends by a signal, or for a static.
//! So a broker is not our child: it is the child of a small shell script, which reads from a pipe
//! that only we hold open. Whatever ends us closes the pipe; the script reads end of file, kills
//! the broker, waits until it is gone, and removes its folder.
//!
//! The script and its broker form a process group of their own, so that Ctrl-C at the terminal
//! reaches neither.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::watch;

use super::usage;

// ANCHOR: script
/// The guardian: POSIX shell, for whatever `sh` a machine has.
const SCRIPT: &str = r#"
folder=$1 keep=$2
shift 2

# Signals for a terminal's programs are not for us.
trap '' HUP INT QUIT

# The broker alone holds our standard output: its end of
# file tells our owner that the broker is gone.
"$@" 9>&1 </dev/null >>"$folder/broker.log" 2>&1 &
broker=$!
trap '' PIPE TERM
echo "$broker"
exec >/dev/null

# Ends when our owner says a word, or ends.
read -r word
[ "$word" = gone ] || kill -9 "$broker" 2>/dev/null
wait "$broker"
echo "$?" >&2

# The broker is gone; its folder may be wanted again.
[ "$word" = gone ] && read -r word
[ "$word" = leave ] && exit 0
[ "$keep" = keep ] && exit 0
rm -rf "$folder"
rmdir "${folder%/*}"
"#;
// ANCHOR_END: script

/// How long the guardian may take to kill its broker and remove its folder.
const PATIENCE: Duration = Duration::from_secs(20);

/// A broker's process under its guardian. Dropping it kills the broker and removes its folder.
#[derive(Debug)]
pub(crate) struct Guarded {
    guardian: Child,
    /// Our end of the guardian's pipe; shared with the thread that watches the broker.
    words: Arc<Mutex<Option<ChildStdin>>>,
    pid: Pid,
    /// `Some` once the broker is gone, with its exit code where the guardian saw it.
    end: watch::Receiver<Option<End>>,
    folder: PathBuf,
    keep: bool,
}

/// How a broker's process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// The exit code as a shell gives it: 128 + N if signal N ended the process.
    pub code: Option<i32>,
}

impl Guarded {
    /// Starts `command` under a guardian, its output appended to `folder/broker.log`.
    ///
    /// `folder` must exist, and lie in a folder made for it: both are removed at the end, the
    /// outer one when it is empty, unless `keep`.
    pub(crate) fn start(
        command: &[OsString],
        folder: &Path,
        keep: bool,
    ) -> io::Result<Guarded> {
        let mut guardian = Command::new("sh")
            .args(["-c", SCRIPT, "guardian"])
            .arg(folder)
            .arg(if keep { "keep" } else { "remove" })
            .args(command)
            .current_dir(folder.parent().unwrap_or(folder))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let words = Arc::new(Mutex::new(guardian.stdin.take()));
        let (Some(out), Some(err)) =
            (guardian.stdout.take(), guardian.stderr.take())
        else {
            return Err(io::Error::other(
                "the guardian's pipes are missing",
            ));
        };
        let mut out = BufReader::new(out);
        let mut line = String::new();
        out.read_line(&mut line)?;
        let pid = line.trim().parse().map_err(|_| {
            io::Error::other(format!("the guardian said {line:?}"))
        })?;
        let (gone, end) = watch::channel(None);
        let thread =
            std::thread::Builder::new().name("broker-watch".into());
        let of_thread = Arc::clone(&words);
        thread.spawn(move || {
            watch_end(out, BufReader::new(err), &of_thread, &gone)
        })?;
        Ok(Guarded {
            guardian,
            words,
            pid: Pid::from_raw(pid),
            end,
            folder: folder.to_owned(),
            keep,
        })
    }

    /// The broker's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// True until the broker's process is gone.
    pub(crate) fn is_alive(&self) -> bool {
        self.end.borrow().is_none()
    }

    /// Gives how the broker ended, if it did.
    pub(crate) fn end(&self) -> watch::Receiver<Option<End>> {
        self.end.clone()
    }

    /// Sends a signal to the broker; false if it is gone.
    ///
    /// As long as the guardian lives, the process id is the broker's until we have seen its end of
    /// file and let the guardian collect it. For the moment between that and our knowing the exit
    /// code a signal may find nobody; it would find a stranger only if the system gave the id away
    /// within that moment, and systems give them in turn.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<bool> {
        if !self.is_alive() {
            return Ok(false);
        }
        match kill(self.pid, signal) {
            Ok(()) => Ok(true),
            Err(nix::errno::Errno::ESRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends SIGSTOP to the broker. The future ends when none of its threads runs any more; with
    /// false if the broker is gone.
    ///
    /// `kill` returns before that. On a busy machine a thread that is still to be told may serve a
    /// request meanwhile.
    pub(crate) fn freeze(
        &self,
    ) -> impl Future<Output = io::Result<bool>> + use<> {
        let sent = self.signal(Signal::SIGSTOP);
        let (pid, end) = (self.pid(), self.end());
        async move {
            if !sent? {
                return Ok(false);
            }
            let start = Instant::now();
            while usage::is_stopped(pid) == Some(false) {
                if start.elapsed() > PATIENCE {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                // The system has no event for the stop of a grandchild.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(end.borrow().is_none())
        }
    }

    /// Ends the guardian of a broker that is gone and leaves the folder to another guardian.
    pub(crate) fn leave(mut self) {
        self.keep = true;
        say(&self.words, "leave");
        // Drop closes the pipe and waits.
    }

    /// Tells the guardian to end the broker and does not wait for it: so several end at once.
    pub(crate) fn begin_end(&self) {
        lock(&self.words).take();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.begin_end();
        let start = Instant::now();
        loop {
            match self.guardian.try_wait() {
                Ok(Some(_)) => break,
                Ok(None) if start.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(2))
                }
                _ => {
                    tracing::warn!(
                        pid = self.pid(),
                        "the guardian of a broker does not end"
                    );
                    break;
                }
            }
        }
        // Only if somebody killed the guardian is anything left to do.
        if self.is_alive()
            && kill(self.pid, None).is_ok()
            && wait_gone(&mut self.end, Duration::from_millis(200))
                .is_none()
        {
            let _ = kill(self.pid, Signal::SIGKILL);
            wait_gone(&mut self.end, PATIENCE);
        }
        if !self.keep && self.folder.exists() {
            if let Err(error) = std::fs::remove_dir_all(&self.folder) {
                tracing::warn!(%error, folder = %self.folder.display(), "a broker's folder is left behind");
            }
            if let Some(cluster) = self.folder.parent() {
                let _ = std::fs::remove_dir(cluster);
            }
        }
    }
}

/// Waits, without a runtime, until the broker is seen to be gone.
fn wait_gone(
    end: &mut watch::Receiver<Option<End>>,
    patience: Duration,
) -> Option<End> {
    let start = Instant::now();
    loop {
        if let Some(end) = *end.borrow() {
            return Some(end);
        }
        if start.elapsed() > patience {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Reads to the end of file that only the broker's end can bring; then lets the guardian collect
/// the exit code, so that it holds no process id that the system may give to another process.
fn watch_end(
    mut out: impl Read,
    err: impl BufRead,
    words: &Mutex<Option<ChildStdin>>,
    gone: &watch::Sender<Option<End>>,
) {
    let _ = io::copy(&mut out, &mut io::sink());
    say(words, "gone");
    // Some shells write a line about a killed child first.
    let code = err
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.trim().parse().ok());
    gone.send_replace(Some(End { code }));
}

/// Writes a line to the guardian, if it still listens.
fn say(words: &Mutex<Option<ChildStdin>>, word: &str) {
    if let Some(pipe) = lock(words).as_mut() {
        // A guardian that is gone has done, or cannot do, what we ask; Drop sees to the rest.
        let _ = writeln!(pipe, "{word}");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A guarded process of no use, in a folder like a node's.
    fn guarded(command: &[&str], keep: bool) -> (TempDir, Guarded) {
        let cluster = tempfile::tempdir().unwrap();
        let folder = cluster.path().join("node-1");
        std::fs::create_dir(&folder).unwrap();
        let command: Vec<OsString> =
            command.iter().map(OsString::from).collect();
        (cluster, Guarded::start(&command, &folder, keep).unwrap())
    }

    const FOREVER: [&str; 3] = ["tail", "-f", "/dev/null"];

    fn end_of(guarded: &mut Guarded) -> Option<i32> {
        wait_gone(&mut guarded.end, PATIENCE).unwrap().code
    }

    fn is_alive(pid: Pid) -> bool {
        kill(pid, None).is_ok()
    }

    #[test]
    fn dropping_kills_and_removes_both_folders() {
        let (cluster, guarded) = guarded(&FOREVER, false);
        let pid = guarded.pid;
        assert!(guarded.is_alive() && is_alive(pid));
        drop(guarded);
        assert!(!is_alive(pid));
        assert!(!cluster.path().exists());
    }

    #[test]
    fn an_end_is_seen_with_its_code_and_the_folder_stays() {
        let (cluster, mut guarded) =
            guarded(&["sh", "-c", "echo last words; exit 7"], false);
        assert_eq!(end_of(&mut guarded), Some(7));
        assert!(!guarded.signal(Signal::SIGTERM).unwrap());
        let log = std::fs::read_to_string(
            cluster.path().join("node-1/broker.log"),
        )
        .unwrap();
        assert_eq!(log, "last words\n");
        drop(guarded);
        assert!(!cluster.path().exists());
    }

    #[test]
    fn a_signal_is_told_as_a_shell_tells_it() {
        let (_cluster, mut guarded) = guarded(&FOREVER, false);
        assert!(guarded.signal(Signal::SIGKILL).unwrap());
        assert_eq!(end_of(&mut guarded), Some(128 + 9));
    }

    #[test]
    fn a_program_that_is_not_there_ends_with_127() {
        let (cluster, mut guarded) = guarded(&["/no/such/java"], false);
        assert_eq!(end_of(&mut guarded), Some(127));
        let log = std::fs::read_to_string(
            cluster.path().join("node-1/broker.log"),
        )
        .unwrap();
        assert!(log.contains("/no/such/java"), "{log}");
    }

    #[test]
    fn a_folder_is_left_to_the_next_guardian() {
        let (cluster, mut first) = guarded(&["true"], false);
        end_of(&mut first);
        let folder = first.folder.clone();
        let command: Vec<OsString> =
            FOREVER.iter().map(OsString::from).collect();
        let second = Guarded::start(&command, &folder, false).unwrap();
        first.leave();
        assert!(folder.exists());
        drop(second);
        assert!(!cluster.path().exists());
    }

    #[test]
    fn what_is_to_be_kept_is_kept() {
        let (cluster, guarded) = guarded(&FOREVER, true);
        let pid = guarded.pid;
        drop(guarded);
        assert!(!is_alive(pid));
        assert!(cluster.path().join("node-1").exists());
    }

    #[tokio::test]
    async fn a_frozen_process_has_stopped_and_can_go_on() {
        let (_cluster, mut guarded) = guarded(&FOREVER, false);
        let stopped = |guarded: &Guarded| usage::is_stopped(guarded.pid());
        assert_eq!(stopped(&guarded), Some(false));
        assert!(guarded.freeze().await.unwrap());
        assert_eq!(stopped(&guarded), Some(true));
        guarded.signal(Signal::SIGCONT).unwrap();
        guarded.signal(Signal::SIGTERM).unwrap();
        assert_eq!(end_of(&mut guarded), Some(128 + 15), "it went on");
        assert!(!guarded.freeze().await.unwrap(), "nobody is left");
    }

    #[tokio::test]
    async fn a_frozen_process_is_ended_too() {
        let (cluster, guarded) = guarded(&FOREVER, false);
        guarded.freeze().await.unwrap();
        let pid = guarded.pid;
        drop(guarded);
        assert!(!is_alive(pid));
        assert!(!cluster.path().exists());
    }

    /// Somebody kills the guardian: as long as we live we do its work.
    #[test]
    fn without_its_guardian_the_process_still_ends() {
        let (cluster, mut guarded) = guarded(&FOREVER, false);
        guarded.guardian.kill().unwrap();
        guarded.guardian.wait().unwrap();
        assert!(guarded.is_alive());
        drop(guarded);
        assert!(!cluster.path().exists());
    }
}
