//! Orders and records that nobody thought of, read without a broker.

use proptest::prelude::*;
use quickstart::{Order, read};
use rdkafka::Timestamp;
use rdkafka::message::{Header, OwnedHeaders, OwnedMessage};

const CORRELATION_ID: &str = "correlation-id";

/// A header's name and its value.
type Pair = (String, Option<Vec<u8>>);

fn order() -> impl Strategy<Value = Order> {
    any::<(String, String, u32)>().prop_map(|(id, item, quantity)| Order {
        id,
        item,
        quantity,
    })
}

/// The bytes that `send` writes for an order.
fn bytes(order: &Order) -> Vec<u8> {
    serde_json::json!(order).to_string().into_bytes()
}

/// A name is text: rdkafka has no other, and makes none of bytes that are not UTF-8.
fn headers() -> impl Strategy<Value = Vec<Pair>> {
    let name = prop_oneof![Just(CORRELATION_ID.to_owned()), "\\PC{0,20}"];
    prop::collection::vec((name, any::<Option<Vec<u8>>>()), 0..4)
}

fn record(value: Option<Vec<u8>>, headers: &[Pair]) -> OwnedMessage {
    let headers =
        headers.iter().fold(OwnedHeaders::new(), |all, (key, value)| {
            all.insert(Header { key, value: value.as_ref() })
        });
    let (topic, time) = ("orders".to_owned(), Timestamp::NotAvailable);
    OwnedMessage::new(value, None, topic, time, 0, 0, Some(headers))
}

proptest! {
    /// Whatever stands in an order, and in the customer's visit: what was sent is what is read.
    #[test]
    fn any_order_comes_back(order in order(), visit: String) {
        let header = (CORRELATION_ID.to_owned(), Some(visit.clone().into_bytes()));
        let (read, id) = read(&record(Some(bytes(&order)), &[header]))?;
        prop_assert_eq!((read, id), (order, Some(visit)));
    }

    /// Headers of others, some of them with the same name and some without text: the order is read, and the first
    /// correlation id counts if it is text.
    #[test]
    fn headers_of_others_hide_no_order(order in order(), headers in headers()) {
        let first = headers.iter().find(|(name, _)| name == CORRELATION_ID);
        let first = first.and_then(|(_, value)| value.clone());
        let text = first.and_then(|value| String::from_utf8(value).ok());
        let (read, id) = read(&record(Some(bytes(&order)), &headers))?;
        prop_assert_eq!((read, id), (order, text));
    }

    /// Any bytes, and an order cut short or with bytes in its middle: an order or an error, and never a panic.
    #[test]
    fn no_bytes_make_it_panic(
        order in order(), at: prop::sample::Index, other: Vec<u8>, headers in headers(),
    ) {
        let whole = bytes(&order);
        let (before, after) = whole.split_at(at.index(whole.len()));
        prop_assert!(read(&record(Some(before.to_vec()), &headers)).is_err(), "cut short");
        for value in [[before, &*other, after].concat(), other] {
            let _ = read(&record(Some(value), &headers));
        }
        prop_assert!(read(&record(None, &headers)).is_err(), "no value");
    }
}
