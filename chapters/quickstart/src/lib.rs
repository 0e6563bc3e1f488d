//! An order as a record: a JSON value, a key, and a correlation id.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{
    FutureProducer, FutureRecord, future_producer::Delivery,
};
use serde::{Deserialize, Serialize};

// ANCHOR: order
/// What checkout tells the other services: id, item and how many of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Order {
    pub id: String,
    pub item: String,
    pub quantity: u32,
}
// ANCHOR_END: order

// ANCHOR: send
/// Sends an order and waits until the broker has acknowledged it.
pub async fn send(
    producer: &FutureProducer,
    topic: &str,
    order: &Order,
    correlation_id: &str,
) -> Result<Delivery, KafkaError> {
    let value = serde_json::json!(order).to_string();
    let id = Header { key: "correlation-id", value: Some(correlation_id) };
    let record = FutureRecord::to(topic)
        .key(&order.id)
        .payload(&value)
        .headers(OwnedHeaders::new().insert(id));
    producer.send(record, None).await.map_err(|(error, _)| error)
}
// ANCHOR_END: send

// ANCHOR: read
/// Reads an order, and the correlation id if there is one, out of a record.
pub fn read(
    record: &impl Message,
) -> Result<(Order, Option<String>), serde_json::Error> {
    let order =
        serde_json::from_slice(record.payload().unwrap_or_default())?;
    let id = record.headers().and_then(|headers| {
        let header =
            headers.iter().find(|header| header.key == "correlation-id")?;
        String::from_utf8(header.value?.to_owned()).ok()
    });
    Ok((order, id))
}
// ANCHOR_END: read
