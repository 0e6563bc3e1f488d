//! Counting on order across partitions: `cargo xtask run topics unordered`
//!
//! The shelf counts its mugs down from 30 and sends each count. A sign in the shop shows the last one that it read,
//! and is sure that it is the newest.
#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::Context;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{ClientConfig, Message};
use tracing::info;

const MUGS: u32 = 30;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let brokers = std::env::var("KAFKA_BROKERS").context(
        "no KAFKA_BROKERS: try `cargo xtask run topics unordered`",
    )?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    let producer: FutureProducer = config.create()?;
    config.set("group.id", "sign").set("auto.offset.reset", "earliest");
    let sign: StreamConsumer = config.create()?;
    tokio::select! {
        done = story(&producer, &sign) => done?,
        _ = tokio::signal::ctrl_c() => {
            info!(target: "run", process = "shop", "stopped");
        }
    }
    producer.flush(Duration::from_secs(10))?;
    Ok(())
}

async fn story(
    producer: &FutureProducer,
    sign: &StreamConsumer,
) -> anyhow::Result<()> {
    count_down(producer).await?;
    let went_up = show(sign).await?;
    info!(target: "run", process = "shop", sold = MUGS, went_up, "outcome");
    Ok(())
}

// ANCHOR: unordered
async fn count_down(shelf: &FutureProducer) -> anyhow::Result<()> {
    for left in (0..MUGS).rev() {
        // A key a sale, so that all partitions share the work.
        let (key, value) = (format!("sale-{left}"), left.to_string());
        let count = FutureRecord::to("mugs").key(&key).payload(&value);
        let sent = shelf.send(count, None).await.map_err(|(e, _)| e)?;
        let (partition, offset) = (sent.partition, sent.offset);
        info!(
            target: "run", process = "shelf", topic = "mugs",
            partition, offset, key, left, "acknowledged"
        );
    }
    Ok(())
}
// ANCHOR_END: unordered

/// Shows each count as it comes. Whether one was higher than the one before: how many are is up to the batches that
/// the brokers send, so no two runs need agree on that.
async fn show(sign: &StreamConsumer) -> anyhow::Result<bool> {
    sign.subscribe(&["mugs"])?;
    let (mut shown, mut went_up) = (MUGS, false);
    for _ in 0..MUGS {
        let record = sign.recv().await?;
        let left: u32 =
            record.payload_view::<str>().context("no value")??.parse()?;
        let up = (left > shown).then_some(true);
        went_up |= left > shown;
        shown = left;
        let key = String::from_utf8_lossy(record.key().unwrap_or_default());
        let (partition, offset) = (record.partition(), record.offset());
        info!(target: "run", process = "sign", topic = "mugs", partition, offset, %key, left, up, "consumed");
    }
    Ok(went_up)
}
