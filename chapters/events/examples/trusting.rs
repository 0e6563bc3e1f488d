//! The report that trusts its records: `cargo xtask run events trusting`
//!
//! It adds up what was ordered on a Sunday, twice: believing every record, and checking it.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use events::{
    Currency, Event, Factory, Money, MoneyError, OrderEvent, SUNDAY,
};
use events::{fixtures, from_message, topics};
use rdkafka::ClientConfig;
use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use serde_json::Value;
use tracing::info;

/// What was ordered, by currency.
type Sums = BTreeMap<Currency, Money>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .init();
    let brokers =
        std::env::var("KAFKA_BROKERS").context("KAFKA_BROKERS")?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    let producer: FutureProducer = config.create()?;
    config.set("group.id", "report").set("auto.offset.reset", "earliest");
    let consumer: StreamConsumer = config.create()?;
    tokio::select! {
        done = report(&producer, &consumer) => done?,
        _ = tokio::signal::ctrl_c() => info!("stopped"),
    }
    producer.flush(Duration::from_secs(10))?; // sends what is queued
    drop(consumer); // commits, and leaves the group at once
    Ok(())
}

async fn report(
    producer: &FutureProducer,
    consumer: &StreamConsumer,
) -> anyhow::Result<()> {
    let sent = sell(producer).await?;
    consumer.subscribe(&[topics::ORDERS])?;
    let (mut believed, mut checked, mut refused) = (0.0, Sums::new(), 0);
    for _ in 0..sent {
        let record = consumer.recv().await?;
        believed += believe(record.payload().unwrap_or_default())?;
        match from_message::<OrderEvent>(&record) {
            Ok(event) => check(&event.data, &mut checked)?,
            Err(_) => refused += 1,
        }
    }
    info!(records = sent, ordered = %format_args!("{believed:.2}"), "believed");
    info!(records = sent, refused, "checked");
    for sum in checked.values() {
        info!(ordered = %sum, "checked");
    }
    Ok(())
}

// ANCHOR: believe
/// What was ordered, if everything in the record is believed.
fn believe(payload: &[u8]) -> serde_json::Result<f64> {
    let order: Value = serde_json::from_slice(payload)?;
    let mut ordered = 0.0;
    for item in order["data"]["items"].as_array().into_iter().flatten() {
        let price = item["unit_price"]["minor"].as_f64().unwrap_or(0.0);
        let quantity = item["quantity"].as_f64().unwrap_or(0.0);
        ordered += quantity * price / 100.0;
    }
    Ok(ordered)
}
// ANCHOR_END: believe

// ANCHOR: check
/// Adds an order to the sum of its currency.
fn check(event: &OrderEvent, sums: &mut Sums) -> Result<(), MoneyError> {
    if let OrderEvent::Placed(order) = event {
        let currency = order.total.currency;
        let sum = sums.entry(currency).or_insert(Money::zero(currency));
        *sum = sum.plus(order.total)?;
    }
    Ok(())
}
// ANCHOR_END: check

/// Sends the orders of a Sunday with 40 users, and three payloads that are wrong. Returns how many that were.
async fn sell(producer: &FutureProducer) -> anyhow::Result<usize> {
    let mut factory = Factory::new(7, SUNDAY);
    let day = factory
        .day(40)
        .into_iter()
        .filter(|event| event.data.topic() == topics::ORDERS);
    let mut orders = Vec::new();
    for order in day {
        orders.push((order.data.key(), order.to_json()?));
    }
    orders.extend(
        fixtures::bad_payloads(&mut factory).map(|bad| (bad.key, bad.json)),
    );
    for (key, json) in &orders {
        let record = FutureRecord::to(topics::ORDERS)
            .key(key.as_str())
            .payload(json);
        producer
            .send(record, Duration::from_secs(30))
            .await
            .map_err(|(error, _)| error)?;
    }
    Ok(orders.len())
}
