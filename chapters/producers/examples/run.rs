//! Five orders followed, then one `.await` moved: `cargo xtask run producers`
//!
//! Prints a line when an order is queued and one when the broker has it. Then 200 orders whose answer is
//! awaited each, and 20,000 for which only room is awaited.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use producers::{Outcome, Producer, ProducerConfig, Record};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use tracing::info;

const EACH: usize = 200;
const MANY: usize = 20_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let brokers = std::env::var("KAFKA_BROKERS")
        .context("no KAFKA_BROKERS: try `cargo xtask run producers`")?;
    let acknowledged = Arc::new(AtomicU64::new(0));
    let mut config = ProducerConfig::new(&brokers);
    // Long enough that all five are queued before the first leaves.
    config.linger = Duration::from_millis(300);
    let count = Arc::clone(&acknowledged);
    let followed = Producer::start(&config, move |outcome| {
        report(outcome, &count);
    })?;
    config.linger = Duration::from_millis(5); // librdkafka's default
    let count = Arc::clone(&acknowledged);
    let many = Producer::start(&config, move |outcome: Outcome| {
        count.fetch_add(outcome.result.is_ok().into(), Ordering::Relaxed);
    })?;

    // ANCHOR: stop
    let ended = tokio::select! {
        biased; // asked first, so watched before the first order
        signal = tokio::signal::ctrl_c() => signal.map_err(Into::into),
        ended = shop(&brokers, &followed, &many) => ended,
    };
    let patience = Duration::from_secs(30);
    // Sends what is queued, also after an error.
    let (first, second) =
        tokio::join!(followed.close(patience), many.close(patience));
    ended?;
    first?;
    second?;
    // ANCHOR_END: stop
    let acknowledged = acknowledged.load(Ordering::Relaxed);
    info!(target: "run", process = "checkout", acknowledged, "outcome");
    Ok(())
}

// ANCHOR: report
/// Runs on the producer's thread, once for each record.
fn report(outcome: Outcome, count: &AtomicU64) {
    let key = format!("order-{}", outcome.token);
    match outcome.result {
        Ok(place) => {
            let (partition, offset) = (place.partition, place.offset);
            count.fetch_add(1, Ordering::Relaxed);
            info!(
                target: "run", process = "checkout", topic = "orders",
                partition, offset, key, "acknowledged"
            );
        }
        Err(error) => {
            info!(
                target: "run", process = "checkout", topic = "orders",
                %error, key, "failed"
            );
        }
    }
}
// ANCHOR_END: report

async fn shop(
    brokers: &str,
    followed: &Producer,
    many: &Producer,
) -> anyhow::Result<()> {
    // ANCHOR: follow
    for order in 1..=5 {
        let key = format!("order-{order}");
        let record = Record::new("orders", b"2 mugs", order);
        followed.send(record.key(key.as_bytes())).await?;
        info!(
            target: "run", process = "checkout", topic = "orders",
            key, "produced"
        );
    }
    followed.flush().await?;
    // ANCHOR_END: follow

    let each: FutureProducer =
        ClientConfig::new().set("bootstrap.servers", brokers).create()?;
    let start = Instant::now();
    // ANCHOR: each
    for _ in 0..EACH {
        let record = FutureRecord::<(), _>::to("orders").payload("2 mugs");
        each.send(record, None).await.map_err(|(error, _)| error)?;
    }
    // ANCHOR_END: each
    let duration_ms = milliseconds(start);
    info!(target: "run", process = "checkout", orders = EACH, duration_ms, "awaited each answer");

    let start = Instant::now();
    // ANCHOR: many
    for order in 0..MANY {
        many.send(Record::new("orders", b"2 mugs", order)).await?;
    }
    many.flush().await?;
    // ANCHOR_END: many
    let duration_ms = milliseconds(start);
    info!(target: "run", process = "checkout", orders = MANY, duration_ms, "awaited room");
    Ok(())
}

fn milliseconds(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
