//! Clients and reading that the tests share.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, StreamConsumer};
use rdkafka::message::OwnedMessage;
use rdkafka::producer::FutureProducer;
use testbed::{Cluster, unique_name};
use tokio::time::timeout;

/// Longer than anything here takes, so that a hanging test ends with a message.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub type Result<T = ()> =
    std::result::Result<T, Box<dyn std::error::Error>>;

pub fn producer(cluster: &Cluster) -> Result<FutureProducer> {
    Ok(cluster.client_config().create()?)
}

/// A consumer of a group of its own, which begins at the oldest record.
pub fn consumer(cluster: &Cluster, topic: &str) -> Result<StreamConsumer> {
    let consumer: StreamConsumer = cluster
        .client_config()
        .set("group.id", unique_name("packing"))
        .set("auto.offset.reset", "earliest")
        .create()?;
    consumer.subscribe(&[topic])?;
    Ok(consumer)
}

pub async fn next(consumer: &StreamConsumer) -> Result<OwnedMessage> {
    let record = timeout(PATIENCE, consumer.recv())
        .await
        .map_err(|_| "no record in 20 s")??;
    Ok(record.detach())
}

/// How many records a topic of one partition holds.
pub fn count(cluster: &Cluster, topic: &str) -> Result<i64> {
    let client: BaseConsumer = cluster.client_config().create()?;
    let (low, high) = client.fetch_watermarks(topic, 0, PATIENCE)?;
    Ok(high - low)
}
