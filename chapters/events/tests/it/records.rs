//! Events as records: keys, headers, order within an order.

use std::collections::BTreeMap;

use events::{
    Event, Factory, Ledger, OrderEvent, PaymentEvent, SUNDAY, ShopEvent,
    from_message,
};
use rdkafka::Message;
use rdkafka::message::Headers;
use testbed::TestTopic;

use crate::common::{Result, consumer, next, producer, send};

/// A day is sent and read back: every event is the one that was sent, what happened to one order is read in the
/// order in which it happened, and the payments add up.
#[tokio::test]
async fn a_day_comes_back_as_it_was_sent() -> Result {
    let cluster = testbed::cluster("").await?;
    let topics = BTreeMap::from([
        ("users", TestTopic::new(&cluster, "users", 3).await?),
        ("orders", TestTopic::new(&cluster, "orders", 3).await?),
        ("payments", TestTopic::new(&cluster, "payments", 3).await?),
    ]);
    let producer = producer(&cluster)?;
    let day = Factory::new(11, SUNDAY).day(8);
    for event in &day {
        let topic = topics[event.data.topic()].name();
        send(&producer, &event.to_record()?.to_topic(topic)).await?;
    }

    let consumer = consumer(
        &cluster,
        &topics.values().map(TestTopic::name).collect::<Vec<_>>(),
    )?;
    let (mut read, mut ledger) = (Vec::new(), Ledger::default());
    for _ in &day {
        let event = from_message::<ShopEvent>(&next(&consumer).await?)?;
        ledger.tell(&event.data)?;
        read.push(event);
    }

    let stories = |events: &[events::Envelope<ShopEvent>]| {
        let mut stories = BTreeMap::<_, Vec<_>>::new();
        for event in events {
            let story = (event.data.topic(), event.data.key());
            stories.entry(story).or_default().push(event.clone());
        }
        stories
    };
    assert_eq!(stories(&read), stories(&day));
    assert!(ledger.settled() >= 8);
    assert_eq!(ledger.settled(), ledger.orders().count());
    Ok(())
}

/// All payments of one order stand in one partition, whatever their payment ids.
#[tokio::test]
async fn the_payments_of_an_order_share_a_partition() -> Result {
    let cluster = testbed::cluster("").await?;
    let topic = TestTopic::new(&cluster, "payments", 6).await?;
    let producer = producer(&cluster)?;
    let mut factory = Factory::new(3, SUNDAY);
    let mut partitions = BTreeMap::<_, Vec<_>>::new();
    for _ in 0..20 {
        let user = factory.user();
        let order = factory.order(&user);
        for payment in factory.payments(&order) {
            let event = factory.first(PaymentEvent::Captured(payment));
            let record = event.to_record()?.to_topic(topic.name());
            let (partition, _) = send(&producer, &record).await?;
            partitions.entry(order.order_id).or_default().push(partition);
        }
    }

    assert!(
        partitions.values().any(|of_one| of_one.len() == 3),
        "one was paid in three parts"
    );
    for (order, of_one) in &partitions {
        assert!(
            of_one.iter().all(|partition| partition == &of_one[0]),
            "{order}: {of_one:?}"
        );
    }
    let used: std::collections::BTreeSet<_> =
        partitions.values().flatten().collect();
    assert!(
        used.len() > 1,
        "the orders spread over the partitions: {used:?}"
    );
    Ok(())
}

/// claim: order-and-payment-share-a-number
///
/// Topics with equally many partitions put an order and its payments into partitions of the same number: whoever
/// joins the two reads both in one place.
#[tokio::test]
async fn an_order_and_its_payments_share_a_partition_number() -> Result {
    let cluster = testbed::cluster("").await?;
    let orders = TestTopic::new(&cluster, "orders", 3).await?;
    let payments = TestTopic::new(&cluster, "payments", 3).await?;
    let producer = producer(&cluster)?;
    let mut places = BTreeMap::<_, Vec<_>>::new();
    for event in Factory::new(1031, SUNDAY).day(5) {
        let topic = match &event.data {
            ShopEvent::User(_) => continue,
            ShopEvent::Order(_) => orders.name(),
            ShopEvent::Payment(_) => payments.name(),
        };
        let (partition, _) =
            send(&producer, &event.to_record()?.to_topic(topic)).await?;
        places.entry(event.data.key()).or_default().push(partition);
    }

    assert!(places.len() >= 5, "{places:?}");
    for (key, of_one) in &places {
        assert!(
            of_one.len() > 1 && of_one.iter().all(|p| p == &of_one[0]),
            "{key}: {of_one:?}"
        );
    }
    Ok(())
}

/// claim: keys-move-with-the-partitions
///
/// A key has no partition of its own: it has one among three, and may have another among six. Of twenty orders
/// some stay where they were and some move, and so the order of one key's records is broken at that moment.
#[tokio::test]
async fn a_key_moves_with_the_number_of_partitions() -> Result {
    let cluster = testbed::cluster("").await?;
    let three = TestTopic::new(&cluster, "orders", 3).await?;
    let six = TestTopic::new(&cluster, "orders", 6).await?;
    let producer = producer(&cluster)?;
    let mut factory = Factory::new(3, SUNDAY);
    let (mut stayed, mut moved) = (0, 0);
    for _ in 0..20 {
        let user = factory.user();
        let order = factory.order(&user);
        let event = factory.first(OrderEvent::Placed(order));
        let record = event.to_record()?;
        let (of_three, _) =
            send(&producer, &record.clone().to_topic(three.name())).await?;
        let (of_six, _) =
            send(&producer, &record.to_topic(six.name())).await?;
        match of_three == of_six {
            true => stayed += 1,
            false => moved += 1,
        }
    }
    assert!(stayed > 0 && moved > 0, "{stayed} stayed, {moved} moved");
    Ok(())
}

/// What is in the headers is readable without the payload, and the client stamps the record, not `occurred_at`.
#[tokio::test]
async fn headers_and_timestamp_travel() -> Result {
    let cluster = testbed::cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let mut factory = Factory::new(5, SUNDAY);
    let user = factory.user();
    let order = factory.order(&user);
    let event = factory.first(OrderEvent::Placed(order));
    send(&producer(&cluster)?, &event.to_record()?.to_topic(topic.name()))
        .await?;

    let message = next(&consumer(&cluster, &[topic.name()])?).await?;
    let headers = message.headers().ok_or("no headers")?;
    let header = |name: &str| {
        let found = headers.iter().find(|header| header.key == name)?;
        String::from_utf8(found.value?.to_vec()).ok()
    };
    assert_eq!(header("event-id"), Some(event.id.to_string()));
    assert_eq!(header("event-type").as_deref(), Some("order_placed"));
    assert_eq!(
        header("correlation-id"),
        Some(event.correlation_id.to_string())
    );
    assert_ne!(
        message.timestamp().to_millis(),
        Some(event.occurred_at.as_millisecond())
    );
    Ok(())
}
