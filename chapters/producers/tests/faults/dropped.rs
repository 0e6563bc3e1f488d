//! A producer that is dropped, and one that is closed: `cargo xtask run producers dropped`
#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::Context;
use producers::{Producer, ProducerConfig, Record};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::sync::mpsc;
use tracing::info;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let brokers = std::env::var("KAFKA_BROKERS").context(
        "no KAFKA_BROKERS: try `cargo xtask run producers dropped`",
    )?;
    tokio::select! {
        ended = shop(&brokers) => ended,
        _ = tokio::signal::ctrl_c() => {
            info!(target: "run", process = "checkout", "stopped");
            Ok(())
        }
    }
}

async fn shop(brokers: &str) -> anyhow::Result<()> {
    let dropped = send(brokers, false).await?;
    let closed = send(brokers, true).await? - dropped;
    info!(target: "run", process = "checkout", sent = 100, dropped, closed, "outcome");
    Ok(())
}

/// Queues 100 orders and ends the producer. How many orders the topic holds then.
async fn send(brokers: &str, close: bool) -> anyhow::Result<i64> {
    let mut config = ProducerConfig::new(brokers);
    config.linger = Duration::from_secs(2);
    let (outcomes, mut seen) = mpsc::unbounded_channel();
    // ANCHOR: dropped
    let producer = Producer::start(&config, move |outcome| {
        let _ = outcomes.send(outcome); // nobody may listen any more
    })?;
    for order in 0..100 {
        let record = Record::new("orders", b"2 mugs", order);
        producer.send(record).await?; // Ok, each of them
    }
    if close {
        producer.close(PATIENCE).await?;
    }
    drop(producer);
    // ANCHOR_END: dropped
    let (mut acknowledged, mut failed) = (0, 0);
    for _ in 0..100 {
        let outcome = seen.recv().await.context("an outcome is missing")?;
        *(if outcome.result.is_ok() {
            &mut acknowledged
        } else {
            &mut failed
        }) += 1;
    }
    let how = if close { "closed" } else { "dropped" };
    info!(target: "run", process = "checkout", acknowledged, failed, "{how}");
    let client: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", brokers).create()?;
    let (_, end) = client.fetch_watermarks("orders", 0, PATIENCE)?;
    Ok(end)
}
