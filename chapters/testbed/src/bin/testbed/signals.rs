//! The signals that end a program, watched from before anything is started.

use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{self, SignalKind, signal};

/// What came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// Ctrl-C: the terminal sends it to every process of the foreground group.
    Interrupt,
    /// TERM or HUP: sent to this process alone.
    End(nix::sys::signal::Signal),
}

impl Came {
    /// The exit code of a program that a signal ended, as a shell gives it: 128 + its number.
    pub fn exit_code(self) -> ExitCode {
        use nix::sys::signal::Signal::SIGINT;

        let signal = match self {
            Came::Interrupt => SIGINT,
            Came::End(signal) => signal,
        };
        ExitCode::from(u8::try_from(128 + signal as i32).unwrap_or(1))
    }
}

/// INT, TERM and HUP. From [`Signals::watch`] on they end nothing by themselves.
pub struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
}

impl Signals {
    /// Begins to watch.
    pub fn watch() -> anyhow::Result<Signals> {
        let watch = |kind| signal(kind).context("no signal can be watched");
        Ok(Signals {
            interrupt: watch(SignalKind::interrupt())?,
            terminate: watch(SignalKind::terminate())?,
            hangup: watch(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Came {
        use nix::sys::signal::Signal::{SIGHUP, SIGTERM};

        tokio::select! {
            _ = self.interrupt.recv() => Came::Interrupt,
            _ = self.terminate.recv() => Came::End(SIGTERM),
            _ = self.hangup.recv() => Came::End(SIGHUP),
        }
    }
}
