//! Ids that travel through a broker in a record's headers.

use anyhow::Result;
use logging::{Correlation, CorrelationId, HeaderError};
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::{Header, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord};
use testbed::{Cluster, TestTopic, cluster, unique_name};
use tokio::time::timeout;

use crate::PATIENCE;

async fn there_and_back(
    cluster: &Cluster,
    topic: &TestTopic,
    headers: OwnedHeaders,
) -> Result<OwnedMessage> {
    let producer: FutureProducer = cluster.client_config().create()?;
    let consumer: StreamConsumer = cluster
        .client_config()
        .set("group.id", unique_name("reader"))
        .set("auto.offset.reset", "earliest")
        .create()?;
    consumer.subscribe(&[topic.name()])?;
    let record = FutureRecord::to(topic.name())
        .key("order-1")
        .payload("1")
        .headers(headers);
    producer.send(record, PATIENCE).await.map_err(|(error, _)| error)?;
    Ok(timeout(PATIENCE, consumer.recv()).await??.detach())
}

/// Checkout sends an order; payment reads it and knows the id, and names the order as the cause of what it sends.
#[tokio::test]
async fn an_id_arrives_as_it_was_sent() -> Result<()> {
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let first = Correlation::start(CorrelationId::random());
    let record =
        there_and_back(&cluster, &topic, first.put_in(OwnedHeaders::new()))
            .await?;

    let read = Correlation::take_from(&record)?;

    assert_eq!(read.as_ref(), Some(&first));
    let next = first.next_after(&record);
    let place = format!("{}-0@0", topic.name());
    assert_eq!(next.cause.map(|cause| cause.to_string()), Some(place));
    Ok(())
}

/// claim: bytes-that-are-no-id-are-an-error
///
/// A service that is not ours puts bytes into the header that are no text, or none at all.
#[tokio::test]
async fn what_is_no_id_is_an_error_that_names_the_header() -> Result<()> {
    let cluster = cluster("").await?;
    for value in [Some(&[0xff_u8, 0x00][..]), Some(&[]), None] {
        let topic = TestTopic::new(&cluster, "orders", 1).await?;
        let headers = OwnedHeaders::new()
            .insert(Header { key: logging::CORRELATION_ID, value });
        let record = there_and_back(&cluster, &topic, headers).await?;
        let error = Correlation::take_from(&record).expect_err("no id");
        assert!(error.to_string().contains("`correlation-id`"), "{error}");
        assert_eq!(
            matches!(error, HeaderError::NoValue(_)),
            value.is_none(),
            "{error:?}"
        );
    }
    Ok(())
}
