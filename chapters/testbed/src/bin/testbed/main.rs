//! `testbed`: starts a Kafka, runs a command with it, and leaves nothing behind.
//!
//! ```console
//! $ testbed exec --needs txn --topics orders:6 -- cargo run
//! ```
//!
//! The command finds the bootstrap servers in `KAFKA_BROKERS`.

#![forbid(unsafe_code)]

mod exec;
mod signals;
mod up;

use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use rdkafka::consumer::{BaseConsumer, Consumer};
use testbed::Cluster;
use testbed::cluster::choose_here;
use testbed::kind::{BrokerChoice, Kind};
use testbed::needs::Needs;

/// A Kafka for a command, for a while.
#[derive(Parser)]
#[command(name = "testbed", version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Start (or find) a cluster, run a command with it, end the cluster.
    Exec(exec::Exec),
    /// Keep a cluster running until this program is told to end.
    Up(up::Up),
    /// Fetch what the local Kafka needs, once.
    #[cfg(feature = "local")]
    Install,
    /// Print, as JSON, what a cluster gives, and its topics.
    Probe {
        /// Which cluster: external=HOST:PORT, or a kind to be started for the answer.
        #[arg(long, default_value = "external", value_name = "BROKER")]
        broker: BrokerChoice,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no threads for the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async {
        match cli.verb {
            Verb::Exec(exec) => exec::run(exec).await,
            Verb::Up(up) => up::run(up).await.map(|()| ExitCode::SUCCESS),
            #[cfg(feature = "local")]
            Verb::Install => install().await.map(|()| ExitCode::SUCCESS),
            Verb::Probe { broker } => {
                probe(&broker).await.map(|()| ExitCode::SUCCESS)
            }
        }
    });
    // A start that a signal ended may still wait for Java or Maven on a thread of its own.
    runtime.shutdown_background();
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// How long a cluster that has just answered may take to answer again.
const PATIENCE: Duration = Duration::from_secs(10);

/// What starts within this needs no word.
const SILENCE: Duration = Duration::from_secs(1);

/// Starts a cluster, and says on standard error what takes long: fetching Kafka, the first time, and
/// a start that takes longer than a second.
async fn start(
    broker: &BrokerChoice,
    needs: &Needs,
) -> anyhow::Result<Cluster> {
    let kind = choose_here(broker, needs).await?;
    #[cfg(feature = "local")]
    if kind == Kind::Local {
        testbed::local::install(|step| eprintln!("{step}")).await?;
    }
    let servers = match broker {
        BrokerChoice::External(servers) => servers.clone(),
        _ => None,
    };
    let mut start = pin!(Cluster::start_as(kind, servers, needs));
    tokio::select! {
        cluster = &mut start => return Ok(cluster?),
        () = tokio::time::sleep(SILENCE) => {
            eprintln!("{} …", what_takes_long(kind, needs.brokers()));
        }
    }
    Ok(start.await?)
}

fn what_takes_long(kind: Kind, brokers: u32) -> String {
    match (kind, brokers) {
        (Kind::External, _) => {
            "asking your cluster what it gives".to_owned()
        }
        (_, 1) => format!("starting a broker ({})", kind.label()),
        (_, brokers) => {
            format!("starting {brokers} brokers ({})", kind.label())
        }
    }
}

#[cfg(feature = "local")]
async fn install() -> anyhow::Result<()> {
    let installation =
        testbed::local::install(|step| eprintln!("{step}")).await?;
    println!("{}", installation.display());
    Ok(())
}

async fn probe(broker: &BrokerChoice) -> anyhow::Result<()> {
    let cluster = start(broker, &Needs::default()).await?;
    let client: BaseConsumer = cluster.client_config().create()?;
    let all = move || client.fetch_metadata(None, PATIENCE);
    let all = tokio::task::spawn_blocking(all).await??;
    let topics: Vec<&str> =
        all.topics().iter().map(|topic| topic.name()).collect();
    let answer = serde_json::json!({
        "kind": cluster.kind,
        "version": cluster.version,
        "bootstrap": cluster.bootstrap,
        "brokers": cluster.capabilities.brokers,
        "gives": cluster.capabilities.gives,
        "topics": topics,
    });
    println!("{answer:#}");
    Ok(())
}
