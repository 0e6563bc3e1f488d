//! The process that removes a container when we cannot.
//!
//! A destructor does not run when a process is killed, nor for a static. So a small shell waits for
//! the end of a pipe that only we hold, and then removes the container by its name. It needs the
//! `docker` program for that: without, it ends and the container is left to the next sweep.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use crate::machine::engine::docker_host;

/// A word means that all is done; an end of file without one, that we are gone.
///
/// The engine may only just be creating the container then, so one that is not there is looked for
/// again, for ten seconds. What was removed is told by its name: newer versions of `docker rm -f` end
/// with 0 also where there is nothing.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
read -r word
[ "$word" = goodbye ] && exit
command -v docker >/dev/null || exit
for try in 1 2 3 4 5 6 7 8 9 10; do
    [ -n "$(docker rm -f -v "$1" 2>/dev/null)" ] && exit
    sleep 1
done
"#;

/// A guardian of one container. Dropped without [`dismiss`](Guardian::dismiss), it removes it.
#[derive(Debug)]
pub(super) struct Guardian {
    container: String,
    /// `None` where it could not be started: the next sweep will do.
    shell: Option<Child>,
}

impl Guardian {
    /// Starts it before there is a container, so that there is no moment without.
    pub(super) fn start(container: String) -> Guardian {
        let shell = shell(&container)
            .spawn()
            .inspect_err(|error| tracing::debug!(%error, "a container has no guardian"))
            .ok();
        Guardian { container, shell }
    }

    /// The container's name.
    pub(super) fn container(&self) -> &str {
        &self.container
    }

    /// The container is gone: there is nothing left to do.
    pub(super) fn dismiss(&mut self) {
        let Some(mut shell) = self.shell.take() else { return };
        if let Some(mut pipe) = shell.stdin.take() {
            let _ = writeln!(pipe, "goodbye");
        }
        // It ends at once; its process is collected.
        let _ = shell.wait();
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        let Some(mut shell) = self.shell.take() else { return };
        drop(shell.stdin.take());
        // Collected on a thread of its own: looking for a container that never comes takes seconds,
        // and whoever gives up a start may be a runtime's only thread. Where our process ends
        // before, the shell goes on.
        let _ = std::thread::Builder::new()
            .name("guardian".to_owned())
            .spawn(move || shell.wait());
    }
}

fn shell(container: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", SCRIPT, "guardian", container])
        // The engine where the container is, which need not be the program's own choice.
        .env("DOCKER_HOST", docker_host())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Out of reach of a Ctrl-C at the terminal.
        .process_group(0);
    shell
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    /// Programs in the place of the real ones: a `docker` that notes its arguments and finds the
    /// container the third time it is asked, and a `sleep` that takes no time.
    fn programs(folder: &Path) {
        let docker = r#"#!/bin/sh
echo "$@" >>"${0%/*}/calls"
calls=0
while read -r call; do calls=$((calls + 1)); done <"${0%/*}/calls"
[ $calls -lt 3 ] || echo "$4"
"#;
        for (name, script) in [("docker", docker), ("sleep", "#!/bin/sh\n")]
        {
            let file = folder.join(name);
            fs::write(&file, script).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755))
                .unwrap();
        }
    }

    /// What a guardian calls whose owner writes these words and goes.
    fn calls_after(words: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        programs(folder.path());
        let mut guardian = shell("testbed-kafka-7")
            .env("PATH", folder.path())
            .spawn()
            .unwrap();
        let mut pipe = guardian.stdin.take().unwrap();
        pipe.write_all(words.as_bytes()).unwrap();
        drop(pipe);
        guardian.wait().unwrap();
        let calls = fs::read_to_string(folder.path().join("calls"));
        calls.unwrap_or_default().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_container_that_is_not_there_yet_is_looked_for_again() {
        assert_eq!(
            calls_after(""),
            ["rm -f -v testbed-kafka-7"; 3],
            "until it was removed, and not once more"
        );
    }

    #[test]
    fn a_dismissed_guardian_removes_nothing() {
        assert_eq!(calls_after("goodbye\n"), [""; 0]);
    }
}
