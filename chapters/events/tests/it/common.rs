//! Clients and reading that the tests share.

use std::time::Duration;

use events::Record;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::OwnedMessage;
use rdkafka::producer::{FutureProducer, FutureRecord};
use testbed::{Cluster, unique_name};
use tokio::time::timeout;

/// Longer than anything here takes, so that a hanging test ends with a message.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub type Result<T = ()> =
    std::result::Result<T, Box<dyn std::error::Error>>;

pub fn producer(cluster: &Cluster) -> Result<FutureProducer> {
    Ok(cluster.client_config().create()?)
}

/// A consumer of a group of its own, which begins at the oldest record.
pub fn consumer(
    cluster: &Cluster,
    topics: &[&str],
) -> Result<StreamConsumer> {
    let consumer: StreamConsumer = cluster
        .client_config()
        .set("group.id", unique_name("reader"))
        .set("auto.offset.reset", "earliest")
        .create()?;
    consumer.subscribe(topics)?;
    Ok(consumer)
}

pub async fn next(consumer: &StreamConsumer) -> Result<OwnedMessage> {
    let record = timeout(PATIENCE, consumer.recv())
        .await
        .map_err(|_| "no record in 30 s")??;
    Ok(record.detach())
}

pub async fn send(
    producer: &FutureProducer,
    record: &Record,
) -> Result<(i32, i64)> {
    let sent = producer
        .send(record.future_record(), PATIENCE)
        .await
        .map_err(|(error, _)| error)?;
    Ok((sent.partition, sent.offset))
}

/// Sends bytes that no producer of ours would.
pub async fn send_raw(
    producer: &FutureProducer,
    topic: &str,
    key: Option<&str>,
    payload: Option<&[u8]>,
) -> Result {
    let mut record: FutureRecord<'_, str, [u8]> = FutureRecord::to(topic);
    record.key = key;
    record.payload = payload;
    producer.send(record, PATIENCE).await.map_err(|(error, _)| error)?;
    Ok(())
}
