//! A real server on a free port, with a small book and a program in place of xtask.

mod gate;
mod pages;
mod runs;

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use crate::books::{MANIFEST, TestBook};

/// Longer than anything here takes on a busy machine: a test that waits so long has failed.
const DEADLINE: Duration = Duration::from_secs(60);

/// What stands in place of xtask. It notes what it was asked, then does what the run's name says.
///
/// Who holds the pipe `alive` open is alive: the test sees the end of the last.
const PROGRAM: &str = r#"#!/bin/sh
# As our programs do: they go on when the reader of their log lines goes away.
trap '' PIPE
echo "$@" >> asked
line() {
  echo '{"@timestamp":"2026-05-14T10:00:0'"$1"'Z","log.level":"info","message":"'"$2"'","ecs.version":"9.4.0","log.logger":"run","service.name":"checkout"}'
}
case "$3" in
  day)
    echo "Broker: built in." >&2
    line 0.000 started
    line 1.250 acknowledged
    ;;
  plain) echo "INFO acknowledged partition=0" ;;
  fail)
    echo "Compiling parcels" >&2
    echo "error: no Java was found: apt install openjdk-17-jre-headless" >&2
    exit 1
    ;;
  hold)
    exec 3> alive
    trap 'kill $!; echo left >&3; line 2.000 left; exit 0' INT
    line 0.000 started
    # Its output is no pipe: `tail -f` ends by itself when the reader of its pipe goes, as in a killed server.
    tail -f /dev/null > /dev/null &
    wait
    ;;
  deaf)
    exec 3> alive
    trap '' INT
    line 0.000 started
    tail -f /dev/null > /dev/null
    ;;
esac
"#;

/// One more run of the second chapter, and what goes wrong in it.
const MAIL: &str = r#"
faults = [
  { name = "dead", run = "kill", symptom = "No mail.", cause = "A kill.", fix = "Start it.", step = "second/mail.md#recap", test = "x::dead" },
]
runs = [
  { name = "hold" },
"#;

/// A sound book with runs, and the program that runs them.
struct Shop {
    book: TestBook,
}

impl Shop {
    fn open() -> Shop {
        let runs = ["day", "plain", "fail", "hold", "deaf"]
            .map(|name| format!("  {{ name = \"{name}\", about = \"{name}.\" }},\n"));
        let third = "[package]\nname = \"third\"\n[package.metadata.chapter]\ntitle = \"Third\"\n\
                     runs = [{ name = \"day\" }, { name = \"own\", owns_cluster = true }]\n";
        let book = TestBook::sound()
            .replace(
                MANIFEST,
                "  { name = \"day\", about = \"A day of parcels.\", topics = [\"parcels:3\"] },\n",
                &runs.concat(),
            )
            .replace("chapters/mail/Cargo.toml", "runs = [\n", MAIL)
            .file("chapters/third/Cargo.toml", third)
            .file(
                "chapters/mail/runs/kill/moments.toml",
                "[[moments]]\nname = \"killed\"\ncaption = \"It is dead.\"\nwhen = { message = \"killed\" }\n",
            )
            .file("xtask.sh", PROGRAM);
        let program = book.root().join("xtask.sh");
        fs::set_permissions(program, Permissions::from_mode(0o755)).expect("it can be executable");
        Shop { book }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.book.root().join(name)
    }

    /// What the program was asked so far, one line a start.
    fn asked(&self) -> String {
        fs::read_to_string(self.path("asked")).unwrap_or_default()
    }

    /// What the program writes to its pipe; it arrives when no process holds the pipe any more.
    fn alive(&self) -> Receiver<String> {
        let path = self.path("alive");
        mkfifo(&path, Mode::S_IRWXU).expect("a pipe can be made");
        let (send, receive) = channel();
        thread::spawn(move || send.send(fs::read_to_string(path).expect("the pipe can be read")));
        receive
    }

    fn serve(&self) -> Server {
        Server::start(self.book.root(), &self.path("xtask.sh"))
    }
}

/// A server; it is told to end when dropped.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(root: &Path, program: &Path) -> Server {
        let mut process = Command::new(env!("CARGO_BIN_EXE_book_serve"))
            .args(["--port", "0", "--root"])
            .arg(root)
            .arg("--xtask")
            .arg(program)
            .env_remove("KAFKA_BROKERS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut first = String::new();
        let stdout = process.stdout.take().expect("it has an output");
        BufReader::new(stdout).read_line(&mut first).expect("it says its address");
        let port = first.trim().trim_end_matches('/').rsplit(':').next();
        let port = port.and_then(|port| port.parse().ok()).expect("the address has a port");
        Server { process, port }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).expect("process ids are small");
        kill(Pid::from_raw(pid), signal).expect("it can be told");
    }

    fn wait(&mut self) {
        self.process.wait().expect("it was started here");
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Sends a request and gives the connection. A header given twice replaces the first.
    fn open(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let host = self.host();
        let length = body.len().to_string();
        let mut all = vec![("host", host.as_str()), ("content-length", &length)];
        for (name, value) in headers {
            all.retain(|(known, _)| known != name);
            all.push((name, value));
        }
        // 1.0: the body ends with the connection, and is not sent in pieces with their lengths.
        let mut request = format!("{method} {path} HTTP/1.0\r\n");
        for (name, value) in all.into_iter().filter(|(_, value)| !value.is_empty()) {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(body);
        let mut stream = TcpStream::connect(&host).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline can be set");
        stream.write_all(request.as_bytes()).expect("it reads");
        Answer::read(stream)
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.open("GET", path, &[], "").all()
    }

    /// The token in the pages.
    fn token(&self) -> String {
        let (_, page) = self.get("/");
        let (_, after) = page
            .split_once("<meta name=\"kafka-book-token\" content=\"")
            .expect("pages carry a token");
        after.split('"').next().expect("the attribute ends").to_owned()
    }

    /// What a page of this server asks.
    fn post(&self, path: &str, body: &str) -> Answer {
        let (token, origin) = (self.token(), format!("http://{}", self.host()));
        let headers = [
            ("content-type", "application/json"),
            ("x-kafka-book-token", &token),
            ("origin", &origin),
            ("sec-fetch-site", "same-origin"),
        ];
        self.open("POST", path, &headers, body)
    }

    fn run(&self, run: &str) -> Answer {
        let (chapter, run) = run.split_once('/').expect("chapter and run");
        self.post("/live/run", &format!("{{\"chapter\":\"{chapter}\",\"run\":\"{run}\"}}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|status| status.is_none()) {
            self.signal(Signal::SIGTERM);
            let _ = self.process.wait();
        }
    }
}

/// An answer whose body is still to be read.
struct Answer {
    status: u16,
    head: String,
    body: BufReader<TcpStream>,
}

impl Answer {
    fn read(stream: TcpStream) -> Answer {
        let mut body = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(body.read_line(&mut head).expect("it answers in time"), 0, "{head}");
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Answer { status: status.expect("an answer has a status"), head, body }
    }

    /// The next line of the body; nothing at its end.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.body.read_line(&mut line).expect("it answers in time");
        line
    }

    /// Status and body.
    fn all(mut self) -> (u16, String) {
        let mut body = Vec::new();
        self.body.read_to_end(&mut body).expect("it answers in time");
        (self.status, String::from_utf8_lossy(&body).into_owned())
    }

    /// The next event of a stream of events, as JSON.
    fn event(&mut self) -> serde_json::Value {
        loop {
            let line = self.line();
            assert_ne!(line, "", "the stream goes on");
            if let Some(json) = line.strip_prefix("data: ") {
                return serde_json::from_str(json).expect("events are JSON");
            }
        }
    }
}
