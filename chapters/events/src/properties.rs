//! Laws that hold for every event, not only for those that somebody thought of.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::envelope::{Envelope, MAX_BYTES};
use crate::error::Error;
use crate::event::{Event, ShopEvent};
use crate::factory::{Factory, SUNDAY};
use crate::ledger::{Ledger, Settlement};
use crate::money::{Currency, MAX_MINOR, Money};
use crate::order::{MAX_ITEMS, MAX_QUANTITY, OrderEvent};
use crate::payment::PaymentEvent;
use crate::strategies;

/// One change that breaks one rule of an order, and the path that the refusal must name.
#[derive(Clone, Debug)]
struct Break {
    at: &'static str,
    value: Value,
    path: &'static str,
}

/// Each row is one rule broken by one value; `at` is a JSON pointer, `path` what the error must say.
fn breaks() -> Vec<Break> {
    let of = |at, value, path| Break { at, value, path };
    let nil = || json!("00000000-0000-0000-0000-000000000000");
    let row = |at, values: Vec<Value>, path| {
        values.into_iter().map(move |v| of(at, v, path))
    };
    [
        row(
            "/id",
            vec![nil(), json!("order-17"), json!(17), Value::Null],
            "id",
        ),
        row("/correlation_id", vec![nil(), json!("")], "correlation_id"),
        row("/causation_id", vec![nil(), json!("x")], "causation_id"),
        row(
            "/schema_version",
            vec![json!(0), json!(-1), json!(2), json!("1")],
            "schema_version",
        ),
        row(
            "/occurred_at",
            vec![
                json!("1970-01-01T00:00:00Z"),
                json!("yesterday"),
                json!(1_772_323_200),
            ],
            "occurred_at",
        ),
        row(
            "/type",
            vec![json!("order_returned"), json!(""), json!(3)],
            "type",
        ),
        row("/data", vec![json!(null), json!("x"), json!(3)], "data"),
        row("/data/order_id", vec![nil(), json!("17")], "data.order_id"),
        row("/data/user_id", vec![nil(), json!([])], "data.user_id"),
        row("/data/items", vec![json!([]), json!("none")], "data.items"),
        row(
            "/data/items/0/sku",
            vec![
                json!(""),
                json!("tea"),
                json!("A\nB"),
                json!("A".repeat(25)),
                json!(7),
            ],
            "data.items[0].sku",
        ),
        row(
            "/data/items/0/quantity",
            vec![
                json!(0),
                json!(-2),
                json!(MAX_QUANTITY + 1),
                json!(1.5),
                json!("2"),
            ],
            "data.items[0].quantity",
        ),
        row(
            "/data/items/0/unit_price",
            vec![
                json!({"minor": -1, "currency": "EUR"}),
                json!({"minor": 1, "currency": "KWD"}),
            ],
            "data.items[0].unit_price",
        ),
        row(
            "/data/items/0/unit_price/minor",
            vec![json!(12.99), json!("12"), json!(u64::MAX), json!(null)],
            "data.items[0].unit_price.minor",
        ),
        row(
            "/data/items/0/unit_price/minor",
            vec![json!(-1), json!(MAX_MINOR + 1)],
            "data.items[0].unit_price",
        ),
        row(
            "/data/items/0/unit_price/currency",
            vec![json!("XXX"), json!("eur"), json!(978)],
            "data.items[0].unit_price.currency",
        ),
        row(
            "/data/total/minor",
            vec![json!(-1), json!(MAX_MINOR + 1)],
            "data.total.minor",
        ),
        row("/data/total/minor", vec![json!(12.99)], "data.total.minor"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn is_in_kwd(order: &Value) -> bool {
    order["data"]["total"]["currency"] == "KWD"
}

proptest! {
    // ANCHOR: law
    #[test]
    fn what_is_written_is_read_again(
        event in strategies::envelope(strategies::shop_event()),
    ) {
        let json = event.to_json().unwrap();
        let again = Envelope::<ShopEvent>::from_json(&json).unwrap();
        prop_assert_eq!(&again, &event);
        prop_assert_eq!(again.to_json().unwrap(), json);
    }
    // ANCHOR_END: law

    #[test]
    fn a_broken_rule_is_refused_by_its_path(
        order in strategies::envelope(strategies::order_placed().prop_map(OrderEvent::Placed)),
        broken in proptest::sample::select(breaks()),
    ) {
        let mut text = serde_json::to_value(&order).unwrap();
        // The table's other currency is KWD, and a price in EUR breaks more than the one rule elsewhere.
        prop_assume!(!is_in_kwd(&text));
        *text.pointer_mut(broken.at).unwrap() = broken.value.clone();
        let error = Envelope::<OrderEvent>::from_json(text.to_string().as_bytes()).unwrap_err();
        prop_assert!(
            error.paths().contains(&broken.path),
            "{} = {} gave {:?}: {}", broken.at, broken.value, error.paths(), error
        );
    }

    #[test]
    fn a_missing_field_is_refused_by_name(
        order in strategies::envelope(strategies::order_placed().prop_map(OrderEvent::Placed)),
        (at, field) in proptest::sample::select(vec![
            ("", "id"), ("", "correlation_id"), ("", "schema_version"), ("", "occurred_at"),
            ("", "type"), ("", "data"), ("/data", "order_id"), ("/data", "items"),
            ("/data", "total"), ("/data/total", "currency"), ("/data/items/0", "quantity"),
        ]),
    ) {
        let mut text = serde_json::to_value(&order).unwrap();
        text.pointer_mut(at).unwrap().as_object_mut().unwrap().remove(field);
        let error = Envelope::<OrderEvent>::from_json(text.to_string().as_bytes()).unwrap_err();
        prop_assert!(matches!(error, Error::Shape { .. }), "{error}");
        prop_assert!(error.to_string().contains(field), "{error}");
    }

    #[test]
    fn unknown_fields_are_ignored(
        order in strategies::envelope(strategies::order_placed().prop_map(OrderEvent::Placed)),
        at in proptest::sample::select(vec!["", "/data", "/data/total", "/data/items/0"]),
        name in "new_[a-z]{1,8}",
    ) {
        let mut text = serde_json::to_value(&order).unwrap();
        let object = text.pointer_mut(at).unwrap().as_object_mut().unwrap();
        object.insert(name, json!({"deep": [1, 2.5, null]}));
        let read = Envelope::<OrderEvent>::from_json(text.to_string().as_bytes()).unwrap();
        prop_assert_eq!(read, order);
    }

    #[test]
    fn an_order_in_two_currencies_is_refused_where_the_second_stands(
        order in strategies::order_placed(),
        at in any::<proptest::sample::Index>(),
        currency in strategies::currency(),
    ) {
        prop_assume!(currency != order.total.currency);
        let mut order = order;
        let at = at.index(order.items.len());
        order.items[at].unit_price.currency = currency;
        let event = Factory::new(1, SUNDAY).first(OrderEvent::Placed(order));
        let error = event.to_json().unwrap_err();
        let path = format!("data.items[{at}].unit_price");
        prop_assert_eq!(error.paths(), [path.as_str()]);
    }

    #[test]
    fn a_payment_above_its_order_is_refused(event in strategies::payment_event(), more in 1..1_000_i64) {
        let mut event = event;
        let (amount, whole) = match &mut event {
            PaymentEvent::Captured(p) => (&mut p.amount, p.order_total),
            PaymentEvent::Failed(p) => (&mut p.amount, p.order_total),
            PaymentEvent::Refunded(p) => (&mut p.amount, p.captured),
        };
        amount.minor = whole.minor + more;
        let error = Factory::new(1, SUNDAY).first(event).to_json().unwrap_err();
        prop_assert!(error.paths().contains(&"data.amount"), "{error}");
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(Envelope::<ShopEvent>::from_json(&bytes).is_err());
    }

    #[test]
    fn no_damage_to_good_bytes_makes_it_panic(
        event in strategies::envelope(strategies::shop_event()),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut json = event.to_json().unwrap();
        for (at, byte) in damage {
            let at = at.index(json.len());
            json[at] = byte;
        }
        // What still reads must still keep the rules, so that it can be written again.
        if let Ok(read) = Envelope::<ShopEvent>::from_json(&json) {
            prop_assert!(read.to_json().is_ok());
        }
        let half = &json[..cut.index(json.len())];
        prop_assert!(Envelope::<ShopEvent>::from_json(half).is_err());
    }

    #[test]
    fn every_day_of_the_factory_keeps_the_rules(seed in any::<u64>(), users in 0..6_usize) {
        let mut ledger = Ledger::default();
        let day = Factory::new(seed, SUNDAY).day(users);
        for event in &day {
            let json = event.to_json().unwrap();
            prop_assert_eq!(&Envelope::<ShopEvent>::from_json(&json).unwrap(), event);
            ledger.tell(&event.data).unwrap();
        }
        prop_assert!(day.is_sorted_by_key(|event| event.occurred_at));
        prop_assert_eq!(ledger.settled(), ledger.orders().count());
        prop_assert!(ledger.settled() >= users);
    }

    #[test]
    fn causes_come_first_and_share_the_flow(seed in any::<u64>()) {
        let day = Factory::new(seed, SUNDAY).day(3);
        for (n, event) in day.iter().enumerate() {
            let Some(cause) = event.causation_id else { continue };
            let cause = day[..n].iter().find(|before| before.id == cause);
            prop_assert_eq!(cause.unwrap().correlation_id, event.correlation_id);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes(seed in any::<u64>()) {
        let bytes = || {
            let day = Factory::new(seed, SUNDAY).day(2);
            day.iter().map(|event| event.to_json().unwrap()).collect::<Vec<_>>()
        };
        prop_assert_eq!(bytes(), bytes());
    }

    #[test]
    fn one_order_has_one_key(seed in any::<u64>()) {
        for event in Factory::new(seed, SUNDAY).day(2) {
            let expected = match &event.data {
                ShopEvent::User(event) => event.user_id().to_string(),
                ShopEvent::Order(event) => event.order_id().to_string(),
                ShopEvent::Payment(event) => event.order_id().to_string(),
            };
            let key = event.data.key();
            prop_assert_eq!(key.as_str(), expected);
        }
    }

    #[test]
    fn parts_add_up_to_the_whole(money in strategies::money(), parts in 1..50_u32) {
        let split = money.split(parts);
        prop_assert_eq!(split.len(), parts as usize);
        prop_assert_eq!(Money::sum(money.currency, split.iter().copied()), Ok(money));
        let (most, least) = (split[0].minor, split[split.len() - 1].minor);
        prop_assert!(most - least <= 1);
    }

    #[test]
    fn a_sum_does_not_depend_on_its_order(
        amounts in proptest::collection::vec(0..1_000_000_i64, 0..20),
        currency in strategies::currency(),
    ) {
        let money = |minor: &i64| Money::new(*minor, currency);
        let there = Money::sum(currency, amounts.iter().map(money));
        let back = Money::sum(currency, amounts.iter().rev().map(money));
        prop_assert_eq!(&there, &back);
        prop_assert_eq!(there.unwrap().minor, amounts.iter().sum::<i64>());
    }

    #[test]
    fn two_currencies_never_add_up(a in strategies::money(), b in strategies::money()) {
        prop_assert_eq!(a.plus(b).is_ok(), a.currency == b.currency);
        prop_assert_eq!(a.minus(b).is_ok(), a.currency == b.currency);
    }

    #[test]
    fn the_ledger_gives_one_answer_in_any_order((day, shuffled) in a_day_in_two_orders()) {
        let answers = |events: &[ShopEvent]| {
            let mut ledger = Ledger::default();
            // The stranger is an error, or what comes after it is.
            let refused = events.iter().filter(|event| ledger.tell(event).is_err()).count();
            (refused > 0, ledger.orders().collect::<Vec<_>>())
        };
        let (refused, there) = answers(&day);
        prop_assert_eq!(answers(&shuffled), (refused, there.clone()));
        let wrong = there.iter().filter(|(_, one)| *one != Settlement::Settled).count();
        prop_assert_eq!(wrong, usize::from(refused));
    }
}

/// A day, and its events shuffled. Where anything was paid, one order was also paid in another currency.
fn a_day_in_two_orders()
-> impl Strategy<Value = (Vec<ShopEvent>, Vec<ShopEvent>)> {
    any::<u64>().prop_flat_map(|seed| {
        let day = Factory::new(seed, SUNDAY).day(3);
        let mut day: Vec<ShopEvent> =
            day.into_iter().map(|event| event.data).collect();
        let stranger = day.iter().find_map(|event| match event {
            ShopEvent::Payment(PaymentEvent::Captured(payment)) => {
                let mut payment = payment.clone();
                payment.amount.currency =
                    other_than(payment.amount.currency);
                Some(PaymentEvent::Captured(payment).into())
            }
            _ => None,
        });
        day.extend(stranger);
        (Just(day.clone()), Just(day).prop_shuffle())
    })
}

fn other_than(currency: Currency) -> Currency {
    if currency == Currency::Eur { Currency::Kwd } else { Currency::Eur }
}

/// The name that serde writes, the one that `type_name` says and the one that is decoded are one.
#[test]
fn every_type_has_one_name() {
    let events = crate::fixtures::one_of_each();
    let mut seen = Vec::new();
    for event in &events {
        let text = serde_json::to_value(event).unwrap();
        assert_eq!(text["type"], event.data.type_name());
        assert!(ShopEvent::types().contains(&event.data.type_name()));
        seen.push(event.data.type_name());
    }
    let mut types = ShopEvent::types();
    types.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, types, "the fixtures hold one of each");
}

/// claim: all-broken-rules-at-once
///
/// All that is wrong is said at once, and nothing twice.
#[test]
fn all_broken_rules_are_reported_at_once() {
    let mut factory = Factory::new(1, SUNDAY);
    let user = factory.user();
    let mut order = factory.order(&user);
    order.user_id = crate::UserId::from_uuid(uuid::Uuid::nil());
    order.items[0].quantity = 0;
    order.items[0].sku = "tea".to_owned();
    order.total.minor = -1;
    let mut event = factory.first(OrderEvent::Placed(order));
    event.causation_id = Some(event.id);
    let error = event.to_json().unwrap_err();
    assert_eq!(
        error.paths(),
        [
            "causation_id",
            "data.items[0].quantity",
            "data.items[0].sku",
            "data.total.minor",
            "data.total",
            "data.user_id",
        ]
    );
}

/// The largest order that keeps the rules is one that a reader takes.
#[test]
fn the_largest_event_fits() {
    let mut factory = Factory::new(1, SUNDAY);
    let user = factory.user();
    let mut order = factory.order(&user);
    order.items[0].sku = "A".repeat(24);
    order.items[0].quantity = MAX_QUANTITY;
    order.items[0].unit_price = Money::new(
        MAX_MINOR / MAX_QUANTITY / MAX_ITEMS as i64,
        Currency::Kwd,
    );
    order.items = vec![order.items[0].clone(); MAX_ITEMS];
    let line = order.items[0].unit_price.minor * MAX_QUANTITY;
    order.total = Money::new(line * MAX_ITEMS as i64, Currency::Kwd);
    let json = factory.first(OrderEvent::Placed(order)).to_json().unwrap();
    assert!(json.len() < MAX_BYTES, "{} bytes", json.len());
    assert!(Envelope::<OrderEvent>::from_json(&json).is_ok());
}

/// claim: a-hostile-payload-makes-a-short-message
///
/// A hostile payload costs its bytes once, and a log line of bounded length.
#[test]
fn a_hostile_payload_makes_a_short_message() {
    let event = &crate::fixtures::one_of_each()[2];
    let good = serde_json::to_value(event).unwrap();
    let text = |at: &str, value: Value| {
        let mut text = good.clone();
        *text.pointer_mut(at).unwrap() = value;
        text.to_string().into_bytes()
    };
    let item = json!({"sku": "", "quantity": -1, "unit_price": {"minor": -1, "currency": "USD"}});
    for hostile in [
        text("/type", json!("x".repeat(60_000))),
        text("/type", json!("\u{1b}[31m\nERROR all is lost")),
        text("/data/items", json!(vec![item; 600])),
        text("/data/items/0/sku", json!("é".repeat(30_000))),
        text("/data/total/currency", json!("\u{7}".repeat(5_000))),
        vec![b'['; 65_536],
        vec![b'{'; MAX_BYTES + 1],
        format!("{{\"type\":{}", "[".repeat(60_000)).into_bytes(),
        b"\xef\xbb\xbf{}".to_vec(),
    ] {
        let error = Envelope::<ShopEvent>::from_json(&hostile)
            .unwrap_err()
            .to_string();
        assert!(error.len() < 4_000, "{} bytes: {error}", error.len());
        assert!(!error.contains(char::is_control), "{error:?}");
    }
}

/// Only what a newer reader may understand is worth keeping for it.
#[test]
fn tells_a_newer_producer_from_a_broken_one() {
    let mut newer =
        serde_json::to_value(&crate::fixtures::one_of_each()[2]).unwrap();
    newer["schema_version"] = json!(2);
    // A newer version may have a shape of its own: the version is judged before the data is read.
    newer["data"] = json!("another shape");
    let error =
        Envelope::<OrderEvent>::from_json(newer.to_string().as_bytes())
            .unwrap_err();
    assert!(matches!(error, Error::NewerSchema { found: 2 }), "{error}");
    assert!(error.after_upgrade());
    assert!(
        !Envelope::<OrderEvent>::from_json(b"")
            .unwrap_err()
            .after_upgrade()
    );
}
