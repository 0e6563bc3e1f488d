//! The shapes that others rely on. A change here changes what is already stored in somebody's topics.

use std::fmt::Write;

use events::{Factory, SUNDAY, fixtures};

use crate::common::Result;

/// One event of each type, as it is written. Readers in other languages copy their fixtures from here.
#[test]
fn one_event_of_each_type() -> Result {
    let mut lines = String::new();
    for event in fixtures::one_of_each() {
        writeln!(lines, "{}", String::from_utf8(event.to_json()?)?)?;
    }
    insta::assert_snapshot!(lines);
    Ok(())
}

/// The order of the page, laid out for people; the field order is the one on the wire.
#[test]
fn an_order_as_json() -> Result {
    let order = fixtures::one_of_each().remove(2);
    let json = serde_json::to_string_pretty(&order)?;
    assert_eq!(json + "\n", include_str!("output/order.json"));
    Ok(())
}

/// claim: a-seed-is-a-day
///
/// A seed gives the same day on every machine: this file was written on one, and CI reads it on others.
#[test]
fn the_day_of_seed_1031() -> Result {
    let mut lines = String::new();
    for event in Factory::new(1031, SUNDAY).day(3) {
        writeln!(lines, "{}", String::from_utf8(event.to_json()?)?)?;
    }
    insta::assert_snapshot!(lines);
    Ok(())
}
