//! Work that ends when nobody waits for it any more.
//!
//! Dropping a future does not end what it began on a thread of its own: that has to look, now and
//! then, whether it is still wanted, and its child process has to be told.

use std::io;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::error::LocalError;

/// Shared by the work and by who waits for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cancel(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    cancelled: bool,
    /// The process that the work waits for. Nobody collects it but under this lock, so that its
    /// process id is its own as long as it stands here.
    child: Option<Child>,
}

impl Cancel {
    /// An error once the work is cancelled.
    pub(crate) fn check(&self) -> Result<(), LocalError> {
        if self.state().cancelled {
            Err(LocalError::Shutdown)
        } else {
            Ok(())
        }
    }

    /// Takes over a child that `start` starts, unless the work is cancelled.
    pub(crate) fn start(
        &self,
        start: impl FnOnce() -> Result<Child, LocalError>,
    ) -> Result<(), LocalError> {
        let mut state = self.state();
        if state.cancelled {
            return Err(LocalError::Shutdown);
        }
        state.child = Some(start()?);
        Ok(())
    }

    /// Waits for the child that was started, which has closed its output and is about to end.
    pub(crate) fn wait(&self) -> io::Result<ExitStatus> {
        loop {
            let mut state = self.state();
            let Some(child) = &mut state.child else {
                return Err(io::ErrorKind::NotFound.into());
            };
            if let Some(status) = child.try_wait()? {
                state.child = None;
                return Ok(status);
            }
            drop(state);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Cancels the work and tells its child to end.
    fn cancel(&self) {
        let mut state = self.state();
        state.cancelled = true;
        if let Some(child) = &state.child {
            let pid = Pid::from_raw(child.id().cast_signed());
            // An error means that it has ended.
            let _ = kill(pid, Signal::SIGTERM);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by who waits: dropping it cancels the work.
pub(crate) struct Waiting(pub(crate) Cancel);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn cancelling_ends_the_child_and_starts_no_other() {
        let cancel = Cancel::default();
        let forever = || {
            let mut command = Command::new("tail");
            command
                .args(["-f", "/dev/null"])
                .spawn()
                .map_err(LocalError::file("start", "tail"))
        };
        cancel.start(forever).unwrap();
        assert!(cancel.check().is_ok());
        drop(Waiting(cancel.clone()));
        assert!(!cancel.wait().unwrap().success());
        let refused = cancel.start(forever);
        assert!(matches!(refused, Err(LocalError::Shutdown)));
        assert!(matches!(cancel.check(), Err(LocalError::Shutdown)));
    }
}
