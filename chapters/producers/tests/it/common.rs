//! Clients and counting that the tests share.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use producers::{Outcome, Producer, ProducerConfig, Record};
use rdkafka::consumer::{BaseConsumer, Consumer};
use testbed::embedded::Embedded;
use testbed::{Cluster, TopicSpec, eventually};
use tokio::process::Command;

/// Longer than anything here takes, so that a hanging test ends with a message.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than a test runs: a batch that lingers so long does not leave.
pub const FOR_EVER: Duration = Duration::from_secs(100);

pub type Result<T = ()> =
    std::result::Result<T, Box<dyn std::error::Error>>;

/// A built-in broker of a test's own with the topic `orders`, to be slowed and stopped.
pub async fn shop() -> Result<Cluster> {
    shop_of(&["orders:1"]).await
}

/// The same with these topics: their names stand in the programs, so no two tests may share a broker.
pub async fn shop_of(topics: &[&str]) -> Result<Cluster> {
    let cluster: Cluster = Embedded::start(1)?.into();
    for topic in topics {
        cluster.create_topic(&topic.parse::<TopicSpec>()?).await?;
    }
    Ok(cluster)
}

pub fn config(cluster: &Cluster) -> ProducerConfig {
    ProducerConfig::new(&cluster.bootstrap)
}

/// A producer, and its outcomes in the order in which they came.
pub fn start(config: &ProducerConfig) -> Result<(Producer, Outcomes)> {
    let outcomes = Outcomes::default();
    let keep = outcomes.clone();
    let producer = Producer::start(config, move |outcome| {
        keep.0.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
    })?;
    Ok((producer, outcomes))
}

#[derive(Clone, Default)]
pub struct Outcomes(Arc<Mutex<Vec<Outcome>>>);

impl Outcomes {
    pub fn all(&self) -> Vec<Outcome> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub fn order(topic: &str, token: usize) -> Record<'_> {
    Record::new(topic, b"2 mugs", token)
}

pub async fn send(
    producer: &Producer,
    topic: &str,
    orders: usize,
) -> Result {
    for token in 0..orders {
        producer.send(order(topic, token)).await?;
    }
    Ok(())
}

/// Waits until so many outcomes have come.
pub async fn come(outcomes: &Outcomes, number: usize) -> Result {
    eventually(PATIENCE, "all outcomes", async || {
        let seen = outcomes.all().len();
        if seen == number { Ok(()) } else { Err(format!("{seen}")) }
    })
    .await?;
    Ok(())
}

/// How many records a topic of one partition holds.
pub fn stored(cluster: &Cluster, topic: &str) -> Result<i64> {
    let client: BaseConsumer = cluster.client_config().create()?;
    let (low, high) = client.fetch_watermarks(topic, 0, PATIENCE)?;
    Ok(high - low)
}

/// A program of this chapter: target/<profile>/deps holds this test, target/<profile>/examples the programs.
pub fn command(program: &str, bootstrap: &str) -> Result<Command> {
    let test = std::env::current_exe()?;
    let profile =
        test.parent().and_then(Path::parent).ok_or("no target folder")?;
    let path = profile.join("examples").join(program);
    if !path.exists() {
        let path = path.display();
        return Err(format!(
            "{path} is missing: cargo build -p producers --examples"
        )
        .into());
    }
    let mut command = Command::new(path);
    command
        .env("KAFKA_BROKERS", bootstrap)
        .env("NO_COLOR", "1")
        .env_remove("LOG_FORMAT")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}
