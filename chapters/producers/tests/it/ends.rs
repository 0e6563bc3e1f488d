//! How a producer ends: dropped, closed, or by a handler that panics.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use producers::{Outcome, Producer, ProducerConfig, SendError};
use rdkafka::error::RDKafkaErrorCode;
use testbed::{TestTopic, cluster, eventually};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::common::{
    FOR_EVER, PATIENCE, Result, come, config, order, send, shop, start,
    stored,
};

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

/// claim: producers-a-purged-record-may-be-stored
///
/// The answer is slow, and nobody waits for it: the outcome says that the record was on its way, and it is in the
/// log.
#[tokio::test]
async fn a_record_purged_in_flight_is_stored_all_the_same() -> Result {
    let cluster = shop().await?;
    let broker = cluster.as_embedded().ok_or("not built in")?;
    let mut config = config(&cluster);
    config.linger = Duration::ZERO;
    let (producer, outcomes) = start(&config)?;
    // Now it knows the topic, and its next record leaves at once.
    send(&producer, "orders", 1).await?;
    producer.flush().await?;

    broker.round_trip_time(1, FOR_EVER)?;
    producer.send(order("orders", 1)).await?;
    let closed = producer.close(Duration::from_secs(1)).await;
    assert_eq!(closed.err().ok_or("answered")?.given_up, 1);
    let error = outcomes.all()[1].result.err().ok_or("acknowledged")?;
    assert_eq!(error.code, RDKafkaErrorCode::PurgeInflight);

    broker.round_trip_time(1, Duration::ZERO)?;
    assert_eq!(stored(&cluster, "orders")?, 2);
    Ok(())
}

/// Tells the thread's name when it is dropped.
struct DroppedOn(Option<oneshot::Sender<Option<String>>>);

impl Drop for DroppedOn {
    fn drop(&mut self) {
        let name = thread::current().name().map(str::to_owned);
        if let Some(tell) = self.0.take() {
            let _ = tell.send(name); // nobody may listen any more
        }
    }
}

/// A producer whose client says on which thread it was dropped: with it goes the handler.
fn watched(
    config: &ProducerConfig,
    handler: impl Fn(Outcome) + Send + Sync + 'static,
) -> Result<(Producer, oneshot::Receiver<Option<String>>)> {
    let (tell, told) = oneshot::channel();
    let dropped_on = DroppedOn(Some(tell));
    let producer = Producer::start(config, move |outcome| {
        let _with_the_handler = &dropped_on;
        handler(outcome);
    })?;
    Ok((producer, told))
}

/// Whoever drops the last handle does not wait for librdkafka's threads: the client is dropped on the producer's
/// own thread, with records under way, after `close`, and after a handler's panic.
#[tokio::test]
async fn the_client_is_dropped_on_the_producers_thread() -> Result {
    let cluster = shop().await?;
    let thread = Some("producer".to_owned());

    let mut lingering = config(&cluster);
    lingering.linger = FOR_EVER;
    let (producer, dropped_on) = watched(&lingering, |_| {})?;
    send(&producer, "orders", 10).await?;
    let clone = producer.clone();
    drop(producer);
    assert_eq!(clone.under_way().records, 10, "a handle is left");
    drop(clone);
    assert_eq!(timeout(PATIENCE, dropped_on).await??, thread);

    let (producer, mut dropped_on) = watched(&config(&cluster), |_| {})?;
    send(&producer, "orders", 10).await?;
    producer.close(PATIENCE).await?;
    assert!(dropped_on.try_recv().is_err(), "a handle is left");
    drop(producer);
    assert_eq!(timeout(PATIENCE, dropped_on).await??, thread);

    let (producer, mut dropped_on) = watched(&config(&cluster), |_| {
        panic!("a bug in the handler of this test")
    })?;
    send(&producer, "orders", 10).await?;
    assert_eq!(producer.flush().await, Err(SendError::Closed));
    assert!(dropped_on.try_recv().is_err(), "a handle is left");
    drop(producer);
    assert_eq!(timeout(PATIENCE, dropped_on).await??, thread);
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

/// `flush` of an open producer is `Ok`, however records come and go while it looks: here each takes room and gives
/// it back at once, since no topic can have that name.
#[tokio::test]
async fn flush_of_an_open_producer_never_says_closed() -> Result {
    let (producer, _) = start(&ProducerConfig::new("127.0.0.1:1"))?;
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let refused = producer.try_send(order("or\0ders", 0));
                assert!(matches!(refused, Err(SendError::Refused(_))));
            }
        });
        let flushed = futures::executor::block_on(async {
            for _ in 0..100_000 {
                producer.flush().await?;
            }
            Ok::<_, SendError>(())
        });
        stop.store(true, Ordering::Relaxed);
        flushed
    })?;
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

/// It panics at the first of three records that `close` gives up: three were given up, and each is counted once.
#[tokio::test]
async fn a_handler_that_panics_while_it_closes_counts_no_record_twice()
-> Result {
    let nobody_there = ProducerConfig::new("127.0.0.1:1");
    let producer = Producer::start(&nobody_there, |_| {
        panic!("a bug in the handler of this test")
    })?;
    send(&producer, "orders", 3).await?;
    let closed = producer.close(Duration::ZERO).await;
    assert_eq!(closed.err().ok_or("delivered")?.given_up, 3);
    Ok(())
}
