//! One order, from checkout to packing: `cargo xtask run chapter 1`
#![forbid(unsafe_code)]

use anyhow::Context;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Message};
use tracing::info;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().without_time().with_ansi(false).init();
    let brokers = std::env::var("KAFKA_BROKERS")
        .context("no KAFKA_BROKERS: try `cargo xtask run quickstart`")?;

    // Checkout sends an order: a key and a value.
    let producer: FutureProducer =
        ClientConfig::new().set("bootstrap.servers", &brokers).create()?;
    let order =
        FutureRecord::to("orders").key("order-17").payload("2 mugs");
    let sent = producer.send(order, None).await.map_err(|(e, _)| e)?;
    info!(partition = sent.partition, offset = sent.offset, "acknowledged");

    // Packing receives it.
    let packing: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        .set("group.id", "packing")
        .set("auto.offset.reset", "earliest")
        .create()?;
    packing.subscribe(&["orders"])?;
    let record = packing.recv().await?;
    let value = record.payload_view::<str>().transpose()?;
    info!(offset = record.offset(), value, "consumed");
    Ok(())
}
