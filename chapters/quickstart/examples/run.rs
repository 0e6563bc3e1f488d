//! Checkout and packing side by side: `cargo xtask run chapter 1 shop`
#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::Context;
use quickstart::{Order, read, send};
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, Producer};
use rdkafka::{ClientConfig, Message};
use tokio::try_join;
use tracing::info;

// ANCHOR: stop
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let brokers =
        std::env::var("KAFKA_BROKERS").context("KAFKA_BROKERS")?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    let producer: FutureProducer = config.create()?;
    config.set("group.id", "packing").set("auto.offset.reset", "earliest");
    let packing: StreamConsumer = config.create()?;

    let shop = async { try_join!(checkout(&producer), pack(&packing)) };
    tokio::select! {
        done = shop => {
            let packed = done?.1;
            info!(target: "run", process = "shop", packed, "outcome");
        }
        _ = tokio::signal::ctrl_c() => info!(target: "run", "stopped"),
    }
    producer.flush(Duration::from_secs(10))?; // sends what is queued
    drop(packing); // commits, and leaves the group at once
    Ok(())
}
// ANCHOR_END: stop

async fn checkout(producer: &FutureProducer) -> anyhow::Result<()> {
    for quantity in 1..=5 {
        let id = format!("order-{quantity}");
        let order = Order { id, item: "mug".into(), quantity };
        let visit = format!("visit-{quantity}");
        let sent = send(producer, "orders", &order, &visit).await?;
        info!(target: "run", process = "checkout", topic = "orders", partition = sent.partition, offset = sent.offset, key = order.id, "acknowledged");
    }
    Ok(())
}

async fn pack(packing: &StreamConsumer) -> anyhow::Result<u32> {
    packing.subscribe(&["orders"])?;
    for _ in 1..=5 {
        let record = packing.recv().await?;
        let (order, visit) = read(&record)?;
        info!(target: "run", process = "packing", topic = "orders", partition = record.partition(), offset = record.offset(), key = order.id, correlation_id = visit, "consumed");
    }
    Ok(5)
}
