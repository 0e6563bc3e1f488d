//! A real Kafka of a test's own: how it starts, and what happens when its brokers fail.

use std::time::{Duration, Instant};

use testbed::local::{LocalCluster, LocalOptions};

use crate::Result;

/// One broker, from nothing to an answer.
#[tokio::test]
async fn one_node_starts() -> Result {
    let start = Instant::now();
    let cluster = LocalCluster::start(LocalOptions::new(1)).await?;
    eprintln!("{:?}", start.elapsed());
    let broker = cluster.broker(1)?;
    eprintln!("{:?} {:?} {:?} {}", broker.cpu_seconds(), broker.rss_bytes(), cluster.connection(), broker.log_tail(5));
    let start = Instant::now();
    drop(cluster);
    eprintln!("{:?}", start.elapsed());
    Ok(())
}
