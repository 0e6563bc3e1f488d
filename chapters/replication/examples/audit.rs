//! What a topic of a live cluster can lose: `cargo xtask run replication audit`
//!
//! `KAFKA_BROKERS=localhost:9092 cargo run --example replication_audit -- orders --set acks=1`
//! asks the cluster for the topic's replicas and settings, and prints what one failure, two failures and a power cut of
//! all can lose with these producer properties, each with its reason. Exit code 1 where one failure can lose something.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use rdkafka::ClientConfig;
use replication::{
    Client, Loss, Producer, SettingsError, Verdict, audit, live, properties,
};
use tracing::info;

/// Says what topics can lose.
#[derive(Parser)]
struct Arguments {
    /// The topics.
    #[arg(required = true)]
    topics: Vec<String>,
    /// A producer's properties file, of librdkafka or of Java.
    #[arg(long)]
    producer: Option<PathBuf>,
    /// One property of the producer, as name=value; it wins over the file.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Whose defaults hold: librdkafka or java.
    #[arg(long, default_value = "librdkafka", value_parser = |text: &str| text.parse::<Client>())]
    client: Client,
    /// How long the cluster may take to answer, in seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    patience: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    logging::init()?;
    let arguments = Arguments::parse();
    tokio::select! {
        found = look(&arguments) => found,
        stopped = tokio::signal::ctrl_c() => {
            stopped?;
            info!(target: "run", process = "audit", "stopped");
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn look(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let producer = producer(arguments)?;
    let servers = std::env::var("KAFKA_BROKERS").context(
        "no KAFKA_BROKERS: set it to the address of your cluster, or try `cargo xtask run replication audit`",
    )?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers);
    let patience = Duration::from_secs(arguments.patience);
    let mut worst = Loss::Nothing;
    for name in &arguments.topics {
        let topic = live::topic(&config, name, patience).await?;
        let found = audit(&producer, &topic);
        info!(target: "run", process = "audit", topic = name, acks = %producer.acks, replicas = topic.replicas, in_sync = topic.in_sync, min_in_sync = topic.min_in_sync, unclean = topic.unclean, "settings");
        let say = |what: &'static str, verdict: &Verdict| {
            let (costs, because) =
                (word(verdict.loss), verdict.reason.says);
            let source = verdict.reason.source;
            info!(target: "run", process = "audit", topic = name, costs, because, source, "{what}");
        };
        say("one failure", &found.one);
        say("two failures", &found.two);
        say("power cut", &found.power);
        let (spare, refused_now) =
            (found.writes.spare, found.writes.refused_now);
        info!(target: "run", process = "audit", topic = name, spare, refused_now, because = found.writes.reason.says, "writes");
        for note in &found.notes {
            info!(target: "run", process = "audit", topic = name, because = note.says, source = note.source, "note");
        }
        worst = worst.max(found.one.loss);
    }
    Ok(match worst {
        Loss::Nothing => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn producer(arguments: &Arguments) -> anyhow::Result<Producer> {
    let file = match &arguments.producer {
        Some(path) => std::fs::read_to_string(path).with_context(|| {
            format!("{} cannot be read: look at its name", path.display())
        })?,
        None => String::new(),
    };
    let mut said = properties(&file)?;
    for text in &arguments.set {
        said.push(text.split_once('=').ok_or_else(|| {
            SettingsError::Line { line: 1, text: text.clone() }
        })?);
    }
    Ok(Producer::read(arguments.client, said)?)
}

fn word(loss: Loss) -> &'static str {
    match loss {
        Loss::Nothing => "nothing",
        Loss::Offline => "waits for a broker",
        Loss::Lost => "lost",
    }
}
