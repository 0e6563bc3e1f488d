//! The report that trusts its records: `cargo xtask run chapter 2 trusting`
//!
//! It reads the same kind of day as the guided run and adds up what was ordered, believing every record.
#![forbid(unsafe_code)]

use std::time::Duration;

use events::{Event, Factory, SUNDAY, fixtures, topics};
use rdkafka::ClientConfig;
use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::Value;
use tracing::info;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().without_time().with_target(false).init();
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", std::env::var("KAFKA_BROKERS")?);
    let sent = sell(&config.create()?).await?;

    config.set("group.id", "report").set("auto.offset.reset", "earliest");
    let consumer: StreamConsumer = config.create()?;
    consumer.subscribe(&[topics::ORDERS])?;
    let mut revenue = 0.0;
    for _ in 0..sent {
        let record = consumer.recv().await?;
        revenue += believed(record.payload().unwrap_or_default())?;
    }
    info!(records = sent, revenue = format!("{revenue:.2}"), "Sunday");
    Ok(())
}

// ANCHOR: believed
/// What an order brought in, if everything in the record is believed.
fn believed(payload: &[u8]) -> serde_json::Result<f64> {
    let order: Value = serde_json::from_slice(payload)?;
    let mut revenue = 0.0;
    for item in order["data"]["items"].as_array().into_iter().flatten() {
        let price = item["unit_price"]["minor"].as_f64().unwrap_or(0.0);
        let quantity = item["quantity"].as_f64().unwrap_or(0.0);
        revenue += quantity * price / 100.0;
    }
    Ok(revenue)
}
// ANCHOR_END: believed

/// Sends the orders of a Sunday with 40 users, and three payloads that are wrong. Returns how many that were.
async fn sell(producer: &FutureProducer) -> anyhow::Result<usize> {
    let mut factory = Factory::new(7, SUNDAY);
    let day = factory.day(40).into_iter().filter(|event| event.data.topic() == topics::ORDERS);
    let mut orders = Vec::new();
    for order in day {
        orders.push((order.data.key(), order.to_json()?));
    }
    orders.extend(fixtures::bad_payloads(&mut factory).map(|bad| (bad.key, bad.json)));
    for (key, json) in &orders {
        let record = FutureRecord::to(topics::ORDERS).key(key.as_str()).payload(json);
        producer.send(record, Duration::from_secs(30)).await.map_err(|(error, _)| error)?;
    }
    Ok(orders.len())
}
