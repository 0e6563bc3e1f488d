//! Orders as records: keys, headers, groups, and where a new group begins.

use std::time::Duration;

use quickstart::{Order, read, send};
use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::FutureRecord;
use testbed::{TestTopic, cluster, eventually, unique_name};

use crate::common::{PATIENCE, Result, consumer, next, producer};

fn order(id: &str) -> Order {
    Order { id: id.to_owned(), item: "mug".to_owned(), quantity: 2 }
}

/// What checkout sends is what packing reads: order, key and correlation id.
#[tokio::test]
async fn an_order_arrives_as_it_was_sent() -> Result {
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 3).await?;

    let sent = send(
        &producer(&cluster)?,
        topic.name(),
        &order("order-17"),
        "visit-4",
    )
    .await?;
    let record = next(&consumer(&cluster, topic.name())?).await?;

    assert_eq!(
        (record.partition(), record.offset()),
        (sent.partition, sent.offset)
    );
    assert_eq!(record.key(), Some(b"order-17".as_slice()));
    assert_eq!(
        read(&record)?,
        (order("order-17"), Some("visit-4".to_owned()))
    );
    Ok(())
}

/// claim: one-key-one-partition
///
/// The same order twice goes to the same partition, one offset further: its key decides.
#[tokio::test]
async fn one_key_is_one_partition() -> Result {
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 3).await?;
    let producer = producer(&cluster)?;

    let first =
        send(&producer, topic.name(), &order("order-17"), "visit-4")
            .await?;
    let second =
        send(&producer, topic.name(), &order("order-17"), "visit-5")
            .await?;

    assert_eq!(second.partition, first.partition);
    assert_eq!(second.offset, first.offset + 1);
    Ok(())
}

// ANCHOR: claim
/// claim: reading-removes-nothing
///
/// Packing has read the order; billing, another group, reads it again.
#[tokio::test]
async fn a_second_group_reads_the_same_order() -> Result {
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    send(&producer(&cluster)?, topic.name(), &order("order-17"), "visit-4")
        .await?;

    let packed = next(&consumer(&cluster, topic.name())?).await?;
    let billed = next(&consumer(&cluster, topic.name())?).await?;

    assert_eq!(packed.offset(), billed.offset());
    assert_eq!(read(&packed)?, read(&billed)?);
    Ok(())
}
// ANCHOR_END: claim

/// claim: a-new-group-begins-at-the-end
///
/// "Nothing arrives": a new group that does not say where to begin begins at the end. It sees
/// what is sent after it has joined, and not the order that was there before.
#[tokio::test]
async fn a_new_group_begins_at_the_end() -> Result {
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let producer = producer(&cluster)?;
    send(&producer, topic.name(), &order("before"), "visit-1").await?;

    let late: StreamConsumer = cluster
        .client_config()
        .set("group.id", unique_name("packing"))
        .create()?;
    late.subscribe(&[topic.name()])?;
    let read_one = async {
        // The group must stand at the end before the next order is sent, and only a client that
        // is polled joins its group: so poll, and send until one arrives.
        let sending = eventually(
            PATIENCE,
            "an order reaches the late group",
            async || {
                let position =
                    late.position().map_err(|e| e.to_string())?;
                let at_end = position
                    .elements()
                    .iter()
                    .any(|p| p.offset().to_raw().is_some_and(|o| o >= 0));
                send(&producer, topic.name(), &order("after"), "visit-2")
                    .await
                    .map_err(|e| e.to_string())?;
                if at_end {
                    Ok(())
                } else {
                    Err("no position yet".to_owned())
                }
            },
        );
        let (record, _) = tokio::join!(next(&late), sending);
        record
    };
    let record = read_one.await?;

    assert_eq!(
        read(&record)?.0,
        order("after"),
        "the order sent before must not arrive"
    );
    assert!(record.offset() > 0);
    Ok(())
}

/// claim: what-is-no-order-is-an-error
///
/// A record that is no order is refused with an error, and reading goes on after it.
#[tokio::test]
async fn what_is_no_order_is_an_error_and_not_a_panic() -> Result {
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let producer = producer(&cluster)?;
    let text = FutureRecord::<str, str>::to(topic.name()).payload("2 mugs");
    producer.send(text, None).await.map_err(|(e, _)| e)?;
    let tombstone =
        FutureRecord::<str, str>::to(topic.name()).key("order-17");
    producer.send(tombstone, None).await.map_err(|(e, _)| e)?;
    send(&producer, topic.name(), &order("order-18"), "visit-5").await?;

    let packing = consumer(&cluster, topic.name())?;
    assert!(read(&next(&packing).await?).is_err(), "text is not an order");
    assert!(
        read(&next(&packing).await?).is_err(),
        "no value is not an order"
    );
    assert_eq!(read(&next(&packing).await?)?.0, order("order-18"));
    Ok(())
}

/// An order from a program that sets no header is an order all the same.
#[tokio::test]
async fn an_order_without_a_correlation_id_is_read() -> Result {
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let value = serde_json::to_string(&order("order-17"))?;
    let record = FutureRecord::<str, str>::to(topic.name()).payload(&value);
    producer(&cluster)?
        .send(record, Duration::ZERO)
        .await
        .map_err(|(e, _)| e)?;

    let (read_order, id) =
        read(&next(&consumer(&cluster, topic.name())?).await?)?;

    assert_eq!((read_order, id), (order("order-17"), None));
    Ok(())
}
