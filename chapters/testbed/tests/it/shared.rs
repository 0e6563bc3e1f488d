//! What a test writes: a cluster, a topic of its own, and waiting.

use std::time::Duration;

use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use testbed::{TestTopic, cluster, eventually, unique_name};
use tokio::time::timeout;

use crate::Result;

const PATIENCE: Duration = Duration::from_secs(20);

// ANCHOR: test
/// What checkout sends, packing receives.
#[tokio::test]
async fn an_order_arrives() -> Result {
    let cluster = cluster("").await?;
    let orders = TestTopic::new(&cluster, "orders", 3).await?;

    let producer: FutureProducer = cluster.client_config().create()?;
    let order = FutureRecord::to(orders.name()).key("17").payload("2 mugs");
    producer.send(order, None).await.map_err(|(error, _)| error)?;

    let packing: StreamConsumer = cluster
        .client_config()
        .set("group.id", unique_name("packing"))
        .set("auto.offset.reset", "earliest")
        .create()?;
    packing.subscribe(&[orders.name()])?;
    let record = timeout(PATIENCE, packing.recv()).await??;
    assert_eq!(record.payload(), Some(b"2 mugs".as_slice()));
    Ok(())
}
// ANCHOR_END: test

/// claim: one-name-two-topics
///
/// Two tests that both call their topic `orders` do not meet.
#[tokio::test]
async fn topics_of_one_name_are_two_topics() -> Result {
    let cluster = cluster("").await?;
    let ours = TestTopic::new(&cluster, "orders", 1).await?;
    let theirs = TestTopic::new(&cluster, "orders", 1).await?;
    let producer: FutureProducer = cluster.client_config().create()?;

    for n in 0..5 {
        let key = n.to_string();
        let order =
            FutureRecord::to(ours.name()).key(&key).payload("1 mug");
        producer.send(order, None).await.map_err(|(error, _)| error)?;
    }

    let client = producer.client();
    assert_eq!(client.fetch_watermarks(ours.name(), 0, PATIENCE)?, (0, 5));
    assert_eq!(
        client.fetch_watermarks(theirs.name(), 0, PATIENCE)?,
        (0, 0)
    );
    Ok(())
}

/// claim: a-commit-names-the-next-record
///
/// A commit is visible to everybody some time after it was made: wait until it is, and no longer.
#[tokio::test]
async fn a_commit_is_seen() -> Result {
    let cluster = cluster("").await?;
    let orders = TestTopic::new(&cluster, "orders", 1).await?;
    let producer: FutureProducer = cluster.client_config().create()?;
    let order = FutureRecord::to(orders.name()).key("17").payload("2 mugs");
    producer.send(order, None).await.map_err(|(error, _)| error)?;

    let packing: StreamConsumer = cluster
        .client_config()
        .set("group.id", unique_name("packing"))
        .set("auto.offset.reset", "earliest")
        .set("auto.commit.interval.ms", "100")
        .create()?;
    packing.subscribe(&[orders.name()])?;
    timeout(PATIENCE, packing.recv()).await??;

    // ANCHOR: eventually
    let what = "packing has committed offset 1";
    let offset = eventually(PATIENCE, what, async || {
        let committed =
            packing.committed(PATIENCE).map_err(|e| e.to_string())?;
        let partition = committed.find_partition(orders.name(), 0);
        match partition.and_then(|partition| partition.offset().to_raw()) {
            Some(1) => Ok(1),
            other => Err(format!("{other:?}")),
        }
    })
    .await?;
    // ANCHOR_END: eventually
    assert_eq!(offset, 1);
    Ok(())
}

/// claim: a-failure-says-what-was-missing
///
/// A condition that never comes true: the message says what was waited for and what was seen.
#[tokio::test(start_paused = true)]
async fn the_message_says_what_was_missing() -> Result {
    let waited: std::result::Result<(), _> = eventually(
        PATIENCE,
        "packing has committed offset 1",
        async || Err("Some(0)"),
    )
    .await;
    // The page shows this file. The clock is paused, so that the time is always the same.
    let message = format!("{}\n", waited.unwrap_err());
    assert_eq!(message, include_str!("output/timed_out.txt"));
    Ok(())
}
