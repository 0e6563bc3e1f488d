//! `kafka up`, `status`, `down`, with a Docker and a `testbed` made of shell: what is remembered, and what is ended.

use crate::machine::{DOCKER, Machine};
use crate::repository::{read, write};

impl Machine {
    fn up_in_docker(&self) -> (i32, String) {
        self.xtask(&["kafka", "up", "--broker", "docker"])
    }

    fn docker_fails_at(&self, verbs: &str) {
        write(&self.programs, "fails", verbs);
    }

    fn is_remembered(&self) -> bool {
        self.state().exists()
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

/// Two at once: the state is that of the faster one, and the other says why it has ended.
#[test]
fn the_state_of_another_owner_is_not_taken_for_ones_own() {
    let machine = Machine::new();
    let slower = r#"#!/bin/sh
for state; do :; done
echo '{"pid":1,"kind":"embedded","version":null,"bootstrap":"127.0.0.1:1","brokers":1}' >"$state"
echo "error: another \`testbed up\` starts" >&2
exit 1
"#;
    machine.program("testbed", slower);
    let (code, text) = machine.xtask(&["kafka", "up", "--broker", "embedded"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("error: another `testbed up` starts"), "{text}");
    assert!(machine.is_remembered());
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
