//! The service under test; there is nothing to change here.

use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Message};
use testbed::unique_name;

/// Reads orders, and sends a parcel for each.
pub struct Packing {
    /// The offset of an order that it loses, for a test of the test.
    pub loses: Option<i64>,
}

impl Packing {
    /// Works until it is dropped.
    pub async fn work(
        &self,
        config: &ClientConfig,
        orders: &str,
        parcels: &str,
    ) -> anyhow::Result<()> {
        let producer: FutureProducer = config.create()?;
        let consumer: StreamConsumer = config
            .clone()
            .set("group.id", unique_name("packing"))
            .set("auto.offset.reset", "earliest")
            .create()?;
        consumer.subscribe(&[orders])?;
        loop {
            let order = consumer.recv().await?;
            if Some(order.offset()) == self.loses {
                continue;
            }
            let parcel = FutureRecord::<[u8], [u8]>::to(parcels)
                .payload(order.payload().unwrap_or_default());
            producer
                .send(parcel, None)
                .await
                .map_err(|(error, _)| error)?;
        }
    }
}
