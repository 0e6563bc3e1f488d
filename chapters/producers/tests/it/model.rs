//! What becomes of a record when its future, its producer, its runtime or its process goes.

use std::time::Duration;

use futures::FutureExt;
use producers::{Class, Producer, Record, SendError};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use testbed::{TestTopic, cluster, eventually};
use tokio::time::timeout;

use crate::common::{
    FOR_EVER, Outcomes, PATIENCE, Result, config, shop, start, stored,
};

fn order(topic: &str, token: usize) -> Record<'_> {
    Record::new(topic, b"2 mugs", token)
}

async fn send(producer: &Producer, topic: &str, orders: usize) -> Result {
    for token in 0..orders {
        producer.send(order(topic, token)).await?;
    }
    Ok(())
}

async fn come(outcomes: &Outcomes, number: usize) -> Result {
    eventually(PATIENCE, "all outcomes", async || {
        let seen = outcomes.all().len();
        if seen == number { Ok(()) } else { Err(format!("{seen}")) }
    })
    .await?;
    Ok(())
}

/// claim: producers-ok-is-queued
///
/// `send` says Ok, and the broker has nothing: the batch lingers, also while another producer has been to the
/// broker and back.
#[tokio::test]
async fn ok_says_queued() -> Result {
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let mut lingering = config(&cluster);
    lingering.linger = FOR_EVER;
    let (producer, outcomes) = start(&lingering)?;
    let (other, _) = start(&config(&cluster))?;

    send(&producer, topic.name(), 3).await?;
    send(&other, topic.name(), 1).await?;
    other.flush().await?;
    assert_eq!(stored(&cluster, topic.name())?, 1);
    assert_eq!(producer.under_way().records, 3);
    assert!(outcomes.all().is_empty());
    Ok(())
}

/// Without a broker `flush` waits; with one it returns when every record has its outcome.
#[tokio::test]
async fn flush_waits_for_the_broker() -> Result {
    let cluster = shop().await?;
    let broker = cluster.as_embedded().ok_or("not built in")?;
    broker.broker_down(1)?;
    let (producer, outcomes) = start(&config(&cluster))?;
    send(&producer, "orders", 3).await?;
    assert!(producer.flush().now_or_never().is_none());

    broker.broker_up(1)?;
    producer.flush().await?;
    assert_eq!(stored(&cluster, "orders")?, 3);
    assert_eq!(outcomes.all().len(), 3);
    Ok(())
}

/// claim: producers-a-dropped-send-queues-nothing
///
/// The window is full, so `send` waits. Its future is dropped: the record was never queued, and the room that
/// the others leave is whole.
#[tokio::test]
async fn a_send_that_is_dropped_while_it_waits_queues_nothing() -> Result {
    let cluster = shop().await?;
    let broker = cluster.as_embedded().ok_or("not built in")?;
    broker.broker_down(1)?;
    let mut config = config(&cluster);
    config.window_records = 2;
    let (producer, outcomes) = start(&config)?;
    send(&producer, "orders", 2).await?;

    let waiting = producer.send(order("orders", 2)).now_or_never();
    assert!(waiting.is_none(), "the third has to wait");
    let refused = producer.try_send(order("orders", 3));
    assert_eq!(refused, Err(SendError::WindowFull));

    broker.broker_up(1)?;
    producer.flush().await?;
    assert_eq!(outcomes.all().len(), 2);
    assert_eq!(stored(&cluster, "orders")?, 2);
    assert_eq!(producer.under_way().records, 0);
    Ok(())
}

/// claim: producers-a-dropped-answer-recalls-nothing
///
/// With FutureProducer: the future of the answer is dropped at once, and the record arrives all the same.
#[tokio::test]
async fn a_dropped_answer_recalls_no_record() -> Result {
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let producer: FutureProducer = cluster.client_config().create()?;

    let record =
        FutureRecord::to(topic.name()).key("order-1").payload("2 mugs");
    let answer =
        producer.send_result(record).map_err(|(error, _)| error)?;
    drop(answer);

    producer.flush(PATIENCE)?;
    assert_eq!(stored(&cluster, topic.name())?, 1);
    Ok(())
}

/// claim: producers-drop-gives-up
///
/// 100 orders are queued when the producer is dropped: the topic gets none, and each outcome says so.
#[tokio::test]
async fn a_dropped_producer_loses_its_queue_and_says_so() -> Result {
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let mut config = config(&cluster);
    config.linger = FOR_EVER;
    let (producer, outcomes) = start(&config)?;
    send(&producer, topic.name(), 100).await?;
    drop(producer);

    come(&outcomes, 100).await?;
    for outcome in outcomes.all() {
        let error = outcome.result.err().ok_or("acknowledged")?;
        assert_eq!(error.code, RDKafkaErrorCode::PurgeQueue);
    }
    assert_eq!(stored(&cluster, topic.name())?, 0);
    Ok(())
}

/// claim: producers-close-delivers
///
/// The same with `close`: all arrive, and after it nothing is taken.
#[tokio::test]
async fn close_delivers_what_is_queued() -> Result {
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let mut config = config(&cluster);
    // So long that the batch is there when `close` is called.
    config.linger = Duration::from_millis(300);
    let (producer, outcomes) = start(&config)?;
    send(&producer, topic.name(), 100).await?;

    producer.close(PATIENCE).await?;
    assert_eq!(outcomes.all().len(), 100);
    assert_eq!(stored(&cluster, topic.name())?, 100);
    let late = producer.send(order(topic.name(), 100)).await;
    assert_eq!(late, Err(SendError::Closed));
    Ok(())
}

/// The broker is gone for good: `close` ends in time and counts what it gave up.
#[tokio::test]
async fn close_gives_up_in_time_and_says_how_many() -> Result {
    let cluster = shop().await?;
    cluster.as_embedded().ok_or("not built in")?.broker_down(1)?;
    let (producer, outcomes) = start(&config(&cluster))?;
    send(&producer, "orders", 5).await?;

    let closed = producer.close(Duration::from_millis(100)).await;
    assert_eq!(closed.err().ok_or("closed")?.given_up, 5);
    assert_eq!(outcomes.all().len(), 5);
    let again = producer.close(PATIENCE).await;
    assert_eq!(again.err().ok_or("forgotten")?.given_up, 5);
    Ok(())
}

/// `close` is dropped while it waits: the producer stays closed, what is under way goes on, and a second
/// `close` waits for it.
#[tokio::test]
async fn a_dropped_close_can_be_called_again() -> Result {
    let cluster = shop().await?;
    let broker = cluster.as_embedded().ok_or("not built in")?;
    broker.broker_down(1)?;
    let (producer, _) = start(&config(&cluster))?;
    send(&producer, "orders", 5).await?;

    assert!(producer.close(PATIENCE).now_or_never().is_none());
    assert!(producer.flush().now_or_never().is_none());
    assert_eq!(
        producer.try_send(order("orders", 5)),
        Err(SendError::Closed)
    );
    broker.broker_up(1)?;
    producer.close(PATIENCE).await?;
    assert_eq!(stored(&cluster, "orders")?, 5);
    Ok(())
}

/// Four tasks send while the producer is closed: what was taken has one outcome, what was not has none, and
/// nobody waits for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_record_taken_while_it_closes_has_one_outcome() -> Result {
    let cluster = shop().await?;
    for within in [Duration::ZERO, PATIENCE] {
        let mut config = config(&cluster);
        // So small that some wait for room when it closes.
        config.window_records = 20;
        let (producer, outcomes) = start(&config)?;
        let tasks = (0..4).map(|task| {
            let producer = producer.clone();
            tokio::spawn(async move {
                let mut taken = Vec::new();
                for token in (task..).step_by(4) {
                    match producer.send(order("orders", token)).await {
                        Ok(()) => taken.push(token),
                        Err(refused) => return (taken, refused),
                    }
                }
                unreachable!("there are more tokens than a test can send")
            })
        });
        let tasks: Vec<_> = tasks.collect();
        eventually(PATIENCE, "it is busy", async || {
            let seen = outcomes.all().len();
            if seen > 100 { Ok(()) } else { Err(format!("{seen}")) }
        })
        .await?;
        let closed = producer.close(within).await;

        let mut taken = Vec::new();
        for task in tasks {
            let (of_task, refused) = timeout(PATIENCE, task).await??;
            assert_eq!(refused, SendError::Closed);
            taken.extend(of_task);
        }
        taken.sort_unstable();
        let all = outcomes.all();
        let mut seen: Vec<_> = all.iter().map(|one| one.token).collect();
        seen.sort_unstable();
        assert_eq!(seen, taken);
        let lost = all.iter().filter(|one| one.result.is_err()).count();
        let said = closed.err().map_or(0, |error| error.given_up);
        assert_eq!(said, lost as u64);
    }
    Ok(())
}

/// A window that always has room is no reason to keep the runtime to oneself: other tasks of the thread run, too.
#[tokio::test]
async fn a_sender_with_room_lets_others_run() -> Result {
    let cluster = shop().await?;
    let (producer, _) = start(&config(&cluster))?;
    let other = tokio::spawn(async {});
    send(&producer, "orders", 1000).await?;
    assert!(other.is_finished(), "1,000 sends, and nobody else ran");
    Ok(())
}

/// claim: producers-outlives-the-runtime
///
/// The runtime that sent is shut down: the producer's threads are not its own, and the orders arrive.
#[test]
fn records_outlive_the_runtime_that_sent_them() -> Result {
    let first = tokio::runtime::Runtime::new()?;
    let cluster = first.block_on(shop())?;
    let (producer, outcomes) = start(&config(&cluster))?;
    first.block_on(send(&producer, "orders", 10))?;
    first.shutdown_background();

    let second = tokio::runtime::Runtime::new()?;
    second.block_on(come(&outcomes, 10))?;
    assert!(outcomes.all().iter().all(|outcome| outcome.result.is_ok()));
    assert_eq!(stored(&cluster, "orders")?, 10);
    Ok(())
}

/// claim: producers-memory-is-bounded
///
/// Four tasks send 1,000 orders each to a slow broker: never are more than 100 under way, each order has one
/// outcome, and the orders of one task stand in the log in the order in which it sent them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slow_broker_makes_senders_wait_and_keeps_their_order() -> Result
{
    let cluster = shop().await?;
    let broker = cluster.as_embedded().ok_or("not built in")?;
    broker.round_trip_time(1, Duration::from_millis(5))?;
    let mut config = config(&cluster);
    config.window_records = 100;
    let (producer, outcomes) = start(&config)?;

    let tasks = (0..4).map(|task| {
        let producer = producer.clone();
        tokio::spawn(async move {
            let mut most = 0;
            for number in 0..1000 {
                producer
                    .send(order("orders", task * 1000 + number))
                    .await?;
                most = most.max(producer.under_way().records);
            }
            Ok::<_, SendError>(most)
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        let most = task.await??;
        assert!((50..=100).contains(&most), "{most} were under way");
    }
    producer.flush().await?;

    let mut seen = Vec::new();
    for outcome in outcomes.all() {
        seen.push((outcome.token, outcome.result?.offset));
    }
    seen.sort_unstable();
    assert_eq!(seen.len(), 4000);
    for (at, pair) in seen.windows(2).enumerate() {
        let [(before, first), (after, second)] = pair else { continue };
        assert_eq!((*before, *after), (at, at + 1), "one outcome each");
        assert!(after % 1000 == 0 || first < second, "{pair:?}");
    }
    Ok(())
}

/// Headers are memory too: they count in the window and leave it with their record.
#[tokio::test]
async fn headers_count_in_the_window() -> Result {
    let cluster = shop().await?;
    let broker = cluster.as_embedded().ok_or("not built in")?;
    broker.broker_down(1)?;
    let (producer, _) = start(&config(&cluster))?;
    let value = vec![0; 1000];
    let mut headers = OwnedHeaders::new();
    for key in ["trace", "tenant"] {
        headers = headers.insert(Header { key, value: Some(&value) });
    }
    let none: Header<'_, &[u8]> = Header { key: "none", value: None };
    let mut record = order("orders", 0).key(b"order-0");
    record.headers = Some(headers.insert(none));
    producer.send(record).await?;
    let expected =
        "2 mugs".len() + "order-0".len() + "tracetenantnone".len();
    assert_eq!(producer.under_way().bytes, expected as u64 + 2000);

    broker.broker_up(1)?;
    producer.flush().await?;
    assert_eq!(producer.under_way().bytes, 0);
    Ok(())
}

/// The broker has lost count of a numbered producer: which records are in the log cannot be known any more. The
/// producer is dead, says so of the record and of each that comes after it, and a new one goes on.
#[tokio::test]
async fn a_broker_that_lost_count_ends_a_numbered_producer() -> Result {
    let cluster = shop().await?;
    let broker = cluster.as_embedded().ok_or("not built in")?;
    let (producer, outcomes) = start(&config(&cluster))?;
    send(&producer, "orders", 1).await?;
    producer.flush().await?;
    broker.fail_next(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER],
    )?;
    producer.send(order("orders", 1)).await?;
    producer.flush().await?;

    let lost = outcomes.all()[1].result.err().ok_or("acknowledged")?;
    assert_eq!(lost.class(), Class::Fatal, "{lost}");
    let next = producer.send(order("orders", 2)).await;
    let next = next.err().ok_or("queued by a dead producer")?;
    assert_eq!(next.class(), Class::Fatal, "{next:?}");
    assert_eq!(producer.under_way().records, 0, "what was refused left");

    let (another, _) = start(&config(&cluster))?;
    send(&another, "orders", 1).await?;
    another.flush().await?;
    assert_eq!(stored(&cluster, "orders")?, 2);
    Ok(())
}

/// claim: producers-a-record-times-out
///
/// No broker answers: after `delivery_timeout` the outcome says so, and that another attempt may succeed.
#[tokio::test]
async fn a_record_without_answer_times_out() -> Result {
    let cluster = shop().await?;
    cluster.as_embedded().ok_or("not built in")?.broker_down(1)?;
    let mut config = config(&cluster);
    config.delivery_timeout = Duration::from_millis(300);
    let (producer, outcomes) = start(&config)?;
    send(&producer, "orders", 1).await?;

    come(&outcomes, 1).await?;
    let error = outcomes.all()[0].result.err().ok_or("acknowledged")?;
    assert_eq!(error.code, RDKafkaErrorCode::MessageTimedOut);
    assert_eq!(error.class(), Class::Retriable);
    Ok(())
}

/// Too large for the producer: refused at once, with the sizes. Too large for the broker: refused by its
/// answer. Neither is worth another attempt.
#[tokio::test]
async fn a_record_that_is_too_large_is_refused() -> Result {
    let cluster = shop().await?;
    let (producer, outcomes) = start(&config(&cluster))?;
    let large = vec![0; 1_000_001];
    let refused = producer.send(Record::new("orders", &large, 0)).await;
    let expected =
        SendError::TooLarge { bytes: 1_000_001, limit: 1_000_000 };
    assert_eq!(refused, Err(expected));

    let broker = cluster.as_embedded().ok_or("not built in")?;
    broker.fail_next(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE],
    )?;
    send(&producer, "orders", 1).await?;
    producer.flush().await?;
    let error = outcomes.all()[0].result.err().ok_or("acknowledged")?;
    assert_eq!(error.class(), Class::Record);
    Ok(())
}

/// claim: producers-a-retry-can-overtake
///
/// Five requests may be without answer, and the first is refused once: it is tried again behind the others.
/// Without idempotence, nothing puts it back.
#[tokio::test]
async fn a_retry_without_idempotence_comes_after_its_followers() -> Result {
    let cluster = shop().await?;
    let broker = cluster.as_embedded().ok_or("not built in")?;
    let mut config = config(&cluster);
    config.idempotence = false;
    config.extra.insert("batch.num.messages".into(), "1".into());
    let (producer, outcomes) = start(&config)?;
    // All five are on their way before the first answer comes.
    broker.round_trip_time(1, Duration::from_millis(300))?;
    broker.fail_next(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS],
    )?;
    send(&producer, "orders", 5).await?;
    producer.flush().await?;

    let mut log = Vec::new();
    for outcome in outcomes.all() {
        log.push((outcome.result?.offset, outcome.token + 1));
    }
    log.sort_unstable();
    let log: Vec<_> =
        log.iter().map(|(_, order)| order.to_string()).collect();
    // The page asks for this.
    assert_eq!(log.join(" "), "2 3 4 5 1");
    Ok(())
}

/// A property that librdkafka does not know is named, and its value is not: it may be a password.
#[tokio::test]
async fn a_wrong_property_is_named_without_its_value() -> Result {
    let mut config = producers::ProducerConfig::new("localhost:9092");
    config.extra.insert("sasl.pasword".into(), "hunter2".into());
    let error = start(&config).err().ok_or("started")?;
    let said = format!("{error} {error:?}");
    assert!(said.contains("sasl.pasword"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    Ok(())
}

/// A handler that panics ends its producer: nobody waits for ever, and records are given up.
#[tokio::test]
async fn a_handler_that_panics_closes_its_producer() -> Result {
    let cluster = shop().await?;
    let producer = Producer::start(&config(&cluster), |_| {
        panic!("a bug in the handler of this test")
    })?;
    send(&producer, "orders", 3).await?;
    assert_eq!(producer.flush().await, Err(SendError::Closed));
    assert_eq!(
        producer.send(order("orders", 3)).await,
        Err(SendError::Closed)
    );
    let closed = producer.close(PATIENCE).await;
    assert_eq!(closed.err().ok_or("closed")?.given_up, 3);
    Ok(())
}
