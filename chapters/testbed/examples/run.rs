//! Three brokers, the leader killed with -9, and every acknowledged order still there.
//!
//! `cargo xtask run chapter testbed`, or `cargo run --example testbed_run -- --orders 500`
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Parser;
use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;
use testbed::local::{LocalCluster, LocalOptions};
use testbed::{Cluster, TopicSpec, eventually};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tracing::info;

/// Kills the leader of a partition between two halves of a day's orders.
#[derive(Parser)]
struct Arguments {
    /// How many orders checkout sends: one half before the kill, one half after it.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..))]
    orders: u32,
}

/// A failover takes 2 to 5 seconds here; a minute means that something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a consumer reports when a broker has closed its connection.
const DEAD_BROKER: Option<RDKafkaErrorCode> =
    Some(RDKafkaErrorCode::BrokerTransportFailure);

// ANCHOR: story
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let orders = Arguments::parse().orders;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let cluster: Cluster = tokio::select! {
        local = LocalCluster::start(LocalOptions::new(3)) => local?.into(),
        _ = interrupt.recv() => return Ok(()),
    };
    // acks=all: acknowledged once every in-sync replica has the record.
    // Idempotence: what is sent again after the failover is stored once.
    let producer: FutureProducer = cluster
        .client_config()
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .create()?;
    let done = tokio::select! {
        done = kill_between(&cluster, &producer, orders) => done,
        _ = interrupt.recv() => {
            info!(target: "run", process = "testbed", "stopped");
            Ok(())
        }
    };
    producer.flush(Duration::from_secs(10))?; // while the brokers run
    done
}

/// One half of the orders, the kill, the other half; then all is read.
async fn kill_between(
    cluster: &Cluster,
    producer: &FutureProducer,
    orders: u32,
) -> anyhow::Result<()> {
    let brokers = cluster.capabilities.brokers;
    info!(target: "run", process = "testbed", brokers, "started");
    let mut topic: TopicSpec = "orders:1".parse()?;
    topic.config.push(("min.insync.replicas".into(), "2".into()));
    cluster.create_topic(&topic).await?;

    let mut acknowledged = BTreeSet::new();
    for n in 1..=orders / 2 {
        acknowledged.insert(send(producer, n).await?);
    }
    let old = kill_leader(cluster).await?;
    for n in orders / 2 + 1..=orders {
        acknowledged.insert(send(producer, n).await?);
    }
    elected(cluster, old).await?;

    let survived = read_all(cluster, &acknowledged).await?;
    let lost = acknowledged.difference(&survived).count();
    info!(
        target: "run", process = "testbed", sent = orders,
        acknowledged = acknowledged.len(), survived = survived.len(), lost,
        "outcome"
    );
    anyhow::ensure!(lost == 0, "{lost} acknowledged orders are gone");
    Ok(())
}
// ANCHOR_END: story

/// Sends one order, and waits for its acknowledgement, over the failover
/// if need be.
async fn send(producer: &FutureProducer, n: u32) -> anyhow::Result<String> {
    let key = format!("order-{n}");
    let record = FutureRecord::to("orders").key(&key).payload("2 mugs");
    let sent = producer.send(record, None).await;
    let sent = sent.map_err(|(error, _)| error)?;
    let (partition, offset) = (sent.partition, sent.offset);
    info!(
        target: "run", process = "checkout",
        topic = "orders", partition, offset, key, "acknowledged"
    );
    Ok(key)
}

// ANCHOR: kill
async fn kill_leader(cluster: &Cluster) -> anyhow::Result<u32> {
    let local = cluster
        .as_local()
        .ok_or_else(|| anyhow::anyhow!("not a local cluster"))?;
    let leader = local.leader("orders", 0).await?;
    local.broker(leader)?.kill().await?;
    let (process, broker) = ("testbed", leader);
    info!(target: "run", process, broker, "killed");
    Ok(leader)
}

/// Waits until another broker leads the partition.
async fn elected(cluster: &Cluster, old: u32) -> anyhow::Result<()> {
    let local = cluster
        .as_local()
        .ok_or_else(|| anyhow::anyhow!("not a local cluster"))?;
    let leader =
        eventually(PATIENCE, "another leader", async || {
            match local.leader("orders", 0).await {
                Ok(leader) if leader != old => Ok(leader),
                Ok(leader) => Err(format!("still broker {leader}")),
                Err(error) => Err(error.to_string()),
            }
        })
        .await?;
    info!(
        target: "run", process = "testbed",
        topic = "orders", partition = 0, leader, "elected"
    );
    Ok(())
}
// ANCHOR_END: kill

/// Reads the topic from its beginning until each of `wanted` was seen, or nothing comes any more.
async fn read_all(
    cluster: &Cluster,
    wanted: &BTreeSet<String>,
) -> anyhow::Result<BTreeSet<String>> {
    let packing: StreamConsumer = cluster
        .client_config()
        .set("group.id", "packing")
        .set("auto.offset.reset", "earliest")
        .create()?;
    packing.subscribe(&["orders"])?;
    let mut seen = BTreeSet::new();
    while seen.len() < wanted.len() {
        let record = match timeout(PATIENCE, packing.recv()).await {
            Err(_) => break,
            // One of the bootstrap servers is dead: librdkafka says so, and
            // asks the others by itself.
            Ok(Err(error)) if error.rdkafka_error_code() == DEAD_BROKER => {
                continue;
            }
            Ok(record) => record?,
        };
        let key = String::from_utf8_lossy(record.key().unwrap_or_default())
            .into_owned();
        let (partition, offset) = (record.partition(), record.offset());
        info!(target: "run", process = "packing", topic = "orders", partition, offset, key, "consumed");
        seen.insert(key);
    }
    Ok(seen)
}
