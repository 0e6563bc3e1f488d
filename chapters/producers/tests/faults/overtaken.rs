//! A retry comes last: `cargo xtask break producers overtaken`
//!
//! Five orders leave in five requests, without idempotence. A built-in broker refuses the first of them once, as one
//! does that has too few replicas for a moment, and takes the others.
#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::Context;
use producers::{Outcome, Producer, ProducerConfig, Record};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use testbed::Cluster;
use testbed::embedded::Embedded;
use tokio::sync::mpsc;
use tracing::info;

const PATIENCE: Duration = Duration::from_secs(60);
/// Until an answer comes: so long that all five are on their way by then.
const ROUND_TRIP: Duration = Duration::from_millis(300);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    tokio::select! {
        biased;
        signal = tokio::signal::ctrl_c() => {
            signal?;
            info!(target: "run", process = "checkout", "stopped");
        }
        done = checkout() => done?,
    }
    Ok(())
}

async fn checkout() -> anyhow::Result<()> {
    let built_in = Embedded::start(1)?;
    built_in.create_topic("orders", 1, 1)?;
    let cluster: Cluster = built_in.into();
    let built_in = cluster.as_embedded().context("not built in")?;
    built_in.round_trip_time(1, ROUND_TRIP)?;
    let too_few = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS];
    built_in.fail_next(RDKafkaApiKey::Produce, &too_few)?;

    // ANCHOR: overtaken
    let mut config = ProducerConfig::new(&cluster.bootstrap);
    config.idempotence = false;
    config.max_in_flight = 5;
    config.extra.insert("batch.num.messages".into(), "1".into());
    // ANCHOR_END: overtaken
    let (outcomes, mut seen) = mpsc::unbounded_channel();
    let producer = Producer::start(&config, move |outcome: Outcome| {
        let _ = outcomes.send(outcome); // nobody may listen any more
    })?;
    for order in 1..=5 {
        let key = format!("order-{order}");
        let record = Record::new("orders", b"2 mugs", order);
        producer.send(record.key(key.as_bytes())).await?;
        info!(
            target: "run", process = "checkout", topic = "orders",
            key, "produced"
        );
    }
    let mut log = Vec::new();
    for _ in 1..=5 {
        let outcome = seen.recv().await.context("an outcome is missing")?;
        let place = outcome.result?;
        let (partition, offset) = (place.partition, place.offset);
        let key = format!("order-{}", outcome.token);
        info!(
            target: "run", process = "checkout", topic = "orders",
            partition, offset, key, "acknowledged"
        );
        log.push((offset, outcome.token.to_string()));
    }
    producer.close(PATIENCE).await?;
    log.sort_unstable();
    let orders: Vec<_> = log.into_iter().map(|(_, order)| order).collect();
    let log = orders.join(" ");
    info!(target: "run", process = "checkout", log, "outcome");
    Ok(())
}
