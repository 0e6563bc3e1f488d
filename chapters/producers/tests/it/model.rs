//! What becomes of a record when its future, its runtime or its process goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use producers::SendError;
use rdkafka::client::ClientContext;
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{
    BaseProducer, BaseRecord, FutureProducer, FutureRecord, Producer as _,
    ProducerContext,
};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use testbed::{TestTopic, cluster, eventually};

use crate::common::{
    FOR_EVER, PATIENCE, Result, come, config, order, send, shop, start,
    stored,
};

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

/// Counts delivery callbacks.
#[derive(Clone, Default)]
struct Reports(Arc<AtomicU64>);

impl ClientContext for Reports {}
impl ProducerContext for Reports {
    type DeliveryOpaque = ();
    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// claim: producers-who-never-polls-never-hears
///
/// With BaseProducer: the broker has the record, and no delivery callback runs before `poll`.
#[tokio::test]
async fn no_report_comes_before_poll() -> Result {
    let cluster = shop().await?;
    let reports = Reports::default();
    let producer: BaseProducer<Reports> =
        cluster.client_config().create_with_context(reports.clone())?;
    let record: BaseRecord<'_, str, str> =
        BaseRecord::to("orders").key("order-1").payload("2 mugs");
    producer.send(record).map_err(|(error, _)| error)?;
    eventually(PATIENCE, "the broker has it", async || {
        match stored(&cluster, "orders") {
            Ok(1) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await?;
    assert_eq!(reports.0.load(Ordering::SeqCst), 0);

    eventually(PATIENCE, "its report", async || {
        producer.poll(Duration::ZERO);
        let seen = reports.0.load(Ordering::SeqCst);
        if seen == 1 { Ok(()) } else { Err(format!("{seen}")) }
    })
    .await?;
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
    assert_eq!(log.join(" "), "2 3 4 5 1");
    Ok(())
}
