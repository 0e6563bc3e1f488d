//! The runs that pages have started: each on a leash, one at a time for a chapter.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::serve::gate::Refusal;
use crate::serve::leash::GRACE;
use crate::serve::output::{Complaint, Message, Story, printable};

/// Two runs with a Kafka each are what a laptop bears beside a browser.
const AT_MOST: usize = 2;

/// Messages that wait for a page which reads slowly; then the run's own output waits.
const WAITING: usize = 256;

/// The longest line that is read, in bytes; what is beyond is cut off.
const LONGEST: u64 = 64 * 1024;

/// How long the output may stay open after the run has ended, for somebody it left behind.
const TAIL: Duration = Duration::from_secs(2);

/// What a run is started from.
#[derive(Debug)]
pub struct Programs {
    /// The workspace's root: where the run starts.
    pub root: PathBuf,
    /// The program that runs chapters: `xtask`.
    pub xtask: PathBuf,
    /// The program that holds runs on a leash: this one.
    pub leash: PathBuf,
}

/// A run that was found in a manifest, and the kind of broker for it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The chapter's slug.
    pub chapter: String,
    /// The run's name.
    pub run: String,
    /// What stands after `--broker`.
    pub broker: &'static str,
}

impl Wanted {
    /// What a person types for it.
    pub fn command(&self) -> String {
        let broker = match self.broker {
            "auto" => String::new(),
            kind => format!(" --broker {kind}"),
        };
        format!("cargo xtask run {} {}{broker}", self.chapter, self.run)
    }
}

/// All runs that are going.
#[derive(Debug)]
pub struct Runs {
    programs: Programs,
    going: Mutex<BTreeMap<String, CancellationToken>>,
    tasks: TaskTracker,
}

/// A run's messages; the run ends when this is dropped.
#[derive(Debug)]
pub struct Listening {
    messages: mpsc::Receiver<Message>,
    _end: DropGuard,
}

impl Listening {
    /// The next message; none after the last.
    pub async fn next(&mut self) -> Option<Message> {
        self.messages.recv().await
    }
}

impl Runs {
    /// No runs yet.
    pub fn new(programs: Programs) -> Runs {
        Runs { programs, going: Mutex::default(), tasks: TaskTracker::new() }
    }

    /// The workspace's root.
    pub fn root(&self) -> &std::path::Path {
        &self.programs.root
    }

    /// Starts a run.
    ///
    /// # Errors
    /// Another of its chapter is going, or too many are, or it does not start.
    pub fn start(self: &Arc<Self>, wanted: Wanted) -> Result<Listening, Refusal> {
        let stop = CancellationToken::new();
        self.take_place(&wanted.chapter, &stop)?;
        let child = match self.spawn(&wanted) {
            Ok(child) => child,
            Err(error) => {
                self.give_place(&wanted.chapter);
                let text = format!(
                    "{} does not start ({error}). Try it in a terminal: {}",
                    self.programs.xtask.display(),
                    wanted.command()
                );
                return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, text));
            }
        };
        let (send, messages) = mpsc::channel(WAITING);
        let runs = Arc::clone(self);
        let run = Run { send, stop: stop.clone(), leash: None };
        self.tasks.spawn(async move {
            run.attend(child, &wanted).await;
            runs.give_place(&wanted.chapter);
        });
        Ok(Listening { messages, _end: stop.drop_guard() })
    }

    /// Ends the chapter's run in order; false if none is going. Its last messages still come.
    pub fn stop(&self, chapter: &str) -> bool {
        let going = self.going.lock().unwrap_or_else(PoisonError::into_inner);
        going.get(chapter).map(CancellationToken::cancel).is_some()
    }

    /// Ends all runs, and waits for their end.
    pub async fn stop_all(&self) {
        for stop in self.going.lock().unwrap_or_else(PoisonError::into_inner).values() {
            stop.cancel();
        }
        self.tasks.close();
        // Twice the time of grace: the leash takes it once for the command and once for its group.
        let _ = tokio::time::timeout(GRACE * 2 + TAIL, self.tasks.wait()).await;
    }

    /// How many are going.
    pub fn count(&self) -> usize {
        self.going.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn take_place(&self, chapter: &str, stop: &CancellationToken) -> Result<(), Refusal> {
        let mut going = self.going.lock().unwrap_or_else(PoisonError::into_inner);
        if going.contains_key(chapter) {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                format!("A run of {chapter} is going already. Stop it, or wait for its end."),
            ));
        }
        if going.len() >= AT_MOST {
            let others: Vec<&str> = going.keys().map(String::as_str).collect();
            let others = others.join(" and ");
            let text = format!("Runs of {others} are going. Stop one, or wait for its end.");
            return Err(Refusal::new(StatusCode::CONFLICT, text));
        }
        going.insert(chapter.to_owned(), stop.clone());
        Ok(())
    }

    fn give_place(&self, chapter: &str) {
        self.going.lock().unwrap_or_else(PoisonError::into_inner).remove(chapter);
    }

    fn spawn(&self, wanted: &Wanted) -> std::io::Result<Child> {
        let grace = GRACE.as_millis().to_string();
        let mut command = Command::new(&self.programs.leash);
        command
            .args(["leash", "--grace-ms", &grace, "--"])
            .arg(&self.programs.xtask)
            .args(["run", &wanted.chapter, &wanted.run, "--broker", wanted.broker])
            .current_dir(&self.programs.root)
            .env("LOG_FORMAT", "json")
            // A page has no terminal: no colours, no lines that are drawn over.
            .env("NO_COLOR", "1")
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            .env_remove("RUST_LOG")
            .env_remove("TESTBED_CLUSTER")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C in the server's terminal ends runs by their leash, once.
            .process_group(0);
        if wanted.broker != "external" {
            command.env_remove("KAFKA_BROKERS");
        }
        command.spawn()
    }
}

/// A line of the run's output.
enum Heard {
    Out(String),
    Err(String),
}

struct Run {
    send: mpsc::Sender<Message>,
    stop: CancellationToken,
    /// The run goes on as long as this is held.
    leash: Option<ChildStdin>,
}

impl Run {
    async fn attend(mut self, mut child: Child, wanted: &Wanted) {
        self.leash = child.stdin.take();
        let (hear, mut heard) = mpsc::channel(1);
        let readers = TaskTracker::new();
        if let Some(stdout) = child.stdout.take() {
            readers.spawn(read(stdout, hear.clone(), Heard::Out));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.spawn(read(stderr, hear.clone(), Heard::Err));
        }
        drop(hear);

        let (mut story, mut complaint) = (Story::begin(), Complaint::default());
        let mut status = None;
        let mut tail = None;
        loop {
            let late = async {
                match tail {
                    Some(tail) => tokio::time::sleep_until(tail).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                line = heard.recv() => match line {
                    Some(Heard::Out(line)) => {
                        if let Some(message) = story.read(&line) {
                            self.deliver(message).await;
                        }
                    }
                    Some(Heard::Err(line)) => {
                        let line = printable(line.trim_end());
                        if !line.is_empty() {
                            complaint.hear(&line);
                            self.deliver(Message::Note(line)).await;
                        }
                    }
                    None => break,
                },
                () = self.stop.cancelled(), if self.leash.is_some() => self.leash = None,
                ended = child.wait(), if status.is_none() => {
                    status = Some(ended);
                    tail = Some(tokio::time::Instant::now() + TAIL);
                }
                () = late => break,
            }
        }
        self.leash = match status {
            Some(_) => None,
            // Both outputs are closed and the run goes on: Stop must reach it still.
            None => self.leash,
        };
        let status = match status {
            Some(status) => status,
            None => tokio::select! {
                status = child.wait() => status,
                () = self.stop.cancelled() => {
                    self.leash = None;
                    child.wait().await
                }
            },
        };
        let code = status.ok().and_then(|status| status.code()).unwrap_or(1);
        if code != 0 && !self.stop.is_cancelled() {
            let text = complaint.text(code, &wanted.command());
            self.deliver(Message::Error(text)).await;
        }
        self.deliver(Message::End { code }).await;
    }

    /// Sends a message. A page that does not read makes the run wait, until it is to end.
    async fn deliver(&mut self, message: Message) {
        if let Err(mpsc::error::TrySendError::Full(message)) = self.send.try_send(message) {
            tokio::select! {
                _ = self.send.send(message) => {}
                () = self.stop.cancelled() => self.leash = None,
            }
        }
    }
}

/// Hands on each line of an output; what is beyond the longest is cut off.
async fn read(from: impl AsyncRead + Unpin, to: mpsc::Sender<Heard>, kind: fn(String) -> Heard) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    // True while the rest of a line that was too long is passed over.
    let mut over = false;
    loop {
        line.clear();
        match (&mut from).take(LONGEST).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let complete = line.ends_with(b"\n");
        if !over && to.send(kind(String::from_utf8_lossy(&line).into_owned())).await.is_err() {
            return;
        }
        over = !complete;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_handed_on_and_the_too_long_are_cut() {
        let long = "x".repeat(3 * LONGEST as usize);
        let text = format!("one\n{long}\ntwo\nlast");
        let (to, mut heard) = mpsc::channel(8);
        read(text.as_bytes(), to, Heard::Out).await;
        let mut lines = Vec::new();
        while let Some(Heard::Out(line)) = heard.recv().await {
            lines.push(line);
        }
        let lengths: Vec<usize> = lines.iter().map(|line| line.trim_end().len()).collect();
        assert_eq!(lengths, [3, LONGEST as usize, 3, 4]);
    }

    #[test]
    fn a_command_can_be_typed() {
        let mut wanted = Wanted { chapter: "logging".into(), run: "follow".into(), broker: "auto" };
        assert_eq!(wanted.command(), "cargo xtask run logging follow");
        wanted.broker = "local";
        assert_eq!(wanted.command(), "cargo xtask run logging follow --broker local");
    }
}
