//! One order, twice in the log: `cargo xtask run testbed doubled`
//!
//! The broker takes an order and its answer is lost, so the producer sends again: first a plain producer, then
//! one that is idempotent. The last line says how often the order is in each log.
#![forbid(unsafe_code)]

use std::time::Duration;

use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use testbed::local::{LocalCluster, LocalOptions};
use testbed::proxy::{Proxy, Then};
use testbed::{Cluster, TopicSpec};
use tracing::info;

/// Produce, in the protocol's table of API keys.
const PRODUCE: i16 = 0;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let proxy = Proxy::start().await?;
    let address = proxy.address().to_string();
    let options = LocalOptions::new(1).advertised(1, address);
    let kafka = LocalCluster::start(options).await?;
    proxy.set_upstream(kafka.broker(1)?.address().parse()?);
    let cluster: Cluster = kafka.into();

    let plain = send(&cluster, &proxy, "plain", "false").await?;
    let idempotent = send(&cluster, &proxy, "idempotent", "true").await?;
    info!(target: "run", process = "testbed", plain, idempotent, "outcome");
    Ok(())
}

/// Sends one order whose acknowledgement is lost on its way. How many records the log holds then.
async fn send(
    cluster: &Cluster,
    proxy: &Proxy,
    topic: &str,
    idempotence: &str,
) -> anyhow::Result<i64> {
    cluster
        .create_topic(&format!("{topic}:1").parse::<TopicSpec>()?)
        .await?;
    let producer: FutureProducer = cluster
        .client_config()
        .set("enable.idempotence", idempotence)
        .set("retry.backoff.ms", "50")
        .create()?;
    proxy.at_answer(PRODUCE, Then::Cut);
    let key = "order-1";
    let order = FutureRecord::to(topic).key(key).payload("2 mugs");
    info!(target: "run", process = "checkout", topic, key, "produced");
    let sent = producer.send(order, None).await;
    let sent = sent.map_err(|(error, _)| error)?;
    let (partition, offset) = (sent.partition, sent.offset);
    info!(target: "run", process = "checkout", topic, partition, offset, key, "acknowledged");
    let patience = Duration::from_secs(30);
    let (_, end) =
        producer.client().fetch_watermarks(topic, 0, patience)?;
    Ok(end)
}
