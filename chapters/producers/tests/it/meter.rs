//! What the counters say, read by a recorder.

use std::time::Duration;

use metrics::Key;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use producers::{Producer, ProducerConfig, Record};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::common::{FOR_EVER, PATIENCE, Result, config, shop, start};

/// What the recorder has: each counter's sum, and of each histogram the number of samples. A look empties it.
fn look(recorder: &DebuggingRecorder) -> Vec<(Key, u64)> {
    let all = recorder.snapshotter().snapshot().into_vec().into_iter();
    all.map(|(key, .., value)| {
        let count = match value {
            DebugValue::Counter(count) => count,
            DebugValue::Histogram(samples) => samples.len() as u64,
            DebugValue::Gauge(_) => 0,
        };
        (key.key().clone(), count)
    })
    .collect()
}

fn counted(seen: &[(Key, u64)], name: &str) -> u64 {
    let named = seen.iter().filter(|(key, _)| key.name() == name);
    named.map(|(_, count)| count).sum()
}

/// After `flush` the counters hold each record that the broker has; a record that the broker refused is counted
/// apart, by its class.
#[tokio::test]
async fn counters_hold_what_was_produced_and_what_failed() -> Result {
    let cluster = shop().await?;
    let broker = cluster.as_embedded().ok_or("not built in")?;
    let recorder = DebuggingRecorder::new();
    let (producer, _) = metrics::with_local_recorder(&recorder, || {
        start(&config(&cluster))
    })?;
    for order in 0..1500 {
        producer.send(Record::new("orders", b"2 mugs", order)).await?;
    }
    producer.flush().await?;
    broker.fail_next(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED],
    )?;
    producer.send(Record::new("orders", b"2 mugs", 1500)).await?;
    producer.flush().await?;

    let seen = look(&recorder);
    assert_eq!(counted(&seen, "kafka_messages_produced_total"), 1500);
    let failed = |class: &str| -> u64 {
        let errors = seen.iter().filter(|(key, _)| {
            key.name() == "kafka_produce_errors_total"
                && key.labels().any(|label| label.value() == class)
        });
        errors.map(|(_, count)| count).sum()
    };
    let classes = ["record", "retriable", "fatal"];
    assert_eq!(classes.map(failed), [1, 0, 0]);
    Ok(())
}

/// No broker answers, and records go on coming: the first that fail are told at once, long before they are many, and
/// while others are under way.
#[tokio::test]
async fn a_failure_is_told_while_others_are_under_way() -> Result {
    let cluster = shop().await?;
    cluster.as_embedded().ok_or("not built in")?.broker_down(1)?;
    let mut config = config(&cluster);
    config.delivery_timeout = Duration::from_millis(500);
    let recorder = DebuggingRecorder::new();
    let (producer, outcomes) =
        metrics::with_local_recorder(&recorder, || start(&config))?;
    testbed::eventually(PATIENCE, "the first failure", async || {
        let order = Record::new("orders", b"2 mugs", 0);
        producer.try_send(order).map_err(|error| error.to_string())?;
        let seen = look(&recorder);
        match counted(&seen, "kafka_produce_errors_total") {
            0 => Err("none yet".to_owned()),
            _ => Ok(()),
        }
    })
    .await?;
    assert!(outcomes.all().len() < 1_024, "{}", outcomes.all().len());
    Ok(())
}

/// The handler panics at the second record of a batch: the first is told.
#[tokio::test]
async fn what_came_before_a_panic_is_told() -> Result {
    let cluster = shop().await?;
    let recorder = DebuggingRecorder::new();
    let producer = metrics::with_local_recorder(&recorder, || {
        Producer::start(&config(&cluster), |outcome| {
            assert_eq!(outcome.token, 0, "a bug in the handler");
        })
    })?;
    for order in 0..3 {
        producer.send(Record::new("orders", b"2 mugs", order)).await?;
    }
    let closed = producer.close(PATIENCE).await;
    assert_eq!(closed.err().ok_or("closed")?.given_up, 2);
    let seen = look(&recorder);
    assert_eq!(counted(&seen, "kafka_messages_produced_total"), 1);
    Ok(())
}

/// A broker that goes away is an error of the connection.
#[tokio::test]
async fn a_lost_connection_is_counted() -> Result {
    let cluster = shop().await?;
    let recorder = DebuggingRecorder::new();
    let (producer, _) = metrics::with_local_recorder(&recorder, || {
        start(&config(&cluster))
    })?;
    producer.send(Record::new("orders", b"2 mugs", 0)).await?;
    producer.flush().await?;
    cluster.as_embedded().ok_or("not built in")?.broker_down(1)?;
    let mut errors = 0;
    testbed::eventually(PATIENCE, "a connection error", async || {
        errors +=
            counted(&look(&recorder), "kafka_connection_errors_total");
        if errors > 0 { Ok(()) } else { Err("none yet") }
    })
    .await?;
    Ok(())
}

/// Nobody listens where one broker should be, or two: each connection that fails is one error, and that all brokers
/// are down is none.
#[tokio::test]
async fn each_failed_connection_is_counted_once() -> Result {
    for (brokers, failed) in
        [("127.0.0.1:1", 1), ("127.0.0.1:1,127.0.0.1:2", 2)]
    {
        let mut config = ProducerConfig::new(brokers);
        // Each is tried once, and not again while this test runs.
        for name in ["reconnect.backoff.ms", "reconnect.backoff.max.ms"] {
            let ms = FOR_EVER.as_millis().to_string();
            config.extra.insert(name.to_owned(), ms);
        }
        let recorder = DebuggingRecorder::new();
        let (producer, _) =
            metrics::with_local_recorder(&recorder, || start(&config))?;
        producer.send(Record::new("orders", b"2 mugs", 0)).await?;
        let mut errors = 0;
        let mut more = || {
            errors +=
                counted(&look(&recorder), "kafka_connection_errors_total");
            errors
        };
        testbed::eventually(PATIENCE, "each error", async || {
            let seen = more();
            if seen >= failed { Ok(()) } else { Err(format!("{seen}")) }
        })
        .await?;
        // The report of the record that is given up comes behind all that librdkafka had told by now.
        let given_up = producer.close(Duration::ZERO).await;
        assert_eq!(given_up.err().ok_or("delivered")?.given_up, 1);
        assert_eq!(more(), failed, "{brokers}");
    }
    Ok(())
}

/// The built-in broker stamps records itself, which hides when they were sent.
mod real_kafka {
    use super::*;
    use testbed::{TestTopic, cluster};

    /// After `flush` there is one latency at least.
    #[tokio::test]
    async fn latency_is_measured() -> Result {
        let cluster = cluster("admin").await?;
        let topic = TestTopic::new(&cluster, "orders", 1).await?;
        let recorder = DebuggingRecorder::new();
        let (producer, _) =
            metrics::with_local_recorder(&recorder, || {
                start(&config(&cluster))
            })?;
        producer.send(Record::new(topic.name(), b"2 mugs", 0)).await?;
        producer.flush().await?;
        let seen = look(&recorder);
        assert_eq!(counted(&seen, "kafka_produce_duration_seconds"), 1);
        Ok(())
    }
}
