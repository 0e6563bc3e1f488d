//! Runs the program twice, on a broker that takes every order and on one
//! that refuses some, and counts what the topic holds.
#![forbid(unsafe_code)]

use std::process::{ExitCode, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use testbed::embedded::Embedded;
use tokio::process::Command;
use tokio::time::timeout;

/// Longer than ten orders take on any machine.
const PATIENCE: Duration = Duration::from_secs(20);

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
    let broker = shop()?;
    let output = run(&broker).await?;
    let held = count(&broker)?;
    if !output.status.success() {
        bail!(
            "the program failed on a broker that takes every order:\n{}",
            said(&output)
        );
    }
    if held != 10 {
        bail!("the topic holds {held} orders, and ten were wanted");
    }
    if !said(&output).contains("sent") {
        bail!("all ten are there, and the program no longer says \"sent\"");
    }

    let broker = shop()?;
    // As often as the program may try: this error is for good, so a
    // client does not send again by itself.
    broker.fail_next(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 10],
    )?;
    let output = run(&broker).await?;
    let held = count(&broker)?;
    if output.status.success() {
        bail!(
            "the broker refused orders, the topic holds {held} of 10, and \
             the program ended with exit code 0: flush says that the \
             answers came, and not what they say"
        );
    }
    Ok(())
}

/// A broker with the topic that the program names.
fn shop() -> anyhow::Result<Embedded> {
    let broker = Embedded::start(1)?;
    broker.create_topic("orders", 1, 1)?;
    Ok(broker)
}

async fn run(broker: &Embedded) -> anyhow::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_producers-flushed"));
    command
        .env("KAFKA_BROKERS", &broker.connection().bootstrap)
        .env("NO_COLOR", "1")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    timeout(PATIENCE, command.output())
        .await
        .context(
            "after 20 s the program still runs: what does it wait for?",
        )?
        .context("the program does not start")
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes))
        .concat()
}

fn count(broker: &Embedded) -> anyhow::Result<i64> {
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &broker.connection().bootstrap)
        .create()?;
    let (low, high) = client.fetch_watermarks("orders", 0, PATIENCE)?;
    Ok(high - low)
}
