//! Reads returns that can be and returns that cannot, as a service would
//! that finds them in the topic.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use events::Envelope;
use events_returned::ReturnEvent;
use serde_json::{Value, json};

fn main() -> ExitCode {
    let mut seen = Vec::new();
    for (what, value) in possible() {
        if let Err(error) = read(&value) {
            seen.push(format!("refused: {what}; it can be: {error}"));
        }
    }
    for (what, path, value) in impossible() {
        match read(&value) {
            Ok(_) => seen.push(format!(
                "accepted: {what}; it must be refused at {path}"
            )),
            Err(error) if error.paths().contains(&path) => {}
            Err(error) => seen.push(format!(
                "refused: {what}; but not at {path}: {error}"
            )),
        }
    }
    for line in &seen {
        eprintln!("{line}");
    }
    ExitCode::from(u8::from(!seen.is_empty()))
}

fn read(value: &Value) -> Result<Envelope<ReturnEvent>, events::Error> {
    Envelope::from_json(value.to_string().as_bytes())
}

fn possible() -> [(&'static str, Value); 3] {
    [
        (
            "two mugs for their price",
            returned(json!([mugs(2, "EUR")]), euros(2598)),
        ),
        (
            "two used mugs for half of it",
            returned(json!([mugs(2, "EUR")]), euros(1299)),
        ),
        (
            "two items for the price of both",
            returned(json!([mugs(2, "EUR"), mugs(1, "EUR")]), euros(3897)),
        ),
    ]
}

fn impossible() -> [(&'static str, &'static str, Value); 6] {
    [
        (
            "a return of nothing",
            "data.items",
            returned(json!([]), euros(0)),
        ),
        (
            "-2 mugs",
            "data.items[0].quantity",
            returned(json!([mugs(-2, "EUR")]), euros(0)),
        ),
        (
            "an item in USD for a refund in EUR",
            "data.items[0].unit_price",
            returned(json!([mugs(2, "USD")]), euros(2598)),
        ),
        (
            "a second item in USD for a refund in EUR",
            "data.items[1].unit_price",
            returned(json!([mugs(1, "EUR"), mugs(1, "USD")]), euros(1299)),
        ),
        (
            "a refund of 30.00 EUR for two mugs of 12.99",
            "data.refund",
            returned(json!([mugs(2, "EUR")]), euros(3000)),
        ),
        (
            "a refund of -1.00 EUR",
            "data.refund.minor",
            returned(json!([mugs(2, "EUR")]), euros(-100)),
        ),
    ]
}

fn mugs(quantity: i64, currency: &str) -> Value {
    let price = json!({ "minor": 1299, "currency": currency });
    json!({ "sku": "MUG-BLUE", "quantity": quantity, "unit_price": price })
}

fn euros(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "EUR" })
}

fn returned(items: Value, refund: Value) -> Value {
    json!({
        "id": "019ca6be-ad40-70e2-8468-65e9874614d7",
        "correlation_id": "019ca6b1-dc00-7f9b-adae-6f4c57a82ac2",
        "schema_version": 1,
        "occurred_at": "2026-03-02T09:14:00Z",
        "type": "order_returned",
        "data": {
            "order_id": "019ca6b1-dc00-7099-ac6c-d7363ca585e7",
            "items": items,
            "refund": refund,
        },
    })
}
