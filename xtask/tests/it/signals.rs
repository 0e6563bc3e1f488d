//! Ctrl-C, TERM and HUP: what runs ends, nothing goes on after it, and the exit code says so.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::machine::Machine;
use crate::repository::{read, write};

/// A program that says so when it has started and when TERM has come, in a file beside it, and waits meanwhile.
/// After Ctrl-C it prints a line of its story and ends well, as the chapters' programs do.
const WAITS: &str = r#"#!/bin/sh
# Before the traps: a process made after them would lose a TERM that comes before it has become `sleep`.
sleep 60 &
said=$(dirname "$0")/said
trap 'echo "{\"timestamp\":\"2026-03-01T00:00:00Z\",\"level\":\"INFO\",\"message\":\"stopped\"}"; kill $!; exit 0' INT
trap 'echo ended >>"$said"; kill $!; exit 0' TERM
echo started >>"$said"
wait
"#;

/// xtask as the leader of a process group, which is what a terminal makes of it.
struct Foreground(Child);

impl Foreground {
    /// Starts it, and waits until a program has written `started` beside the others.
    fn start(machine: &Machine, words: &[&str]) -> Foreground {
        let mut command = machine.command(words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.process_group(0).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while !has_started(&machine.programs) {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{words:?}: {ended:?}");
            std::thread::yield_now();
        }
        Foreground(child)
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.0.id()).unwrap())
    }

    /// Ctrl-C, as a terminal sends it: to all of the group.
    fn interrupt(self) -> Output {
        killpg(self.pid(), Signal::SIGINT).unwrap();
        self.0.wait_with_output().unwrap()
    }

    /// TERM, to it alone.
    fn terminate(self) -> Output {
        kill(self.pid(), Signal::SIGTERM).unwrap();
        self.0.wait_with_output().unwrap()
    }
}

fn has_started(programs: &Path) -> bool {
    std::fs::read_to_string(programs.join("said")).is_ok_and(|said| said.contains("started\n"))
}

/// A machine on which a run waits, and is recorded.
fn with_a_recorded_run() -> Machine {
    let machine = Machine::new();
    machine.program("sending_run", WAITS);
    let root = machine.repository.path();
    let manifest = read(root, "chapters/sending/Cargo.toml");
    let manifest = manifest.replace("topics = [", "recorded = true, topics = [");
    write(root, "chapters/sending/Cargo.toml", &manifest);
    let header =
        r#"{"chapter":"sending","run":"first","broker":"embedded","recorded":"2026-03-01"}"#;
    write(root, "chapters/sending/runs/first/1.jsonl", &format!("{header}\n"));
    machine
}

/// The broker's owner has a group of its own: Ctrl-C does not come to it.
#[test]
fn ctrl_c_during_the_start_of_a_kafka_ends_its_owner() {
    let machine = Machine::new();
    machine.program("testbed", WAITS);
    let output = Foreground::start(&machine, &["kafka", "up", "--broker", "embedded"]).interrupt();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(read(&machine.programs, "said"), "started\nended\n");
    assert_eq!(machine.xtask(&["kafka", "status"]).0, 1);
}

/// What the program wrote on Ctrl-C is no difference from its recording.
#[test]
fn ctrl_c_ends_a_comparison_with_a_recording() {
    let machine = with_a_recorded_run();
    let output = Foreground::start(&machine, &["record", "--check"]).interrupt();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("stopped by a signal"), "{output:?}");
}

#[test]
fn a_signal_to_record_alone_ends_the_run() {
    let machine = with_a_recorded_run();
    let output = Foreground::start(&machine, &["record", "--check"]).terminate();
    assert_eq!(output.status.code(), Some(143), "{output:?}");
    assert_eq!(read(&machine.programs, "said"), "started\nended\n");
}

/// Without a network the rest of the suite runs; after Ctrl-C nothing does.
#[test]
fn ctrl_c_during_the_fetch_of_kafka_is_no_lack_of_a_network() {
    let machine = Machine::new();
    machine.program("testbed", WAITS);
    let output = Foreground::start(&machine, &["test"]).interrupt();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let built = read(&machine.programs, "built");
    let tests = |line: &&str| line.starts_with("nextest") || line.starts_with("test");
    assert_eq!(built.lines().filter(tests).collect::<Vec<_>>(), [""; 0]);
}

/// A child has ended, which was guarded from signals: the next one that comes ends this program, as if none had been.
#[test]
fn after_a_child_a_signal_ends_the_program_as_by_default() {
    let machine = Machine::new();
    let docker = read(&machine.programs, "docker");
    let waits = r#"port) echo started >>"$here/said"; exec sleep 60 ;;"#;
    machine.program("docker", &docker.replace(r#"port) echo "127.0.0.1:9092" ;;"#, waits));
    let mut xtask = Foreground::start(&machine, &["kafka", "up", "--broker", "docker"]);
    kill(xtask.pid(), Signal::SIGTERM).unwrap();
    let status = xtask.0.wait().unwrap();
    // Docker, which nobody waits for any more.
    killpg(xtask.pid(), Signal::SIGKILL).unwrap();
    assert_eq!(status.signal(), Some(Signal::SIGTERM as i32));
}
