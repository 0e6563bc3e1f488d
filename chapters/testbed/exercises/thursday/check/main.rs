//! Runs the test on a broker that has just started, beside another test's
//! topics, and with a service that loses an order.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use testbed::embedded::Embedded;
use testbed::{Cluster, TopicSpec};
use testbed_thursday::{Packing, five_parcels};
use tokio::time::timeout;

/// Longer than five parcels take on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A test that has not passed in this time waits for what does not come.
const A_WHILE: Duration = Duration::from_secs(2);

/// The topics of another test.
const THEIRS: [&str; 2] = ["orders", "parcels"];

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");

#[tokio::main]
async fn main() -> ExitCode {
    match check().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(seen) => {
            eprintln!("{seen:#}");
            ExitCode::FAILURE
        }
    }
}

async fn check() -> anyhow::Result<()> {
    let sound = Packing { loses: None };

    let young = broker()?;
    let embedded = young.as_embedded().context("not built in")?;
    embedded.fail_next(
        RDKafkaApiKey::FindCoordinator,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE; 3],
    )?;
    timeout(PATIENCE, five_parcels(&young, &sound))
        .await
        .context("the test does not end within 60 s")?
        .context(
            "on a broker that has just started, where groups wait for a \
             moment",
        )?;

    let shared = broker()?;
    for topic in THEIRS {
        shared.create_topic(&topic.parse::<TopicSpec>()?).await?;
        send_two(&shared, topic).await?;
    }
    let ended = timeout(PATIENCE, five_parcels(&shared, &sound)).await;
    for topic in THEIRS {
        let held = count(&shared, topic)?;
        ensure!(
            held == 2,
            "the topic {topic:?} of another test held 2 records, and holds \
             {held} after this one"
        );
    }
    ended
        .context("the test does not end within 60 s")?
        .context("beside a test that has its own topics")?;

    let losing = broker()?;
    let loses = Packing { loses: Some(2) };
    let ended = timeout(A_WHILE, five_parcels(&losing, &loses)).await;
    ensure!(
        !matches!(ended, Ok(Ok(()))),
        "packing lost an order, and the test passed"
    );

    let source = std::fs::read_to_string(SOURCE)
        .context("src/lib.rs cannot be read")?;
    let mut lines = source.lines().zip(1..);
    let sleeps = concat!("sle", "ep(");
    if let Some((_, line)) = lines.find(|(line, _)| line.contains(sleeps)) {
        bail!("src/lib.rs:{line}: the test sleeps: too long on most days");
    }
    Ok(())
}

fn broker() -> anyhow::Result<Cluster> {
    Ok(Embedded::start(1)?.into())
}

async fn send_two(cluster: &Cluster, topic: &str) -> anyhow::Result<()> {
    let producer: FutureProducer = cluster.client_config().create()?;
    for _ in 0..2 {
        let record = FutureRecord::to(topic).key("theirs").payload("1");
        producer.send(record, None).await.map_err(|(error, _)| error)?;
    }
    Ok(())
}

fn count(cluster: &Cluster, topic: &str) -> anyhow::Result<i64> {
    let client: BaseConsumer = cluster.client_config().create()?;
    let (low, high) = client.fetch_watermarks(topic, 0, PATIENCE)?;
    Ok(high - low)
}
