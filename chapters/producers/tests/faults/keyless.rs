//! Records without a key: `cargo xtask run producers keyless`
//!
//! 600 page views without a key, sent as fast as they come: by librdkafka's sticky partition, then with stickiness
//! switched off.
#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::Context;
use producers::partition::Balance;
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use tracing::info;

/// Longer than anything here takes: then the broker is gone.
const PATIENCE: Duration = Duration::from_secs(60);
const VIEWS: u32 = 600;
const PARTITIONS: u32 = 6;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let brokers = std::env::var("KAFKA_BROKERS").context(
        "KAFKA_BROKERS is not set: run this through `cargo xtask run`",
    )?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    tokio::select! {
        biased;
        signal = tokio::signal::ctrl_c() => {
            signal?;
            info!(target: "run", process = "shop", "stopped");
        }
        done = shop(config) => done?,
    }
    Ok(())
}

async fn shop(mut config: ClientConfig) -> anyhow::Result<()> {
    // So long that all views are queued before the first batch leaves.
    config.set("linger.ms", "1000");
    let sticky = send(&config).await?;
    config.set("sticky.partitioning.linger.ms", "0");
    let spread = send(&config).await?;
    let (sticky, spread) = (sticky.used(), spread.used());
    info!(target: "run", process = "shop", views = VIEWS, sticky, spread, "outcome");
    Ok(())
}

/// Sends the page views; in which partitions they stand.
async fn send(config: &ClientConfig) -> anyhow::Result<Balance> {
    let producer: FutureProducer = config.create()?;
    let view = || FutureRecord::<[u8], str>::to("views").payload("/mugs");
    // Until the client knows the leaders, no partition is one to stay on: so one view goes ahead and is not counted.
    let ahead = producer.send_result(view()).map_err(|(error, _)| error)?;
    producer.flush(PATIENCE)?;
    ahead.await?.map_err(|(error, _)| error)?;
    let mut waiting = Vec::new();
    for _ in 0..VIEWS {
        waiting.push(
            producer.send_result(view()).map_err(|(error, _)| error)?,
        );
    }
    producer.flush(PATIENCE)?;
    let mut balance = Balance::new(PARTITIONS);
    for delivered in waiting {
        let delivered = delivered.await?.map_err(|(error, _)| error)?;
        balance.count(u32::try_from(delivered.partition)?);
    }
    Ok(balance)
}
