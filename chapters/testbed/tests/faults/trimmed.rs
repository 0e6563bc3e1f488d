//! A log that forgets: `cargo xtask run testbed trimmed`
//!
//! Checkout sends 16 large orders to a built-in broker, packing reads from the beginning, and the last line says
//! how many there still are.
#![forbid(unsafe_code)]

use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use testbed::Cluster;
use testbed::embedded::Embedded;
use tracing::info;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let built_in = Embedded::start(1)?;
    built_in.create_topic("orders", 1, 1)?;
    let cluster: Cluster = built_in.into();
    let packed = tokio::select! {
        packed = shop(&cluster) => Some(packed?),
        _ = tokio::signal::ctrl_c() => None,
    };
    // Whoever asks is told; a test that does not ask fails when its cluster is dropped.
    let built_in = cluster.as_embedded();
    let trimmed = built_in.map_or(Ok(Vec::new()), Embedded::trimmed)?;
    let trimmed = trimmed.join(", ");
    match packed {
        Some(packed) => {
            info!(target: "run", process = "testbed", acknowledged = 16, packed, trimmed, "outcome");
        }
        None => info!(target: "run", process = "testbed", "stopped"),
    }
    Ok(())
}

/// Sends sixteen orders and reads to the last one. How many that were.
async fn shop(cluster: &Cluster) -> anyhow::Result<u32> {
    let producer: FutureProducer = cluster.client_config().create()?;
    let picture = "x".repeat(512 * 1024);
    for n in 1..=16 {
        let key = format!("order-{n}");
        let order = FutureRecord::to("orders").key(&key).payload(&picture);
        let sent = producer.send(order, None).await;
        let sent = sent.map_err(|(error, _)| error)?;
        let (partition, offset) = (sent.partition, sent.offset);
        info!(target: "run", process = "checkout", topic = "orders", partition, offset, key, "acknowledged");
    }

    let packing: StreamConsumer = cluster
        .client_config()
        .set("group.id", "packing")
        .set("auto.offset.reset", "earliest")
        .create()?;
    packing.subscribe(&["orders"])?;
    let (mut packed, mut last) = (0, 0);
    while last < 15 {
        let record = packing.recv().await?;
        let key = String::from_utf8_lossy(record.key().unwrap_or_default());
        let (partition, offset) = (record.partition(), record.offset());
        info!(target: "run", process = "packing", topic = "orders", partition, offset, %key, "consumed");
        (packed, last) = (packed + 1, offset);
    }
    Ok(packed)
}
