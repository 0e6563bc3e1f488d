//! Ten orders, sent and flushed.
#![forbid(unsafe_code)]
use std::time::Duration;

use anyhow::Context;
use rdkafka::ClientConfig;
use rdkafka::producer::{
    BaseRecord, DefaultProducerContext, Producer, ThreadedProducer,
};

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().without_time().with_ansi(false).init();
    let brokers =
        std::env::var("KAFKA_BROKERS").context("KAFKA_BROKERS")?;
    let producer: ThreadedProducer<DefaultProducerContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).create()?;
    for order in 1..=10 {
        let key = format!("order-{order}");
        let record = BaseRecord::to("orders").key(&key).payload("2 mugs");
        producer.send(record).map_err(|(error, _)| error)?;
    }
    producer.flush(Duration::from_secs(10))?;
    tracing::info!(orders = 10, "sent");
    Ok(())
}
