//! A small repository on a machine whose Docker, Cargo, Java and `testbed` are made of shell.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::repository::{make, write};

/// Answers as Compose does, notes each call, and fails at the verbs that a file `fails` names.
pub const DOCKER: &str = r#"#!/bin/sh
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

/// Notes each call, and names the programs beside it as what was built.
const CARGO: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/built"
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
    exec env KAFKA_BROKERS="${broker#external=}" "$@"
    ;;
esac
"#;

/// It is gone with its handle.
pub struct Machine {
    pub repository: tempfile::TempDir,
    /// Where its programs lie, and what they note.
    pub programs: PathBuf,
}

impl Machine {
    /// Makes it.
    pub fn new() -> Machine {
        let repository = make();
        let programs = repository.path().join("target").join("programs");
        let machine = Machine { repository, programs };
        machine.program("java", "#!/bin/sh\necho 'openjdk version \"17.0.15\"' >&2\n");
        machine.program("mvn", "#!/bin/sh\n");
        machine.program("docker", DOCKER);
        machine.program("cargo", CARGO);
        machine.program("testbed", TESTBED);
        machine.program("sending_run", "#!/bin/sh\necho \"sent to $KAFKA_BROKERS\"\n");
        machine
    }

    /// Puts a program there.
    pub fn program(&self, name: &str, text: &str) {
        write(&self.programs, name, text);
        let path = self.programs.join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// `cargo xtask …` here.
    pub fn command(&self, words: &[&str]) -> Command {
        let path = std::env::var_os("PATH").unwrap();
        let path = std::env::join_paths(
            std::iter::once(self.programs.clone()).chain(std::env::split_paths(&path)),
        );
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(words)
            .current_dir(self.repository.path())
            .env("PATH", path.unwrap())
            .env("CARGO", self.programs.join("cargo"))
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("JAVA_HOME")
            .env_remove("KAFKA_BROKERS");
        command
    }

    /// Runs it to its end: its exit code, and what it prints on both streams.
    pub fn xtask(&self, words: &[&str]) -> (i32, String) {
        let output = self.command(words).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
    }

    /// The file in which a Kafka for play is remembered.
    pub fn state(&self) -> PathBuf {
        self.repository.path().join("target").join("kafka").join("state.json")
    }
}
