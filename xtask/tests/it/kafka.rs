//! `kafka up`, `status`, `down`, with a Docker and a `testbed` made of shell: what is remembered, and what is ended.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::repository::{make, read, write};

/// Answers as Compose does, notes each call, and fails at the verbs that a file `fails` names.
const DOCKER: &str = r#"#!/bin/sh
here=$(dirname "$0")
for verb in version up ps port down; do
  case " $* " in *" $verb "*) break ;; esac
done
echo "$verb" >>"$here/calls"
if grep -qx "$verb" "$here/fails" 2>/dev/null; then
  echo "cannot reach the Docker daemon" >&2
  exit 1
fi
case $verb in
  version) echo 2.40.3 ;;
  ps) cat "$here/runs" 2>/dev/null || true ;;
  up) echo 0123abcd >"$here/runs" ;;
  down) rm -f "$here/runs" ;;
  port) echo "127.0.0.1:9092" ;;
esac
"#;

/// Names itself as the program that was built.
const CARGO: &str = r#"#!/bin/sh
here=$(dirname "$0")
for name in testbed sending_run; do
  printf '{"reason":"compiler-artifact","manifest_path":"%s/Cargo.toml","target":{"name":"%s"},"profile":{"test":false},"executable":"%s/%s"}\n' \
    "$here" "$name" "$here" "$name"
done
"#;

/// Keeps a "broker" until it is told to end, and runs a command with one.
const TESTBED: &str = r#"#!/bin/sh
case $1 in
  up)
    for state; do :; done
    trap 'rm -f "$state"; kill $!; exit 0' TERM
    sleep 60 &
    echo "{\"pid\":$$,\"kind\":\"embedded\",\"version\":null,\"bootstrap\":\"127.0.0.1:4711\",\"brokers\":1}" >"$state.new"
    mv "$state.new" "$state"
    wait
    ;;
  exec)
    while [ "$1" != -- ]; do
      [ "$1" = --broker ] && broker=$2
      shift
    done
    shift
    KAFKA_BROKERS=${broker#external=} "$@"
    ;;
esac
"#;

struct Machine {
    repository: tempfile::TempDir,
    programs: PathBuf,
}

impl Machine {
    fn new() -> Machine {
        let repository = make();
        let programs = repository.path().join("target").join("programs");
        let machine = Machine { repository, programs };
        machine.program("docker", DOCKER);
        machine.program("cargo", CARGO);
        machine.program("testbed", TESTBED);
        machine.program("sending_run", "#!/bin/sh\necho \"sent to $KAFKA_BROKERS\"\n");
        machine
    }

    fn program(&self, name: &str, text: &str) {
        write(&self.programs, name, text);
        let path = self.programs.join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// `cargo xtask …` here: its exit code, and what it prints on both streams.
    fn xtask(&self, words: &[&str]) -> (i32, String) {
        let path = std::env::var_os("PATH").unwrap();
        let path = std::env::join_paths(
            std::iter::once(self.programs.clone()).chain(std::env::split_paths(&path)),
        );
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(words)
            .current_dir(self.repository.path())
            .env("PATH", path.unwrap())
            .env("CARGO", self.programs.join("cargo"))
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("KAFKA_BROKERS")
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
    }

    fn up_in_docker(&self) -> (i32, String) {
        self.xtask(&["kafka", "up", "--broker", "docker"])
    }

    fn docker_fails_at(&self, verbs: &str) {
        write(&self.programs, "fails", verbs);
    }

    fn is_remembered(&self) -> bool {
        self.state().exists()
    }

    fn state(&self) -> PathBuf {
        self.repository.path().join("target").join("kafka").join("state.json")
    }

    fn has_containers(&self) -> bool {
        self.programs.join("runs").exists()
    }
}

#[test]
fn a_broker_for_play_is_started_used_and_ended() {
    let machine = Machine::new();
    let (code, text) = machine.xtask(&["kafka", "up", "--broker", "embedded"]);
    assert_eq!(code, 0, "{text}");
    let (code, status) = machine.xtask(&["kafka", "status"]);
    assert_eq!(code, 0, "{status}");
    assert!(status.starts_with("Running: built in, 1 broker, at 127.0.0.1:4711\n"), "{status}");

    let (_, command) = status.split_once("cargo xtask ").unwrap();
    let command: Vec<&str> = command.lines().next().unwrap().split(' ').collect();
    let (code, text) = machine.xtask(&command);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("sent to 127.0.0.1:4711"), "{text}");

    let (code, text) = machine.xtask(&["kafka", "up", "--broker", "embedded"]);
    assert!(code == 1 && text.contains("a Kafka is running already"), "{text}");
    assert_eq!(machine.xtask(&["kafka", "down"]), (0, "Ended.\n".to_owned()));
    assert_eq!(machine.xtask(&["kafka", "status"]).0, 1);
    assert_eq!(machine.xtask(&["kafka", "down"]), (0, "No Kafka was running.\n".to_owned()));
}

#[test]
fn containers_that_do_not_come_up_are_taken_down() {
    let machine = Machine::new();
    machine.docker_fails_at("up\n");
    let (code, text) = machine.up_in_docker();
    assert!(code == 1 && text.contains("docker-compose.yml does not come up"), "{text}");
    assert!(read(&machine.programs, "calls").ends_with("up\nversion\ndown\n"));
    assert!(!machine.is_remembered());

    // Where that fails, too, `down` can be tried again.
    machine.docker_fails_at("up\ndown\n");
    let (_, text) = machine.up_in_docker();
    assert!(text.contains("Containers may be left: cargo xtask kafka down"), "{text}");
    assert!(machine.is_remembered());
    machine.docker_fails_at("");
    assert_eq!(machine.xtask(&["kafka", "down"]), (0, "Ended.\n".to_owned()));
    assert!(!machine.is_remembered());
}

/// Its program is on the PATH of many machines, and it would fail at an option it does not know.
#[test]
fn a_compose_of_version_1_is_refused_before_anything_starts() {
    let machine = Machine::new();
    machine.docker_fails_at("version\n");
    machine.program("docker-compose", "#!/bin/sh\necho 1.29.2\n");
    let (code, text) = machine.up_in_docker();
    assert!(code == 1 && text.contains("Compose 1.29.2 is too old: 2 or newer"), "{text}");
    assert!(text.contains("To mend: "), "{text}");
    assert!(!machine.has_containers() && !machine.is_remembered());

    machine.program("docker-compose", DOCKER);
    machine.docker_fails_at("");
    machine.program("docker", "#!/bin/sh\nexit 1\n");
    let (code, text) = machine.up_in_docker();
    assert!(code == 0 && text.contains("Running: Docker"), "{text}");
}

/// Killed between `up` and its answer: containers run, and no address is known.
#[test]
fn a_start_that_was_cut_short_is_known_and_ended() {
    let machine = Machine::new();
    assert_eq!(machine.up_in_docker().0, 0);
    let state = std::fs::read_to_string(machine.state()).unwrap();
    let bare = state.replace("127.0.0.1:9092", "");
    assert_ne!(state, bare);
    std::fs::write(machine.state(), bare).unwrap();

    let (code, text) = machine.xtask(&["kafka", "status"]);
    assert!(code == 1 && text.starts_with("Half started: Docker"), "{text}");
    let (code, text) = machine.up_in_docker();
    assert!(code == 1 && text.contains("a start was cut short"), "{text}");
    assert_eq!(machine.xtask(&["kafka", "down"]), (0, "Ended.\n".to_owned()));
    assert!(!machine.has_containers() && !machine.is_remembered());
}

/// No answer is no "not running": what was forgotten could never be ended.
#[test]
fn a_docker_that_does_not_answer_is_an_error_and_nothing_is_forgotten() {
    let machine = Machine::new();
    let (code, text) = machine.up_in_docker();
    assert!(code == 0 && text.contains("Running: Docker"), "{text}");
    machine.docker_fails_at("ps\ndown\n");
    for verb in ["status", "down", "up"] {
        let (code, text) = machine.xtask(&["kafka", verb]);
        assert!(code == 1 && text.contains("cannot reach the Docker daemon"), "{verb}: {text}");
    }
    assert!(machine.is_remembered());

    // Containers that have stopped are still there.
    machine.docker_fails_at("");
    std::fs::remove_file(machine.programs.join("runs")).unwrap();
    assert_eq!(machine.xtask(&["kafka", "status"]).0, 1);
    let (code, text) = machine.xtask(&["kafka", "up", "--broker", "embedded"]);
    assert!(code == 1 && text.contains("have stopped, and are still there"), "{text}");
    assert_eq!(machine.xtask(&["kafka", "down"]), (0, "Ended.\n".to_owned()));
    assert!(!machine.is_remembered());
}
