//! `testbed exec`: a cluster for one command.

use std::process::{ExitCode, ExitStatus};

use anyhow::Context;
use clap::Args;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use tokio::process::{Child, Command};

use testbed::cluster::CLUSTER_VARIABLE;
use testbed::embedded::TrimmedLog;
use testbed::kind::{BrokerChoice, Kind};
use testbed::needs::{Need, Needs};
use testbed::topic::TopicError;
use testbed::{Cluster, TopicSpec};

use crate::signals::{Came, Signals};

/// What `testbed exec` takes.
#[derive(Args)]
pub struct Exec {
    /// auto, embedded, local, docker, external or external=HOST:PORT.
    #[arg(long, default_value = "auto", value_name = "BROKER")]
    broker: BrokerChoice,
    /// What the command asks of the cluster, such as brokers=3,txn.
    #[arg(long, default_value = "", value_name = "NEEDS")]
    needs: Needs,
    /// Topics to create first, as NAME:PARTITIONS, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "TOPICS")]
    topics: Vec<TopicSpec>,
    /// Keep the cluster after the command has ended, until Ctrl-C.
    #[arg(long)]
    keep: bool,
    /// Say which cluster was chosen.
    #[arg(long)]
    verbose: bool,
    /// The command, after `--`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Runs the command; its exit code is ours, 128 + N where signal N ended it.
pub async fn run(exec: Exec) -> anyhow::Result<ExitCode> {
    // Before anything is started: once the command runs, a signal is for the command, and the
    // cluster outlives it.
    let mut signals = Signals::watch()?;
    let cluster = tokio::select! {
        cluster = crate::start(&exec.broker, &exec.needs) => cluster?,
        came = signals.next() => return Ok(came.exit_code()),
    };
    if exec.verbose {
        eprintln!(
            "Broker: {}, at {}.",
            cluster.kind.label(),
            cluster.bootstrap
        );
    }
    if !cluster.properties.is_empty() && cluster.kind == Kind::External {
        let names: Vec<&str> =
            cluster.properties.keys().map(String::as_str).collect();
        eprintln!(
            "note: your cluster asks for {}. A program that reads KAFKA_BROKERS alone cannot use it",
            names.join(", ")
        );
    }
    let mut topics = &exec.topics[..];
    if let Some(note) = left_to_the_cluster(&cluster, topics) {
        eprintln!("{note}");
        topics = &[];
    }
    let mut ours = Vec::new();
    let created = tokio::select! {
        created = create_topics(&cluster, topics, &mut ours) => created.map(|()| None),
        came = signals.next() => Ok(Some(came)),
    };
    let ended = match created {
        Ok(None) => {
            run_command(&exec, &cluster, &mut signals).await.map(exit_code)
        }
        Ok(Some(came)) => Ok(came.exit_code()),
        Err(error) => Err(error),
    };
    // One that stays must not keep the others, nor hide how the command ended.
    for topic in &ours {
        if let Err(error) = cluster.delete_topic(topic).await {
            eprintln!("warning: {:#}", anyhow::Error::from(error));
        }
    }
    if let Some(embedded) = cluster.as_embedded() {
        let trimmed = embedded
            .trimmed()
            .context("the built-in broker does not answer")?;
        anyhow::ensure!(
            trimmed.is_empty(),
            TrimmedLog { partitions: trimmed }
        );
    }
    ended
}

/// Runs the command to its end, and waits after it where the cluster is to be kept.
async fn run_command(
    exec: &Exec,
    cluster: &Cluster,
    signals: &mut Signals,
) -> anyhow::Result<ExitStatus> {
    let mut child = spawn(&exec.command, cluster)?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.context("the command's end was not seen")?,
            came = signals.next() => match came {
                // The terminal sends it to the command too: nothing to do but wait.
                Came::Interrupt => {}
                Came::End(signal) => hand_on(&child, signal),
            },
        }
    };
    if exec.keep {
        eprintln!(
            "Kept: KAFKA_BROKERS={}. Ctrl-C ends it.",
            cluster.bootstrap
        );
        signals.next().await;
    }
    Ok(status)
}

/// What to say of topics that cannot be created on a cluster of somebody else, because it answers no
/// admin request, or none of ours: they may be there, and librdkafka's mock makes a topic when a
/// producer asks for it.
fn left_to_the_cluster(
    cluster: &Cluster,
    topics: &[TopicSpec],
) -> Option<String> {
    let admin: Needs = [Need::Admin].into_iter().collect();
    if cluster.kind != Kind::External
        || topics.is_empty()
        || cluster.capabilities.serve(&admin)
    {
        return None;
    }
    let names: Vec<String> =
        topics.iter().map(ToString::to_string).collect();
    Some(format!(
        "note: your cluster takes no request to create {}. What is there is used; a topic that the \
         cluster makes at its first use may have another number of partitions",
        names.join(", ")
    ))
}

/// Creates the topics, and notes in `ours` those that are to be deleted afterwards.
///
/// On a cluster that somebody else runs, one that is already there is used and left alone.
async fn create_topics(
    cluster: &Cluster,
    topics: &[TopicSpec],
    ours: &mut Vec<String>,
) -> anyhow::Result<()> {
    const THERE: KafkaError =
        KafkaError::AdminOp(RDKafkaErrorCode::TopicAlreadyExists);

    let external = cluster.kind == Kind::External;
    for topic in topics {
        // Before it is asked for: a creation that is given up may still happen.
        if external {
            ours.push(topic.name.clone());
        }
        match cluster.create_topic(topic).await {
            Ok(()) => {}
            Err(TopicError::Create { cause, .. })
                if external && cause == THERE =>
            {
                ours.pop();
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn spawn(command: &[String], cluster: &Cluster) -> anyhow::Result<Child> {
    let (program, arguments) =
        command.split_first().context("no command was given")?;
    let connection = serde_json::to_string(&**cluster)?;
    Command::new(program)
        .args(arguments)
        .env("KAFKA_BROKERS", &cluster.bootstrap)
        .env(CLUSTER_VARIABLE, connection)
        .spawn()
        .with_context(|| format!("{program} does not start"))
}

fn hand_on(child: &Child, signal: Signal) {
    // A child that has ended was waited for, and has no id any more: no other process is hit.
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

fn exit_code(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt;

    let code = status
        .code()
        .or(status.signal().map(|signal| 128 + signal))
        .unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
