//! A full queue that nobody looks at: `cargo xtask break producers full`
#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::Context;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use tracing::info;

fn main() -> anyhow::Result<()> {
    logging::init()?;
    let brokers = std::env::var("KAFKA_BROKERS").context(
        "KAFKA_BROKERS is not set: start it with `cargo xtask break producers full`",
    )?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    // ANCHOR: full
    config
        .set("queue.buffering.max.messages", "100") // default: 100 000
        .set("linger.ms", "2000"); // so that nothing leaves meanwhile
    let producer: ThreadedProducer<_> = config
        .create_with_context(rdkafka::producer::DefaultProducerContext)?;
    for number in 1..=1_000 {
        let order = format!("order-{number}");
        let _ = producer
            .send(BaseRecord::to("orders").key(&order).payload("2 mugs"));
    }
    info!(target: "run", process = "checkout", orders = 1_000, "sent");
    producer.flush(Duration::from_secs(30))?;
    // ANCHOR_END: full
    let packing: BaseConsumer = config.create()?;
    let (first, next) =
        packing.fetch_watermarks("orders", 0, Duration::from_secs(10))?;
    info!(target: "run", process = "packing", sent = 1_000, stored = next - first, "outcome");
    Ok(())
}
