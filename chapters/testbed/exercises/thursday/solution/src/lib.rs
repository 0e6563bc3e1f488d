//! A test that is green on every day.
#![forbid(unsafe_code)]

mod packing;

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use testbed::{Cluster, TestTopic, eventually};

pub use packing::Packing;

const PATIENCE: Duration = Duration::from_secs(20);

/// Five orders become five parcels.
pub async fn five_parcels(
    cluster: &Cluster,
    packing: &Packing,
) -> anyhow::Result<()> {
    let orders = TestTopic::new(cluster, "orders", 1).await?;
    let parcels = TestTopic::new(cluster, "parcels", 1).await?;
    let checkout = async {
        send_five(cluster, orders.name()).await?;
        eventually(PATIENCE, "five parcels", async || {
            match count(cluster, parcels.name()) {
                Ok(5) => Ok(()),
                Ok(held) => Err(format!("{held} parcels")),
                Err(error) => Err(error.to_string()),
            }
        })
        .await?;
        Ok(())
    };
    let config = cluster.client_config();
    let work = packing.work(&config, orders.name(), parcels.name());
    tokio::select! {
        ended = work => ended,
        counted = checkout => counted,
    }
}

async fn send_five(cluster: &Cluster, topic: &str) -> anyhow::Result<()> {
    let producer: FutureProducer = cluster.client_config().create()?;
    for _ in 0..5 {
        let order = FutureRecord::to(topic).key("order").payload("mug");
        producer.send(order, None).await.map_err(|(error, _)| error)?;
    }
    Ok(())
}

/// How many records a topic of one partition holds.
fn count(cluster: &Cluster, topic: &str) -> anyhow::Result<i64> {
    let client: BaseConsumer = cluster.client_config().create()?;
    let (low, high) = client.fetch_watermarks(topic, 0, PATIENCE)?;
    Ok(high - low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn five_orders_become_five_parcels() -> anyhow::Result<()> {
        let cluster = testbed::cluster("").await?;
        five_parcels(&cluster, &Packing { loses: None }).await
    }
}
