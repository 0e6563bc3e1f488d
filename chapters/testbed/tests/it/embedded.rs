//! The built-in broker: how fast, what it can, what it refuses, and what it may not hide.

use std::time::{Duration, Instant};

use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use testbed::embedded::Embedded;
use testbed::{Cluster, TestTopic, cluster, unique_name};
use tokio::time::timeout;

use crate::Result;

const PATIENCE: Duration = Duration::from_secs(20);

fn embedded() -> Result<Cluster> {
    Ok(Embedded::start(1)?.into())
}

/// Ready in under 100 ms. On a machine that does other things too, one start may wait for a core;
/// five do not.
#[test]
fn it_is_ready_at_once() -> Result {
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        drop(embedded()?);
        fastest = fastest.min(start.elapsed());
    }
    assert!(fastest < Duration::from_millis(100), "{fastest:?}");
    Ok(())
}

/// A group that forms on it does not wait the 3 s of a real one, nor of the mock's own default.
#[tokio::test]
async fn a_group_forms_at_once() -> Result {
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let cluster = embedded()?;
        let topic = TestTopic::new(&cluster, "orders", 1).await?;
        let producer: FutureProducer = cluster.client_config().create()?;
        producer
            .send(
                FutureRecord::to(topic.name()).key("k").payload("v"),
                None,
            )
            .await
            .map_err(|(error, _)| error)?;
        let start = Instant::now();
        let consumer: StreamConsumer = cluster
            .client_config()
            .set("group.id", unique_name("group"))
            .set("auto.offset.reset", "earliest")
            .create()?;
        consumer.subscribe(&[topic.name()])?;
        timeout(PATIENCE, consumer.recv()).await??;
        fastest = fastest.min(start.elapsed());
        if fastest < Duration::from_secs(2) {
            return Ok(());
        }
    }
    panic!("the fastest of five took {fastest:?}");
}

/// It keeps no topic configuration, and does not pretend to.
#[tokio::test]
async fn topic_configuration_is_refused() -> Result {
    let cluster = embedded()?;
    let mut topic: testbed::TopicSpec = "orders".parse()?;
    topic.config.push(("cleanup.policy".to_owned(), "compact".to_owned()));
    let error = cluster
        .create_topic(&topic)
        .await
        .expect_err("it would not compact");
    assert!(
        error.to_string().contains("which the built-in broker ignores"),
        "{error}"
    );
    Ok(())
}

/// A broker that a test took away hides no trimmed log.
#[tokio::test]
async fn a_broker_that_is_down_hides_nothing() -> Result {
    let cluster = embedded()?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let producer: FutureProducer = cluster.client_config().create()?;
    let half_a_mebibyte = "x".repeat(512 * 1024);
    for _ in 0..16 {
        let record = FutureRecord::to(topic.name())
            .key("k")
            .payload(&half_a_mebibyte);
        producer.send(record, None).await.map_err(|(error, _)| error)?;
    }
    cluster.as_embedded().ok_or("not built in")?.broker_down(1)?;
    drop(producer);
    drop(topic);
    let panic = tokio::task::spawn_blocking(move || drop(cluster))
        .await
        .unwrap_err();
    assert!(panic.is_panic());
    Ok(())
}

/// A topic has the partitions that were asked for, and creating it twice is refused.
#[tokio::test]
async fn topics_are_made_as_declared() -> Result {
    let cluster = embedded()?;
    let topic = TestTopic::new(&cluster, "orders", 6).await?;
    let consumer: StreamConsumer =
        cluster.client_config().set("group.id", "g").create()?;

    let metadata = consumer.fetch_metadata(Some(topic.name()), PATIENCE)?;
    assert_eq!(metadata.topics()[0].partitions().len(), 6);

    let again =
        cluster.create_topic(&format!("{}:6", topic.name()).parse()?).await;
    let error = again.unwrap_err();
    assert!(error.to_string().contains(topic.name()), "{error}");
    Ok(())
}

/// A topic is known by its name, and asking for one that is not there does not create it.
#[tokio::test]
async fn asking_for_a_topic_creates_none() -> Result {
    let cluster = embedded()?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    assert!(cluster.has_topic(topic.name()).await?);
    for _ in 0..2 {
        assert!(!cluster.has_topic("nobodys").await?);
    }
    Ok(())
}

/// Transactions work: what a transaction committed is there.
#[tokio::test]
async fn a_transaction_commits() -> Result {
    let cluster = embedded()?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let producer: FutureProducer = cluster
        .client_config()
        .set("transactional.id", unique_name("checkout"))
        .create()?;
    let name = topic.name().to_owned();
    let watermarks = tokio::task::spawn_blocking(move || {
        producer.init_transactions(PATIENCE)?;
        producer.begin_transaction()?;
        let sent = producer
            .send_result(FutureRecord::to(&name).key("k").payload("v"));
        sent.map_err(|(error, _)| error)?;
        producer.commit_transaction(PATIENCE)?;
        producer.client().fetch_watermarks(&name, 0, PATIENCE)
    })
    .await??;
    assert!(watermarks.1 >= 1, "{watermarks:?}");
    Ok(())
}

/// An injected error is what the client sees, and once taken back it is seen no more.
#[tokio::test]
async fn an_injected_error_reaches_the_producer() -> Result {
    let cluster = embedded()?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let embedded = cluster.as_embedded().ok_or("not built in")?;
    let producer: FutureProducer =
        cluster.client_config().set("retries", "0").create()?;
    let send = async || {
        let record = FutureRecord::to(topic.name()).key("k").payload("v");
        producer.send(record, None).await.map_err(|(error, _)| error)
    };

    let refused = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_POLICY_VIOLATION];
    embedded.fail_next(RDKafkaApiKey::Produce, &refused)?;
    let error = send().await.unwrap_err();
    assert_eq!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::PolicyViolation)
    );

    embedded.fail_next(RDKafkaApiKey::Produce, &refused)?;
    embedded.fail_no_more(RDKafkaApiKey::Produce)?;
    send().await?;
    Ok(())
}

/// A broker that is down acknowledges nothing; once it is up, the waiting record goes out.
#[tokio::test]
async fn a_broker_that_comes_back_gets_what_waited() -> Result {
    let cluster = embedded()?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let embedded = cluster.as_embedded().ok_or("not built in")?;
    let producer: FutureProducer = cluster.client_config().create()?;

    embedded.broker_down(1)?;
    let record = FutureRecord::to(topic.name()).key("k").payload("v");
    let mut sending = Box::pin(producer.send(record, None));
    let early = timeout(Duration::from_millis(300), &mut sending).await;
    assert!(early.is_err(), "acknowledged by a broker that is down");

    embedded.broker_up(1)?;
    timeout(PATIENCE, sending).await?.map_err(|(error, _)| error)?;
    Ok(())
}

/// claim: a-trimmed-log-is-an-error
///
/// librdkafka's mock forgets the oldest records past 5 MiB a partition, and tells nobody. We do.
// ANCHOR: trimmed
#[tokio::test]
async fn a_trimmed_log_is_an_error() -> Result {
    let cluster = embedded()?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let embedded = cluster.as_embedded().ok_or("not built in")?;
    let producer: FutureProducer = cluster.client_config().create()?;
    let half_a_mebibyte = "x".repeat(512 * 1024);
    let send = async || {
        let record = FutureRecord::to(topic.name())
            .key("k")
            .payload(&half_a_mebibyte);
        producer.send(record, None).await.map_err(|(error, _)| error)
    };

    for _ in 0..8 {
        send().await?;
    }
    assert!(embedded.trimmed()?.is_empty(), "4 MiB fit");
    for _ in 0..8 {
        send().await?;
    }
    assert_eq!(embedded.trimmed()?, [format!("{}:0", topic.name())]);
    Ok(())
}
// ANCHOR_END: trimmed

/// claim: a-trimmed-log-fails-its-test
///
/// Whoever has not asked is told by a panic, so that the test fails which counted on that log.
#[tokio::test]
async fn dropping_a_trimmed_log_unasked_panics() -> Result {
    let cluster = embedded()?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let producer: FutureProducer = cluster.client_config().create()?;
    let half_a_mebibyte = "x".repeat(512 * 1024);
    for _ in 0..16 {
        let record = FutureRecord::to(topic.name())
            .key("k")
            .payload(&half_a_mebibyte);
        producer.send(record, None).await.map_err(|(error, _)| error)?;
    }
    drop(producer);
    let name = topic.name().to_owned();
    drop(topic);
    let panic = tokio::task::spawn_blocking(move || drop(cluster))
        .await
        .unwrap_err();
    let message = *panic
        .into_panic()
        .downcast::<String>()
        .map_err(|_| "another panic")?;
    // Troubleshooting shows this file.
    let shown = message
        .replace(&name, "orders")
        .replace("orders:0: ", "orders:0:\n  ")
        .replace("partition. ", "partition.\n  ");
    assert_eq!(shown + "\n", include_str!("output/trimmed.txt"));
    Ok(())
}

/// A need that is no word of ours is refused before anything starts.
#[tokio::test]
async fn an_unknown_need_is_named() {
    let error =
        cluster("teleport").await.err().expect("no cluster can do that");
    assert!(
        error.to_string().contains("unknown need \"teleport\""),
        "{error}"
    );
}

/// Three brokers lead the partitions of a topic between them.
#[tokio::test]
async fn three_brokers_share_the_partitions() -> Result {
    let cluster: Cluster = Embedded::start(3)?.into();
    let topic = TestTopic::new(&cluster, "orders", 30).await?;
    let producer: FutureProducer = cluster.client_config().create()?;
    let metadata =
        producer.client().fetch_metadata(Some(topic.name()), PATIENCE)?;
    assert_eq!(metadata.brokers().len(), 3);
    // librdkafka's mock draws a leader for each: thirty draws of one broker do not happen.
    let mut leaders: Vec<i32> = metadata.topics()[0]
        .partitions()
        .iter()
        .map(|partition| partition.leader())
        .collect();
    leaders.sort_unstable();
    leaders.dedup();
    assert!(leaders.len() > 1, "all on one broker: {leaders:?}");
    let record = FutureRecord::<str, str>::to(topic.name())
        .payload("v")
        .partition(2);
    let sent =
        producer.send(record, None).await.map_err(|(error, _)| error)?;
    assert_eq!((sent.partition, sent.offset), (2, 0));
    Ok(())
}
