//! Counting on order across partitions: `cargo xtask run topics unordered`
//!
//! The shelf counts its mugs down from 30 and sends each count. A sign in the shop shows the last one that it read,
//! and is sure that it is the newest.
#![forbid(unsafe_code)]

use anyhow::Context;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
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
    // ANCHOR: unordered
    for left in (0..MUGS).rev() {
        // A key a sale, so that all partitions share the work.
        let (key, left) = (format!("sale-{left}"), left.to_string());
        let count = FutureRecord::to("mugs").key(&key).payload(&left);
        producer.send(count, None).await.map_err(|(error, _)| error)?;
    }
    // ANCHOR_END: unordered
    config.set("group.id", "sign").set("auto.offset.reset", "earliest");
    let sign: StreamConsumer = config.create()?;
    sign.subscribe(&["mugs"])?;
    let (mut shown, mut went_up) = (MUGS, 0);
    for _ in 0..MUGS {
        let record = sign.recv().await?;
        let left: u32 =
            record.payload_view::<str>().context("no value")??.parse()?;
        went_up += u32::from(left > shown);
        shown = left;
        let (partition, offset) = (record.partition(), record.offset());
        info!(target: "run", process = "sign", topic = "mugs", partition, offset, left, "consumed");
    }
    info!(target: "run", process = "sign", sold = MUGS, went_up, "outcome");
    Ok(())
}
