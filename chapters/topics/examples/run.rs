//! Packing and billing read the same orders: `cargo xtask run topics`
#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::Context;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{ClientConfig, Message};
use tracing::info;

/// How many orders are sent, with a key each.
const ORDERS: i64 = 6;

/// What a broker may take for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let brokers = std::env::var("KAFKA_BROKERS")
        .context("no KAFKA_BROKERS: try `cargo xtask run topics`")?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    let producer: FutureProducer = config.create()?;
    tokio::select! {
        done = story(&config, &producer) => done?,
        _ = tokio::signal::ctrl_c() => {
            info!(target: "run", process = "shop", "stopped");
        }
    }
    producer.flush(PATIENCE)?;
    Ok(())
}

// ANCHOR: story
async fn story(
    config: &ClientConfig,
    producer: &FutureProducer,
) -> anyhow::Result<()> {
    for n in 1..=ORDERS {
        checkout(producer, &format!("order-{n}")).await?;
    }
    let packed = read("packing", config).await?;
    let billed = read("billing", config).await?;
    let kept = kept(config)?;
    info!(
        target: "run", process = "shop",
        sent = ORDERS, packed, billed, kept, "outcome"
    );
    Ok(())
}
// ANCHOR_END: story

async fn checkout(
    producer: &FutureProducer,
    key: &str,
) -> anyhow::Result<()> {
    let record = FutureRecord::to("orders").key(key).payload("2 mugs");
    let sent = producer.send(record, None).await.map_err(|(e, _)| e)?;
    let (partition, offset) = (sent.partition, sent.offset);
    info!(target: "run", process = "checkout", topic = "orders", partition, offset, key, "acknowledged");
    Ok(())
}

/// A group of its own reads every order and commits. How many it got.
async fn read(group: &str, config: &ClientConfig) -> anyhow::Result<i64> {
    let consumer: StreamConsumer = config
        .clone()
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .create()?;
    consumer.subscribe(&["orders"])?;
    for _ in 1..=ORDERS {
        let record = consumer.recv().await?;
        let (partition, offset) = (record.partition(), record.offset());
        let key = String::from_utf8_lossy(record.key().unwrap_or_default());
        info!(target: "run", process = group, topic = "orders", partition, offset, %key, "consumed");
    }
    consumer.commit_consumer_state(CommitMode::Sync)?;
    Ok(ORDERS)
}

/// How many records the topic holds now that both groups have read it.
fn kept(config: &ClientConfig) -> anyhow::Result<i64> {
    let client: FutureProducer = config.create()?;
    let mut kept = 0;
    for partition in 0..3 {
        let client = client.client();
        let (start, end) =
            client.fetch_watermarks("orders", partition, PATIENCE)?;
        kept += end - start;
    }
    Ok(kept)
}
