//! Faults: what a consumer meets in a topic that others write to as well.

use std::fmt::Write;

use events::{
    Error, Event, Factory, OrderEvent, PaymentEvent, SUNDAY, ShopEvent,
    fixtures, from_message,
};
use rdkafka::Message;
use serde_json::{Value, json};
use testbed::TestTopic;

use crate::common::{Result, consumer, next, producer, send, send_raw};

/// claim: poison-stops-nobody
///
/// A consumer meets three payloads that no reader may accept, between two orders. It refuses the three, each with
/// the paths of its fields, and processes the two: poison stops nobody.
#[tokio::test]
async fn a_consumer_refuses_poison_and_goes_on() -> Result {
    let cluster = testbed::cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let producer = producer(&cluster)?;
    let mut factory = Factory::new(7, SUNDAY);
    let mut good = Vec::new();
    let mut order = async |factory: &mut Factory| -> Result {
        let user = factory.user();
        let order = factory.order(&user);
        let event =
            factory.first(ShopEvent::from(OrderEvent::Placed(order)));
        send(&producer, &event.to_record()?.to_topic(topic.name())).await?;
        good.push(event);
        Ok(())
    };
    order(&mut factory).await?;
    let bad = fixtures::bad_payloads(&mut factory);
    for bad in &bad {
        send_raw(
            &producer,
            topic.name(),
            Some(bad.key.as_str()),
            Some(&bad.json),
        )
        .await?;
    }
    order(&mut factory).await?;

    let consumer = consumer(&cluster, &[topic.name()])?;
    let (mut read, mut shown) = (Vec::new(), String::new());
    for offset in 0..5 {
        match from_message::<ShopEvent>(&next(&consumer).await?) {
            Ok(event) => read.push(event),
            Err(refused) => {
                assert_eq!(
                    (refused.partition, refused.offset),
                    (0, offset)
                );
                let bad = &bad[offset as usize - 1];
                assert_eq!(
                    refused.error.paths(),
                    bad.paths,
                    "{}",
                    refused.error
                );
                let error = refused.error.to_string();
                writeln!(
                    shown,
                    "offset {offset}\n  {}",
                    error.replace("; ", ";\n  ")
                )?;
            }
        }
    }
    assert_eq!(read, good);
    // The page shows this file.
    assert_eq!(shown, include_str!("output/refusals.txt"));
    Ok(())
}

/// A producer that was upgraded first writes a type that this reader does not know. The refusal names it, and says
/// that it is worth keeping: a newer reader takes it.
#[tokio::test]
async fn a_new_type_is_kept_for_a_newer_reader() -> Result {
    let error =
        refusal(|event| event["type"] = json!("order_returned")).await?;
    assert!(error.after_upgrade());
    assert_eq!(
        error.to_string(),
        "type: \"order_returned\" is none of order_placed, order_packed, order_cancelled; \
         upgrade this reader, or set the record aside until it is"
    );
    Ok(())
}

/// claim: an-amount-as-a-float-is-refused
///
/// A producer writes an amount as a float of euros. The reader does not guess whether 12.99 means 12 or 1299.
#[tokio::test]
async fn an_amount_as_a_float_is_refused() -> Result {
    let error =
        refusal(|event| event["data"]["total"]["minor"] = json!(12.99))
            .await?;
    assert!(!error.after_upgrade());
    assert_eq!(error.paths(), ["data.total.minor"]);
    // The page shows this file.
    let shown = error
        .to_string()
        .replace(", expected", ",\n  expected")
        .replace(" at line", "\n  at line")
        .replace("; ", ";\n  ");
    assert_eq!(shown + "\n", include_str!("output/float.txt"));
    Ok(())
}

/// claim: an-unknown-field-is-ignored
///
/// A producer writes a field that this reader does not know: it is ignored, and the order is packed.
#[tokio::test]
async fn a_new_field_is_ignored() -> Result {
    let sent = placed();
    let mut text = serde_json::to_value(&sent)?;
    text["trace"] = json!("4bf92f35");
    text["data"]["gift_message"] = json!("for the kettle");
    let read = round_trip(sent.data.key().as_str(), &text).await?;
    assert_eq!(read?, sent);
    Ok(())
}

/// claim: a-wrong-key-is-refused
///
/// Somebody keys payments by payment id. They would be spread over partitions, so the reader refuses the first.
#[tokio::test]
async fn a_payment_keyed_by_its_own_id_is_refused() -> Result {
    let mut factory = Factory::new(2, SUNDAY);
    let user = factory.user();
    let order = factory.order(&user);
    let payment = factory.payments(&order).remove(0);
    let key = payment.payment_id.to_string();
    let event = factory.first(PaymentEvent::Captured(payment));

    let cluster = testbed::cluster("").await?;
    let topic = TestTopic::new(&cluster, "payments", 1).await?;
    send_raw(
        &producer(&cluster)?,
        topic.name(),
        Some(&key),
        Some(&event.to_json()?),
    )
    .await?;
    let message = next(&consumer(&cluster, &[topic.name()])?).await?;

    let refused = from_message::<PaymentEvent>(&message).unwrap_err();
    let expected = order.order_id.to_string();
    assert!(
        matches!(refused.error, Error::WrongKey { .. }),
        "{:?}",
        refused.error
    );
    let message = refused.error.to_string();
    assert!(
        message.contains(&key) && message.contains(&expected),
        "{message}"
    );
    Ok(())
}

/// A tombstone reaches a topic of events: refused, not a panic, and not an empty event.
#[tokio::test]
async fn a_tombstone_is_refused() -> Result {
    let cluster = testbed::cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    send_raw(&producer(&cluster)?, topic.name(), Some("order"), None)
        .await?;
    let message = next(&consumer(&cluster, &[topic.name()])?).await?;
    assert!(message.payload().is_none());
    let refused = from_message::<OrderEvent>(&message).unwrap_err();
    assert!(matches!(refused.error, Error::Empty), "{:?}", refused.error);
    Ok(())
}

fn placed() -> events::Envelope<OrderEvent> {
    let mut factory = Factory::new(2, SUNDAY);
    let user = factory.user();
    let order = factory.order(&user);
    factory.first(OrderEvent::Placed(order))
}

/// What a reader says of an order that was changed so on its way.
async fn refusal(change: impl FnOnce(&mut Value)) -> Result<Error> {
    let sent = placed();
    let mut text = serde_json::to_value(&sent)?;
    change(&mut text);
    match round_trip(sent.data.key().as_str(), &text).await? {
        Ok(event) => Err(format!("accepted: {event:?}").into()),
        Err(refused) => Ok(refused.error),
    }
}

async fn round_trip(
    key: &str,
    text: &Value,
) -> Result<
    std::result::Result<events::Envelope<OrderEvent>, events::Refused>,
> {
    let cluster = testbed::cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let payload = text.to_string().into_bytes();
    send_raw(&producer(&cluster)?, topic.name(), Some(key), Some(&payload))
        .await?;
    Ok(from_message(&next(&consumer(&cluster, &[topic.name()])?).await?))
}
