//! Runs the shop with the service of `answer.txt` forgetting, and compares
//! its lines with those of that day.
//!
//! `lines.jsonl` is what this printed, without any change:
//! `LOG_FORMAT=json cargo xtask run logging follow -- --forget-header NAME`
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use logging::{Header, Moments, Recording, compare};
use testbed::embedded::Embedded;
use tokio::process::Command;
use tokio::time::timeout;

/// Longer than three orders take on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The lines of that day.
const DAY: &str = include_str!("../starter/lines.jsonl");

const ANSWER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/answer.txt");

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
    let answer = std::fs::read_to_string(ANSWER)
        .context("answer.txt cannot be read")?;
    let answer = answer.trim();
    let day = read(DAY)?;
    let new = read(&shop(answer).await?)?;

    let (then, now) = (orphaned(&day), orphaned(&new));
    ensure!(
        then == now,
        "with {answer} forgetting, `orphaned` is written by {now}; that \
         day by {then}"
    );
    let differences = compare(&day, &new, &Moments::default());
    if let Some(difference) = differences.first() {
        bail!(
            "with {answer} forgetting, the lines are others: {difference}"
        );
    }
    Ok(())
}

fn read(lines: &str) -> anyhow::Result<Recording> {
    Ok(Recording::from_json_lines(Header::default(), lines.as_bytes())?)
}

/// What the shop writes when this service forgets.
async fn shop(forgets: &str) -> anyhow::Result<String> {
    let broker = Embedded::start(1)?;
    for topic in ["orders", "payments", "parcels", "deliveries"] {
        broker.create_topic(topic, 3, 1)?;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_logging_run"));
    command
        .args(["--forget-header", forgets])
        .env("KAFKA_BROKERS", &broker.connection().bootstrap)
        .env("LOG_FORMAT", "json")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(PATIENCE, command.output())
        .await
        .context("the shop did not close within 60 s")?
        .context("the shop does not start")?;
    ensure!(
        output.status.success(),
        "the shop does not know {forgets:?}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// Who says that a record had no id, and how often.
fn orphaned(lines: &Recording) -> String {
    let mut by: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &lines.lines {
        if line.message == "orphaned" {
            *by.entry(line.process().unwrap_or("nobody")).or_default() += 1;
        }
    }
    match by.is_empty() {
        true => "nobody".to_owned(),
        false => by
            .iter()
            .map(|(process, times)| format!("{process}, {times} times"))
            .collect::<Vec<_>>()
            .join(" and "),
    }
}
