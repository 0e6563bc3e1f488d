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
    if cluster.kind == Kind::External {
        let has = async |name: &str| cluster.has_topic(name).await;
        let create =
            async |topic: &TopicSpec| cluster.create_topic(topic).await;
        return Ok(create_beside_others(topics, ours, has, create).await?);
    }
    for topic in topics {
        cluster.create_topic(topic).await?;
    }
    Ok(())
}

/// Creates topics among those of others. Whenever it is given up, `ours` names none of theirs.
async fn create_beside_others(
    topics: &[TopicSpec],
    ours: &mut Vec<String>,
    has: impl AsyncFn(&str) -> Result<bool, TopicError>,
    create: impl AsyncFn(&TopicSpec) -> Result<(), TopicError>,
) -> Result<(), TopicError> {
    const THERE: KafkaError =
        KafkaError::AdminOp(RDKafkaErrorCode::TopicAlreadyExists);

    for topic in topics {
        let new = !has(&topic.name).await?;
        // Before it is asked for: a creation that is given up may still happen.
        if new {
            ours.push(topic.name.clone());
        }
        // One that seems to be there may have been deleted a moment ago: so it is asked for too.
        match create(topic).await {
            Ok(()) if !new => ours.push(topic.name.clone()),
            Ok(()) => {}
            Err(TopicError::Create { cause, .. }) if cause == THERE => {
                // Somebody created it since we looked.
                if new {
                    ours.pop();
                }
            }
            Err(error) => return Err(error),
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

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn failed(topic: &TopicSpec, code: RDKafkaErrorCode) -> TopicError {
        let cause = KafkaError::AdminOp(code);
        TopicError::Create { topic: topic.name.clone(), cause }
    }

    /// What is noted on a cluster that has the topic `theirs`, and that answers each creation so, or
    /// not at all.
    fn noted(
        names: &str,
        create: impl Fn(&TopicSpec) -> Option<Result<(), TopicError>>,
    ) -> String {
        let topics: Vec<TopicSpec> =
            names.split(',').map(|name| name.parse().unwrap()).collect();
        let mut ours = Vec::new();
        let has = async |name: &str| Ok(name == "theirs");
        let create = async |topic: &TopicSpec| match create(topic) {
            Some(answer) => answer,
            None => std::future::pending().await,
        };
        // Polled once and dropped, as where a signal comes.
        let _ = create_beside_others(&topics, &mut ours, has, create)
            .now_or_never();
        ours.join(",")
    }

    #[test]
    fn a_creation_given_up_notes_no_topic_of_others() {
        assert_eq!(noted("theirs", |_| None), "");
        assert_eq!(noted("new", |_| None), "new");
    }

    #[test]
    fn a_creation_that_fails_notes_no_topic_of_others() {
        let too_late = |topic: &TopicSpec| {
            Some(Err(failed(topic, RDKafkaErrorCode::RequestTimedOut)))
        };
        assert_eq!(noted("theirs", too_late), "");
        assert_eq!(noted("new", too_late), "new");
        let there = |topic: &TopicSpec| {
            Some(Err(failed(topic, RDKafkaErrorCode::TopicAlreadyExists)))
        };
        assert_eq!(noted("theirs,created-meanwhile", there), "");
    }

    #[test]
    fn what_was_created_is_noted() {
        let noted = noted("new,theirs", |_| Some(Ok(())));
        assert_eq!(noted, "new,theirs", "theirs was deleted just before");
    }
}
