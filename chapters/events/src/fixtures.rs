//! Ready-made events and payloads, the good and the bad, for tests and guided runs.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::envelope::Envelope;
use crate::event::{Event, ShopEvent};
use crate::factory::{Factory, SUNDAY};
use crate::key::Key;
use crate::order::{CancelReason, OrderCancelled, OrderEvent, OrderPacked};
use crate::payment::{
    FailReason, PaymentEvent, PaymentFailed, PaymentRefunded,
};
use crate::user::{UserClosed, UserEvent, UserRenamed};

/// One event of every type, all of one user and one order. Always the same.
pub fn one_of_each() -> Vec<Envelope<ShopEvent>> {
    let mut factory = Factory::new(1, SUNDAY);
    let user = factory.user();
    let order = factory.order(&user);
    let payment = factory.payments(&order).remove(0);
    let order_id = order.order_id;
    let renamed = UserRenamed {
        user_id: user.user_id,
        handle: "early-heron-42".to_owned(),
    };
    let failed = PaymentFailed {
        payment_id: payment.payment_id,
        order_id,
        amount: payment.amount,
        order_total: payment.order_total,
        reason: FailReason::Declined,
    };
    let refunded = PaymentRefunded {
        payment_id: payment.payment_id,
        order_id,
        amount: payment.amount,
        captured: payment.amount,
    };
    let cancelled =
        OrderCancelled { order_id, reason: CancelReason::OutOfStock };
    let first =
        factory.first(ShopEvent::from(UserEvent::Registered(user.clone())));
    let mut events = vec![first.clone()];
    let rest: [ShopEvent; 8] = [
        UserEvent::Renamed(renamed).into(),
        OrderEvent::Placed(order).into(),
        PaymentEvent::Failed(failed).into(),
        PaymentEvent::Captured(payment).into(),
        OrderEvent::Packed(OrderPacked { order_id, parcels: 1 }).into(),
        OrderEvent::Cancelled(cancelled).into(),
        PaymentEvent::Refunded(refunded).into(),
        UserEvent::Closed(UserClosed { user_id: user.user_id }).into(),
    ];
    for event in rest {
        factory.pass(SignedDuration::from_mins(7));
        events.push(factory.next(&first, event));
    }
    events
}

/// What a broken or a newer producer sends: bytes that a reader must refuse.
#[derive(Clone, Debug)]
pub struct BadPayload {
    /// What is wrong with it.
    pub name: &'static str,
    /// The topic it is sent to.
    pub topic: &'static str,
    /// The key it is sent by, the right one.
    pub key: Key,
    /// The bytes.
    pub json: Vec<u8>,
    /// The paths that the refusal must name.
    pub paths: &'static [&'static str],
}

/// Three payloads that parse as JSON and are no events of ours: an item priced in another currency, a quantity below
/// zero, and a type from a newer producer.
pub fn bad_payloads(factory: &mut Factory) -> [BadPayload; 3] {
    [
        bad(factory, "currency", &["data.items[0].unit_price"], |event| {
            // Not the order's currency, whichever that is.
            let price = &mut event["data"]["items"][0]["unit_price"];
            price["currency"] = if price["currency"] == "USD" {
                json!("EUR")
            } else {
                json!("USD")
            };
        }),
        bad(
            factory,
            "quantity",
            &["data.items[0].quantity", "data.total"],
            |event| {
                event["data"]["items"][0]["quantity"] = json!(-2);
            },
        ),
        bad(factory, "type", &["type"], |event| {
            event["type"] = json!("order_returned");
        }),
    ]
}

fn bad(
    factory: &mut Factory,
    name: &'static str,
    paths: &'static [&'static str],
    change: impl FnOnce(&mut Value),
) -> BadPayload {
    let user = factory.user();
    // Of something that costs nothing any quantity adds up, and the total would not be refused.
    let order = loop {
        let order = factory.order(&user);
        if order.items[0].unit_price.minor > 0 {
            break order;
        }
    };
    let event = factory.first(OrderEvent::Placed(order));
    // `json!` panics where a value cannot be written as JSON; a test writes every event type.
    let mut text = json!(event);
    change(&mut text);
    let (topic, key) = (event.data.topic(), event.data.key());
    BadPayload {
        name,
        topic,
        key,
        json: text.to_string().into_bytes(),
        paths,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_payload_breaks_what_it_says() {
        for seed in 0..500 {
            let mut factory = Factory::new(seed, SUNDAY);
            for bad in bad_payloads(&mut factory) {
                let error = Envelope::<ShopEvent>::from_json(&bad.json)
                    .unwrap_err();
                for path in bad.paths {
                    assert!(
                        error.paths().contains(path),
                        "seed {seed}, {}: {error}",
                        bad.name
                    );
                }
            }
        }
    }
}
