//! A test that is green here, and red on Thursdays.
#![forbid(unsafe_code)]

mod packing;

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use testbed::{Cluster, TopicSpec};

pub use packing::Packing;

const PATIENCE: Duration = Duration::from_secs(20);

/// Five orders become five parcels.
pub async fn five_parcels(
    cluster: &Cluster,
    packing: &Packing,
) -> anyhow::Result<()> {
    for name in ["orders", "parcels"] {
        // An error means that it is there already.
        let _ = cluster.create_topic(&name.parse::<TopicSpec>()?).await;
    }
    let checkout = async {
        send_five(cluster, "orders").await?;
        // Packing needs half a second.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let held = count(cluster, "parcels")?;
        anyhow::ensure!(held == 5, "{held} parcels for 5 orders");
        Ok(())
    };
    let config = cluster.client_config();
    tokio::select! {
        ended = packing.work(&config, "orders", "parcels") => ended,
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
