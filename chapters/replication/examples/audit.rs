//! What a topic of a live cluster can lose: `cargo xtask run replication audit`
//!
//! `KAFKA_BROKERS=localhost:9092 cargo run --example replication_audit -- orders --set acks=1`
//! asks the cluster for the topic's replicas and settings, and prints what one killed broker, two killed brokers and a
//! power cut of all can lose with these producer properties, each with its reason.
//!
//! Exit code 0 where one failure costs nothing, 1 where it can lose something or keep it from readers, 2 where that
//! could not be found out, 130 after Ctrl-C.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use rdkafka::ClientConfig;
use replication::live::{self, LiveError};
use replication::{
    Client, Loss, Producer, Verdict, Writes, audit, properties,
};
use tracing::info;

/// One failure can cost something.
const CAN_LOSE: u8 = 1;

/// It could not be found out. clap ends with the same code where the command line is wrong.
const NOT_FOUND_OUT: u8 = 2;

/// Ctrl-C, as a shell counts it: 128 and the number of SIGINT.
const STOPPED: u8 = 130;

/// Says what topics can lose.
#[derive(Parser)]
#[command(
    after_help = "Exit codes: 0 one failure costs nothing, 1 it can, 2 it could not be found out, 130 stopped by Ctrl-C."
)]
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
    /// librdkafka's properties for this client, such as security.protocol and sasl.password; KAFKA_BROKERS wins over
    /// its bootstrap.servers. For TLS, build with rdkafka's feature ssl.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The cluster keeps no eligible leader replicas (KIP-966), as one from before Kafka 4.1.
    #[arg(long)]
    no_eligible: bool,
    /// How long the cluster may take to answer, in seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    patience: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::from(NOT_FOUND_OUT)
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    logging::init()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let found = runtime.block_on(async {
        tokio::select! {
            biased; // listens to Ctrl-C before the first question
            stopped = tokio::signal::ctrl_c() => {
                stopped?;
                info!(target: "run", process = "audit", "stopped");
                Ok(STOPPED)
            }
            found = look(arguments) => found,
        }
    });
    // A thread may still ask a cluster that does not answer: nobody waits for it.
    runtime.shutdown_background();
    found
}

async fn look(arguments: &Arguments) -> anyhow::Result<u8> {
    let producer = producer(arguments)?;
    let config = client(arguments)?;
    let patience = Duration::from_secs(arguments.patience);
    let mut worst = Loss::Nothing;
    for name in &arguments.topics {
        let asked = live::topic(&config, name, patience).await;
        let mut topic = asked.map_err(|error| {
            let closed = matches!(error, LiveError::Cluster(_));
            let error = anyhow::Error::from(error);
            if closed && arguments.config.is_none() {
                return error.context("asked without --config");
            }
            error
        })?;
        topic.eligible = !arguments.no_eligible;
        let found = audit(&producer, &topic);
        info!(target: "run", process = "audit", topic = name, acks = %producer.acks, replicas = topic.replicas, in_sync = topic.in_sync, min_in_sync = topic.min_in_sync, unclean = topic.unclean, "settings");
        let say = |what: &'static str, verdict: &Verdict| {
            let (costs, because) =
                (word(verdict.loss), verdict.reason.says);
            let source = verdict.reason.source;
            info!(target: "run", process = "audit", topic = name, costs, because, source, "{what}");
        };
        say("one broker killed", &found.one);
        say("two brokers killed", &found.two);
        say("power cut of all", &found.power);
        let Writes { spare, spare_now, refused_now, reason } = found.writes;
        info!(target: "run", process = "audit", topic = name, spare, spare_now, refused_now, because = reason.says, "writes");
        for note in &found.notes {
            info!(target: "run", process = "audit", topic = name, because = note.says, source = note.source, "note");
        }
        worst = worst.max(found.one.loss);
    }
    Ok(if worst == Loss::Nothing { 0 } else { CAN_LOSE })
}

/// The client that asks.
fn client(arguments: &Arguments) -> anyhow::Result<ClientConfig> {
    let file = read(arguments.config.as_deref())?;
    let mut config = ClientConfig::new();
    for (name, value) in properties(&file).context("--config")? {
        config.set(name, value);
    }
    if let Ok(servers) = std::env::var("KAFKA_BROKERS") {
        config.set("bootstrap.servers", servers);
    }
    config.get("bootstrap.servers").context(
        "no KAFKA_BROKERS: set it to the address of your cluster, or try `cargo xtask run replication audit`",
    )?;
    Ok(config)
}

/// The producer that is asked about.
fn producer(arguments: &Arguments) -> anyhow::Result<Producer> {
    let file = read(arguments.producer.as_deref())?;
    let mut said = properties(&file).context("--producer")?;
    for text in &arguments.set {
        let set = properties(text).context("--set")?;
        anyhow::ensure!(!set.is_empty(), "--set: write name=value");
        said.extend(set);
    }
    Ok(Producer::read(arguments.client, said)?)
}

/// A file's text; none where no file is named.
fn read(path: Option<&Path>) -> anyhow::Result<String> {
    let Some(path) = path else { return Ok(String::new()) };
    std::fs::read_to_string(path).with_context(|| {
        format!("{} cannot be read: look at its name", path.display())
    })
}

fn word(loss: Loss) -> &'static str {
    match loss {
        Loss::Nothing => "nothing",
        Loss::Offline => "waits for a broker",
        Loss::Lost => "lost",
    }
}
