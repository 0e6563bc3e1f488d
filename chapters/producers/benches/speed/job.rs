//! One measurement, in a process of its own: so that its CPU seconds and its memory are its own too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

/// The ways to send that are compared.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `FutureProducer`, and each `send` awaited before the next.
    AwaitEach,
    /// `FutureProducer`, with so many sends at once in a `buffer_unordered`.
    Buffered(usize),
    /// `FutureProducer`, with its delivery futures in a queue: its cheapest use.
    Futures,
    /// `FutureProducer`, with a future for every record at once, and a queue that takes them all.
    Unbounded,
    /// `ThreadedProducer` and a callback that counts: what everything else is compared with.
    Floor,
    /// This chapter's own producer.
    Library,
    /// Kafka's own `ProducerPerformance`.
    Java,
}

/// What to measure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// How to send.
    pub shape: Shape,
    /// The client's properties, `bootstrap.servers` among them.
    pub properties: BTreeMap<String, String>,
    /// Where to.
    pub topic: String,
    /// One payload a line.
    pub payloads: PathBuf,
    /// How many records.
    pub records: u64,
    /// How many of them may be in flight, where the shape has a bound and does not bring its own.
    pub in_flight: u32,
    /// Then, to partition 1, records at a fixed rate whose latency is measured.
    pub paced: Option<Pace>,
}

/// Records at a fixed rate.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Pace {
    /// How many records.
    pub records: u64,
    /// Records a second.
    pub rate: u64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// As fast as it goes: from the first `send` to the last acknowledgement.
    pub flat_out: Used,
    /// The most memory that the process held until then, in bytes.
    pub peak_bytes: u64,
    /// At a fixed rate.
    pub paced: Option<Paced>,
}

/// What sending took.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Used {
    /// How many records, all acknowledged.
    pub records: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Wall seconds.
    pub seconds: f64,
    /// CPU seconds of the client, user and system, all threads.
    pub cpu_seconds: f64,
}

/// What sending at a fixed rate took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Paced {
    /// CPU, bytes and time.
    pub used: Used,
    /// From the moment at which a record should have been sent to its acknowledgement, in µs: how
    /// many records at each value.
    pub latencies: Vec<(u64, u64)>,
}

/// Takes time and CPU from here on.
pub struct Meter {
    start: Instant,
    cpu: f64,
}

impl Meter {
    pub fn start() -> anyhow::Result<Meter> {
        Ok(Meter {
            start: Instant::now(),
            cpu: cpu_seconds(UsageWho::RUSAGE_SELF)?,
        })
    }

    pub fn stop(self, records: u64, bytes: u64) -> anyhow::Result<Used> {
        let seconds = self.start.elapsed().as_secs_f64();
        let cpu_seconds = cpu_seconds(UsageWho::RUSAGE_SELF)? - self.cpu;
        Ok(Used { records, bytes, seconds, cpu_seconds })
    }
}

/// User and system time.
pub fn cpu_seconds(who: UsageWho) -> anyhow::Result<f64> {
    let usage = getrusage(who)?;
    let seconds = |time: nix::sys::time::TimeVal| {
        time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
    };
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// The most memory that this process held, or one of the children that it waited for.
pub fn peak_bytes(who: UsageWho) -> anyhow::Result<u64> {
    // What getrusage says of a process begins with what its parent held when it was forked. Linux
    // has a better number.
    if who == UsageWho::RUSAGE_SELF
        && let Ok(status) = std::fs::read_to_string("/proc/self/status")
    {
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kib = line.and_then(|l| l.split_whitespace().next());
        return Ok(kib.context("VmHWM")?.parse::<u64>()? * 1024);
    }
    let peak = u64::try_from(getrusage(who)?.max_rss())?;
    // macOS counts bytes, everybody else KiB.
    Ok(if cfg!(target_os = "macos") { peak } else { peak * 1024 })
}

/// How long one measurement may take: the slowest takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// The argument that makes this program one of its own children.
pub const ARGUMENT: &str = "--job";

/// Runs the job in a child process.
pub async fn run(job: &Job) -> anyhow::Result<Measured> {
    let mut child = Command::new(std::env::current_exe()?);
    child
        .arg(ARGUMENT)
        .arg(serde_json::to_string(job)?)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, child.output())
        .await
        .with_context(|| format!("{:?} takes too long", job.shape))??;
    anyhow::ensure!(
        output.status.success(),
        "{:?} failed: {}",
        job.shape,
        output.status
    );
    let measured: Measured = serde_json::from_slice(&output.stdout)
        .with_context(|| {
            format!("{:?} printed something else", job.shape)
        })?;
    anyhow::ensure!(
        measured.flat_out.records == job.records,
        "{:?}: {} of {} records were acknowledged",
        job.shape,
        measured.flat_out.records,
        job.records
    );
    Ok(measured)
}

/// Reads payloads, one a line.
pub fn read_payloads(path: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let text = std::fs::read(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let lines = text.split(|byte| *byte == b'\n');
    Ok(lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect())
}
