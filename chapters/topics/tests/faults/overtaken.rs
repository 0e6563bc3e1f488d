//! Retention overtakes slow consumers: `cargo xtask run topics overtaken`
//!
//! The topic keeps two mebibytes. Three groups read three records each and stop for lunch. When they come back, the
//! record where they want to go on is gone, and each has another `auto.offset.reset`.
#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::bail;
use rdkafka::client::DefaultClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{
    CommitMode, Consumer, ConsumerContext, StreamConsumer,
};
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{ClientConfig, ClientContext, Message};
use testbed::local::{LocalCluster, LocalOptions};
use testbed::{Cluster, eventually};
use tokio::signal::unix::{SignalKind, signal};
use topics::{Admin, Allow, Declared, missed};
use tracing::{info, warn};

const PATIENCE: Duration = Duration::from_secs(60);

/// A return with a picture of what is broken, in bytes: five of them fill a segment of 1 MiB.
const PICTURE: usize = 200_000;

/// How many each group reads before lunch.
const BEFORE: i64 = 3;

/// The groups, by what they do when the record where they go on is gone.
const GROUPS: [(&str, &str); 3] = [
    ("support", "earliest"),
    ("statistics", "latest"),
    ("refunds", "error"),
];

/// Hears in librdkafka's log lines that its group goes on elsewhere: there is no callback for it.
struct Hears {
    group: String,
}
impl ConsumerContext for Hears {}
impl ClientContext for Hears {
    /// `recv()` hands out what goes wrong, so that the client need not log it as well: here, that a log ends.
    fn error(&self, _: KafkaError, _: &str) {}

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        DefaultClientContext.log(level, facility, message);
        if let Some(Reset { from, to, reason }) = Reset::read(message) {
            warn!(target: "run", process = self.group, topic = "returns", partition = 0, from, to, reason, "reset");
        }
    }
}

/// A group goes on elsewhere than where it wanted to.
struct Reset<'a> {
    from: i64,
    to: &'static str,
    reason: &'a str,
}

impl<'a> Reset<'a> {
    /// The warning is, in one line: `returns [0]: offset reset (at offset 3 (leader epoch -1), broker 1) to offset
    /// BEGINNING (leader epoch -1): fetch failed due to requested offset not available on the broker: Broker: Offset
    /// out of range`.
    fn read(message: &'a str) -> Option<Self> {
        let (_, said) = message.split_once("offset reset (at offset ")?;
        let (from, said) = said.split_once(' ')?;
        let (_, said) = said.split_once(") to ")?;
        let (to, why) = said.split_once(": ")?;
        let to = match to {
            to if to.contains("BEGINNING") => "log start",
            to if to.contains("END") => "log end",
            _ => return None,
        };
        let reason = why.rsplit(": ").next().unwrap_or(why);
        Some(Reset { from: from.parse().ok()?, to, reason })
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Kafka looks every 5 minutes which segments are to be deleted, for
    // the first time 30 s after its start.
    let options = LocalOptions::new(1)
        .property("log.retention.check.interval.ms", 100)
        .property("log.initial.task.delay.ms", 100);
    let cluster: Cluster = tokio::select! {
        local = LocalCluster::start(options) => local?.into(),
        _ = interrupt.recv() => return Ok(()),
    };
    let config = cluster.client_config();
    let producer: FutureProducer = config.create()?;
    let done = tokio::select! {
        done = story(&config, &producer) => done,
        _ = interrupt.recv() => {
            info!(target: "run", process = "shop", "stopped");
            Ok(())
        }
    };
    producer.flush(Duration::from_secs(10))?;
    done
}

async fn story(
    config: &ClientConfig,
    producer: &FutureProducer,
) -> anyhow::Result<()> {
    let declared =
        Declared::from_yaml(include_str!("../../fixtures/returns.yaml"))?;
    Admin::new(config)?.apply(&declared, Allow::default()).await?;
    for n in 1..=10 {
        send(producer, n).await?;
    }
    for (group, _) in GROUPS {
        // Whoever is new begins at the oldest record.
        let consumer = consumer(config, group, "earliest")?;
        for _ in 0..BEFORE {
            let record = consumer.recv().await?;
            consumed(group, &record);
            consumer.commit_message(&record, CommitMode::Sync)?;
        }
        info!(target: "run", process = group, topic = "returns", partition = 0, offset = BEFORE, "committed");
    }
    for n in 11..=25 {
        send(producer, n).await?;
    }
    let log_start = deleted(producer).await?;

    // Lunch is over. Where each group goes on, and what it never gets.
    let mut never = Vec::new();
    for (group, reset) in GROUPS {
        let next = go_on(config, producer, group, reset).await?;
        never.push(next.map(|next| missed(BEFORE, next)));
    }
    let [support, statistics, refunds] = never[..] else {
        bail!("three groups, and {} answers", never.len());
    };
    let stopped = refunds.is_none();
    info!(
        target: "run", process = "shop", log_start,
        support_missed = support, statistics_missed = statistics,
        refunds_stopped = stopped, "outcome"
    );
    Ok(())
}

/// The first offset that a group gets after lunch; `None` if it stops with an error.
async fn go_on(
    config: &ClientConfig,
    producer: &FutureProducer,
    group: &str,
    reset: &str,
) -> anyhow::Result<Option<i64>> {
    let consumer = consumer(config, group, reset)?;
    let mut next = None;
    loop {
        match consumer.recv().await {
            Ok(record) => {
                consumed(group, &record);
                next = next.or(Some(record.offset()));
            }
            // The end of the log. Who has got nothing yet stands there, and gets what is sent from now on.
            Err(KafkaError::PartitionEOF(_)) if next.is_none() => {
                send(producer, 26).await?;
            }
            Err(KafkaError::PartitionEOF(_)) => return Ok(next),
            Err(error) if reset == "error" => {
                let error_code = error.rdkafka_error_code();
                let error_code = error_code.map(|code| format!("{code:?}"));
                info!(target: "run", process = group, topic = "returns", %error, error_code, "failed");
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn consumer(
    config: &ClientConfig,
    group: &str,
    reset: &str,
) -> anyhow::Result<StreamConsumer<Hears>> {
    let consumer: StreamConsumer<Hears> = config
        .clone()
        .set("group.id", group)
        .set("auto.offset.reset", reset)
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create_with_context(Hears { group: group.to_owned() })?;
    consumer.subscribe(&["returns"])?;
    Ok(consumer)
}

fn consumed(process: &str, record: &impl Message) {
    let (partition, offset) = (record.partition(), record.offset());
    let key = String::from_utf8_lossy(record.key().unwrap_or_default());
    info!(target: "run", process, topic = "returns", partition, offset, %key, "consumed");
}

async fn send(producer: &FutureProducer, n: u32) -> anyhow::Result<()> {
    let (key, picture) = (format!("return-{n}"), vec![0; PICTURE]);
    let record = FutureRecord::to("returns").key(&key).payload(&picture);
    let sent = producer.send(record, None).await;
    let sent = sent.map_err(|(error, _)| error)?;
    let (partition, offset) = (sent.partition, sent.offset);
    info!(target: "run", process = "checkout", topic = "returns", partition, offset, key, "acknowledged");
    Ok(())
}

/// Waits until retention has taken the record where the groups go on, and
/// everything else that exceeds two mebibytes. Where the log starts now.
async fn deleted(producer: &FutureProducer) -> anyhow::Result<i64> {
    let offset =
        eventually(PATIENCE, "two full segments are deleted", async || {
            let look = || {
                producer.client().fetch_watermarks("returns", 0, PATIENCE)
            };
            match tokio::task::block_in_place(look) {
                Ok((10, _)) => Ok(10),
                Ok((start, _)) => Err(format!("it starts at {start}")),
                Err(error) => Err(error.to_string()),
            }
        })
        .await?;
    info!(target: "run", process = "broker", topic = "returns", partition = 0, offset, "deleted");
    Ok(offset)
}
