//! The process that removes a container when we cannot.
//!
//! A destructor does not run when a process is killed, nor for a static. So a small shell waits for
//! the end of a pipe that only we hold, and then removes the container by its name.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// A word means that all is done; an end of file without one, that we are gone.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
read -r word
[ "$word" = goodbye ] || exec docker rm -f -v "$1" >/dev/null 2>&1
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
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "guardian", &container])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of reach of a Ctrl-C at the terminal.
            .process_group(0)
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
        if let Some(mut pipe) =
            self.shell.as_mut().and_then(|shell| shell.stdin.take())
        {
            let _ = writeln!(pipe, "goodbye");
        }
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            drop(shell.stdin.take());
            // Collects the process; where it has a container to remove, that takes half a second.
            let _ = shell.wait();
        }
    }
}
