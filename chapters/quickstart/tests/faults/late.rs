//! "Nothing arrives": `cargo xtask run chapter 1 late`
//!
//! Checkout sends an order, then packing comes: a new group that does not say where it begins. Checkout sends a
//! second order; and at the end billing comes, a new group that wants everything.
#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::Context;
use quickstart::{Order, read, send};
use rdkafka::consumer::{Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, Producer};
use rdkafka::{ClientConfig, ClientContext, Message};
use tracing::info;

/// `recv()` hands out what goes wrong, so that the client need not log it as well: here, that a log ends.
struct Quiet;
impl ConsumerContext for Quiet {}
impl ClientContext for Quiet {
    fn error(&self, _: KafkaError, _: &str) {}
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let brokers = std::env::var("KAFKA_BROKERS")
        .context("no KAFKA_BROKERS: try `cargo xtask run quickstart`")?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    let producer: FutureProducer = config.create()?;
    // recv() tells where a partition ends, so that this program can end too.
    config.set("enable.partition.eof", "true");
    tokio::select! {
        done = story(config, &producer) => done?,
        _ = tokio::signal::ctrl_c() => info!(target: "run", "stopped"),
    }
    producer.flush(Duration::from_secs(10))?;
    Ok(())
}

async fn story(
    mut config: ClientConfig,
    producer: &FutureProducer,
) -> anyhow::Result<()> {
    checkout(producer, "order-1").await?;
    // ANCHOR: late
    let packing: StreamConsumer<Quiet> = config
        .clone()
        .set("group.id", "packing")
        .create_with_context(Quiet)?;
    packing.subscribe(&["orders"])?;
    let mut packed = read_to_the_end("packing", &packing).await?;
    // ANCHOR_END: late
    checkout(producer, "order-2").await?;
    packed += read_to_the_end("packing", &packing).await?;

    let billing: StreamConsumer<Quiet> = config
        .set("group.id", "billing")
        .set("auto.offset.reset", "earliest")
        .create_with_context(Quiet)?;
    billing.subscribe(&["orders"])?;
    let billed = read_to_the_end("billing", &billing).await?;
    info!(target: "run", process = "shop", sent = 2, packed, billed, "outcome");
    Ok(())
}

async fn checkout(
    producer: &FutureProducer,
    key: &str,
) -> anyhow::Result<()> {
    let order = Order { id: key.into(), item: "mug".into(), quantity: 2 };
    let sent = send(producer, "orders", &order, "visit-1").await?;
    let (partition, offset) = (sent.partition, sent.offset);
    info!(target: "run", process = "checkout", topic = "orders", partition, offset, key, "acknowledged");
    Ok(())
}

/// Reads what the group has not read yet. How many orders that were.
async fn read_to_the_end(
    process: &str,
    consumer: &StreamConsumer<Quiet>,
) -> anyhow::Result<u32> {
    let mut orders = 0;
    loop {
        let record = match consumer.recv().await {
            Err(KafkaError::PartitionEOF(_)) => return Ok(orders),
            record => record?,
        };
        orders += 1;
        let (partition, offset) = (record.partition(), record.offset());
        let key = read(&record)?.0.id;
        info!(target: "run", process, topic = "orders", partition, offset, key, "consumed");
    }
}
