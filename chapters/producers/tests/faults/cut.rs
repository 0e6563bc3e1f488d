//! Acknowledgements that are lost: `cargo xtask run producers cut`
//!
//! 1,000 orders in ten rounds. In each round the answer to the first request is cut off: the broker has its ten
//! orders, and the producer cannot know. Once without idempotence, once with it.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use producers::{Outcome, Producer, ProducerConfig, Record};
use rdkafka::consumer::{BaseConsumer, Consumer};
use testbed::local::{LocalCluster, LocalOptions};
use testbed::proxy::{Proxy, Then};
use testbed::{Cluster, TopicSpec};
use tracing::info;

/// Produce, in the protocol's table of API keys.
const PRODUCE: i16 = 0;
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let proxy = Proxy::start().await?;
    let address = proxy.address().to_string();
    let options = LocalOptions::new(1).advertised(1, address);
    let kafka = LocalCluster::start(options).await?;
    proxy.set_upstream(kafka.broker(1)?.address().parse()?);
    let cluster: Cluster = kafka.into();
    tokio::select! {
        ended = shop(&cluster, &proxy) => ended,
        _ = tokio::signal::ctrl_c() => {
            info!(target: "run", process = "checkout", "stopped");
            Ok(())
        }
    }
}

async fn shop(cluster: &Cluster, proxy: &Proxy) -> anyhow::Result<()> {
    let plain = send(cluster, proxy, "plain", false).await?;
    let numbered = send(cluster, proxy, "numbered", true).await?;
    info!(target: "run", process = "checkout", sent = 1000, plain, numbered, "outcome");
    Ok(())
}

/// Sends 1,000 orders, each acknowledged. How many records the log holds then.
async fn send(
    cluster: &Cluster,
    proxy: &Proxy,
    topic: &'static str,
    idempotence: bool,
) -> anyhow::Result<i64> {
    cluster
        .create_topic(&format!("{topic}:1").parse::<TopicSpec>()?)
        .await?;
    // ANCHOR: cut
    let mut config = ProducerConfig::new(&cluster.bootstrap);
    config.idempotence = idempotence;
    config.max_in_flight = 1;
    config.linger = Duration::from_millis(200);
    config.extra.insert("batch.num.messages".into(), "10".into());
    // ANCHOR_END: cut
    // The pause before a new connection doubles each time, up to 10 s: a
    // round would take that long.
    for (key, ms) in [
        ("reconnect.backoff.ms", "50"),
        ("reconnect.backoff.max.ms", "100"),
    ] {
        config.extra.insert(key.into(), ms.into());
    }
    let acknowledged = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&acknowledged);
    let producer = Producer::start(&config, move |outcome: Outcome| {
        let Ok(place) = outcome.result else { return };
        count.fetch_add(1, Ordering::Relaxed);
        if outcome.token.is_multiple_of(100) {
            let (partition, offset) = (place.partition, place.offset);
            let key = format!("order-{}", outcome.token);
            info!(target: "run", process = "checkout", topic, partition, offset, key, "acknowledged");
        }
    })?;
    for round in 0..10 {
        proxy.at_answer(PRODUCE, Then::Cut);
        for order in round * 100..(round + 1) * 100 {
            producer.send(Record::new(topic, b"2 mugs", order)).await?;
        }
        producer.flush().await?;
    }
    producer.close(PATIENCE).await?;
    let acknowledged = acknowledged.load(Ordering::Relaxed);
    let client: BaseConsumer = cluster.client_config().create()?;
    let (_, stored) = client.fetch_watermarks(topic, 0, PATIENCE)?;
    info!(target: "run", process = "checkout", topic, sends = 1000, acknowledged, stored, "counted");
    Ok(stored)
}
