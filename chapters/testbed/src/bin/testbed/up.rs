//! `testbed up`: a cluster that stays until it is told to end.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use testbed::Cluster;
use testbed::kind::BrokerChoice;
use testbed::needs::{Need, Needs};

use crate::signals::Signals;

/// What `testbed up` takes.
#[derive(Args)]
pub struct Up {
    /// embedded, local or docker.
    #[arg(long, default_value = "local", value_name = "BROKER")]
    broker: BrokerChoice,
    /// How many brokers.
    #[arg(long, default_value_t = 1)]
    brokers: u32,
    /// Where to write, once the cluster answers, how to reach it.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
}

/// Starts the cluster, writes the state file, waits for TERM or Ctrl-C, ends the cluster.
pub async fn run(up: Up) -> anyhow::Result<()> {
    let mut signals = Signals::watch()?;
    // Before the cluster, so that it is given back after the cluster has ended.
    let _turn = Turn::take(&up.state)?;

    let needs: Needs = [Need::Brokers(up.brokers)].into_iter().collect();
    let cluster = tokio::select! {
        cluster = crate::start(&up.broker, &needs) => cluster?,
        _ = signals.next() => return Ok(()),
    };
    let state = serde_json::json!({
        "pid": std::process::id(),
        "kind": cluster.kind,
        "version": cluster.version,
        "bootstrap": cluster.bootstrap,
        "brokers": cluster.capabilities.brokers,
        "logs": log_files(&cluster),
    });
    // Written aside and renamed: who sees the file sees all of it.
    let aside = up.state.with_extension("new");
    std::fs::write(&aside, format!("{state:#}\n"))
        .and_then(|()| std::fs::rename(&aside, &up.state))
        .with_context(|| {
            format!("{} cannot be written", up.state.display())
        })?;
    signals.next().await;
    let _ = std::fs::remove_file(&up.state);
    Ok(())
}

/// The right to write a state file, as a locked file beside it.
///
/// A state file names one cluster: of two that start for it at once, one would be known to nobody, and run for
/// ever. The lock ends with this process, however that ends.
struct Turn {
    path: PathBuf,
    /// Locked for as long as it is open.
    _file: File,
}

impl Turn {
    /// Takes it, or says who has it.
    fn take(state: &Path) -> anyhow::Result<Turn> {
        let path = state.with_extension("lock");
        let unusable = || format!("{} cannot be used", path.display());
        loop {
            let file = File::options()
                .create(true)
                .append(true)
                .open(&path)
                .with_context(unusable)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => anyhow::bail!(
                    "another `testbed up` starts, or runs, for {}",
                    state.display()
                ),
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(unusable);
                }
            }
            // Who had it may have removed it between the two calls: a lock that nobody finds keeps nobody out.
            if is_at(&file, &path).with_context(unusable)? {
                return Ok(Turn { path, _file: file });
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Still locked: nobody else's is removed. One that stays locks nobody out.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether the path leads to this file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) => {
            Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where the brokers write their logs, for those that have such files.
fn log_files(cluster: &Cluster) -> Vec<PathBuf> {
    #[cfg(feature = "local")]
    if let Some(local) = cluster.as_local() {
        return local.log_files();
    }
    let _ = cluster;
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_taken_by_one_at_a_time_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.json");
        let lock = folder.path().join("state.lock");
        // One that was killed leaves the file, and no lock.
        std::fs::write(&lock, "").unwrap();
        for _ in 0..2 {
            let turn = Turn::take(&state).unwrap();
            let refused = Turn::take(&state).err().unwrap().to_string();
            assert_eq!(
                refused,
                format!(
                    "another `testbed up` starts, or runs, for {}",
                    state.display()
                )
            );
            drop(turn);
            assert!(!lock.exists());
        }
    }

    #[test]
    fn a_lock_that_was_removed_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.lock");
        let file = File::create(&path).unwrap();
        assert!(is_at(&file, &path).unwrap());
        std::fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path).unwrap());
        File::create(&path).unwrap();
        assert!(!is_at(&file, &path).unwrap());
    }
}
