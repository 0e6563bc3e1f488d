//! Ten orders, sent and flushed, and each report looked at.
#![forbid(unsafe_code)]
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Context;
use rdkafka::producer::{
    BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer,
};
use rdkafka::{ClientConfig, ClientContext};

/// How many records the broker refused.
#[derive(Default)]
struct Refused(AtomicU32);

impl ClientContext for Refused {}

impl ProducerContext for Refused {
    type DeliveryOpaque = ();

    fn delivery(&self, report: &DeliveryResult<'_>, _: ()) {
        if report.is_err() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().without_time().with_ansi(false).init();
    let brokers =
        std::env::var("KAFKA_BROKERS").context("KAFKA_BROKERS")?;
    let producer: ThreadedProducer<Refused> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .create_with_context(Refused::default())?;
    for order in 1..=10 {
        let key = format!("order-{order}");
        let record = BaseRecord::to("orders").key(&key).payload("2 mugs");
        producer.send(record).map_err(|(error, _)| error)?;
    }
    producer.flush(Duration::from_secs(10))?;
    let refused = producer.context().0.load(Ordering::Relaxed);
    anyhow::ensure!(refused == 0, "the broker refused {refused} of 10");
    tracing::info!(orders = 10, "sent");
    Ok(())
}
