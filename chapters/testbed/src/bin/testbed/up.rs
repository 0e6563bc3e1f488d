//! `testbed up`: a cluster that stays until it is told to end.

use std::path::PathBuf;

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

/// Where the brokers write their logs, for those that have such files.
fn log_files(cluster: &Cluster) -> Vec<PathBuf> {
    #[cfg(feature = "local")]
    if let Some(local) = cluster.as_local() {
        return local.log_files();
    }
    let _ = cluster;
    Vec::new()
}
