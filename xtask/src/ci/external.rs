//! The suite on a cluster that somebody else runs, as `--broker external` does: here a local Kafka of another process.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Deserialize;
use testbed::kind::{BrokerChoice, Kind, held_back};

use super::{Context, Outcome, steps};
use crate::kafka::kept::{Folder, Kept};
use crate::kafka::processes;
use crate::test;

/// A topic is deleted before all brokers say so.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often is looked again.
const STEP: Duration = Duration::from_millis(250);

/// Runs what takes any Kafka; what its owner had before is what there is afterwards.
pub fn prove(context: &Context<'_>) -> anyhow::Result<Outcome> {
    if let Some(reason) = held_back(Kind::Local, &context.around.machine) {
        return Ok(Outcome::LeftOut(reason));
    }
    let testbed = steps::program(context, "testbed")?;
    let folder = Folder::at(context.project.target_dir().join("ci").join("external"));
    let kept = processes::up_with(&testbed, &folder, Kind::Local, 1)?;
    let passed = prove_on(context, &testbed, &kept);
    let ended = processes::down(&folder, &kept);
    let passed = passed?;
    ended?;
    Ok(passed.into())
}

fn prove_on(context: &Context<'_>, testbed: &Path, kept: &Kept) -> anyhow::Result<bool> {
    let external = BrokerChoice::External(Some(kept.bootstrap.clone()));
    let before = topics(testbed, &external)?;
    let args = test::Args::again_on(external.clone());
    let passed = test::run(context.project, args)? == ExitCode::SUCCESS;
    let deadline = Instant::now() + PATIENCE;
    let left = loop {
        let after = topics(testbed, &external)?;
        let left: Vec<String> = after.difference(&before).cloned().collect();
        if left.is_empty() || Instant::now() > deadline {
            break left;
        }
        thread::sleep(STEP);
    };
    for topic in &left {
        eprintln!("left behind: the topic {topic}");
    }
    Ok(passed && left.is_empty())
}

/// What `testbed probe` says of a cluster, as far as it matters here.
#[derive(Deserialize)]
struct Answer {
    topics: BTreeSet<String>,
}

/// The topics that users made: Kafka's own stay once they are there.
fn topics(testbed: &Path, external: &BrokerChoice) -> anyhow::Result<BTreeSet<String>> {
    let output = Command::new(testbed)
        .args(["probe", "--broker", &external.to_string()])
        .output()
        .context("testbed does not start")?;
    anyhow::ensure!(
        output.status.success(),
        "`testbed probe` failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answer: Answer =
        serde_json::from_slice(&output.stdout).context("`testbed probe` printed no answer")?;
    Ok(answer.topics.into_iter().filter(|name| !name.starts_with("__")).collect())
}
