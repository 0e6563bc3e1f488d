//! Shapes and peers, in rounds that take turns.

use std::collections::BTreeMap;

use producers::partition::SplitMix64;
use testbed::{Cluster, TopicSpec, unique_name};

use crate::Plan;
use crate::about::About;
use crate::java;
use crate::job::{self, Job, Measured, Pace, Shape};
use crate::order;
use crate::paced;
use crate::payload::Files;
use crate::results::{
    ALL_AT_ONCE, AWAIT_EACH, FLOOR, FUTURES, IN_FLIGHT, JAVA, LIBRARY,
    Line, PACED_RATE, SETTINGS, SIZES, Spread,
};

/// How many records of 100 bytes each peer sends in a round, and of 500: two seconds or so. In half a second one
/// pause of the broker decides.
const PEER_RECORDS: u64 = 2_000_000;
const LARGE_RECORDS: u64 = 800_000;

/// How many records each peer of this process sends in a round at the fixed rate.
const PACED: u64 = 20_000;

/// Of the orders in which they come: whoever measures again has the same.
const SEED: u64 = 1031;

/// One that takes part in each round.
struct Contestant {
    name: &'static str,
    shape: Shape,
    size: usize,
    records: u64,
    /// Records at the fixed rate.
    paced: Option<u64>,
    measured: Vec<Measured>,
}

/// Each with so many records that it takes a second or two on an ordinary machine.
fn contestants(plan: Plan) -> Vec<Contestant> {
    let [small, large] = SIZES;
    let of = |name, shape, size, records: u64| Contestant {
        name,
        shape,
        size,
        records: match plan {
            Plan { quick: true, .. } => records.min(2_000),
            // So few are sent one by one that there is nothing to save.
            Plan { percent, .. } if records > 1_000 => {
                records * percent / 100
            }
            _ => records,
        },
        paced: match shape {
            Shape::Futures | Shape::Library | Shape::Floor => {
                Some(if plan.quick { 100 } else { PACED })
            }
            _ => None,
        },
        measured: Vec::new(),
    };
    let mut all = vec![
        of(AWAIT_EACH, Shape::AwaitEach, small, 100),
        of("10 sends at once", Shape::Buffered(10), small, 1_000),
        of(
            "1\u{202f}000 sends at once",
            Shape::Buffered(1_000),
            small,
            100_000,
        ),
        of(
            "20\u{202f}000 sends at once",
            Shape::Buffered(IN_FLIGHT as usize),
            small,
            200_000,
        ),
        of(ALL_AT_ONCE, Shape::Unbounded, small, 200_000),
    ];
    for (size, records) in [(small, PEER_RECORDS), (large, LARGE_RECORDS)] {
        all.push(of(FUTURES, Shape::Futures, size, records));
        all.push(of(LIBRARY, Shape::Library, size, records));
        all.push(of(FLOOR, Shape::Floor, size, records));
        if plan.java {
            all.push(of(JAVA, Shape::Java, size, records));
        }
    }
    all
}

/// Measures; gives the shapes and the peers.
pub async fn measure(
    cluster: &Cluster,
    files: &Files,
    plan: Plan,
    about: &mut About,
) -> anyhow::Result<(Vec<Line>, Vec<Line>)> {
    let mut all = contestants(plan);
    // The round that warms up is the broker's: its code is compiled while it runs.
    let warm_up = if plan.quick { 0 } else { 1 };
    let mut random = SplitMix64::new(SEED);
    for round in 0..plan.rounds + warm_up {
        if !plan.quick {
            about.until_quiet().await?;
        }
        eprintln!("round {round} of {}", plan.rounds);
        // In another order each round, so that nobody always comes after the same one: who comes before
        // leaves a log that the broker still writes to the disk.
        for at in order::draw(all.len(), &mut random) {
            let one = &mut all[at];
            let measured = run(cluster, files, one).await?;
            if round >= warm_up {
                one.measured.push(measured);
            }
        }
    }
    about.java_command = java_command();
    let lines: Vec<Line> =
        all.iter().map(line).collect::<anyhow::Result<_>>()?;
    let [small, _] = SIZES;
    let is_shape = |line: &&Line| line.size == small && line.name != JAVA;
    let is_peer = |line: &&Line| {
        [FUTURES, LIBRARY, FLOOR, JAVA].contains(&line.name.as_str())
    };
    let shapes = lines.iter().filter(is_shape).cloned().collect();
    let peers = lines.iter().filter(is_peer).cloned().collect();
    Ok((shapes, peers))
}

async fn run(
    cluster: &Cluster,
    files: &Files,
    one: &Contestant,
) -> anyhow::Result<Measured> {
    let topic = TopicSpec {
        name: unique_name("speed"),
        // The second one for the paced part.
        partitions: 2,
        config: Vec::new(),
    };
    cluster.create_topic(&topic).await?;
    let job = Job {
        shape: one.shape,
        properties: settings(&cluster.bootstrap, one.shape, one.size),
        topic: topic.name.clone(),
        payloads: files.cut(one.size),
        records: one.records,
        in_flight: IN_FLIGHT,
        paced: one.paced.map(|records| Pace { records, rate: PACED_RATE }),
    };
    let measured = job::run(&job).await?;
    cluster.delete_topic(&topic.name).await?;
    Ok(measured)
}

fn settings(
    bootstrap: &str,
    shape: Shape,
    size: usize,
) -> BTreeMap<String, String> {
    let mut settings: BTreeMap<String, String> = SETTINGS
        .into_iter()
        .chain([("bootstrap.servers", bootstrap)])
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if shape == Shape::Java {
        // The Java client bounds the bytes in flight, not the records: it gets those of so many records.
        let bytes = IN_FLIGHT as usize * size;
        settings.insert("buffer.memory".to_owned(), bytes.to_string());
    }
    settings
}

fn line(one: &Contestant) -> anyhow::Result<Line> {
    let of = |value: &dyn Fn(&Measured) -> f64| {
        Spread::of(one.measured.iter().map(value))
            .ok_or_else(|| anyhow::anyhow!("no rounds"))
    };
    let paced = one.measured.iter().filter_map(|m| m.paced.as_ref());
    let records = one.records as f64;
    Ok(Line {
        name: one.name.to_owned(),
        size: one.size,
        records: one.records,
        rate: of(&|m| records / m.flat_out.seconds)?,
        cpu: of(&|m| m.flat_out.cpu_seconds * 1e6 / records)?,
        peak_mib: of(&|m| m.peak_bytes as f64 / 1_048_576.0)?,
        cpu_of_rounds: one
            .measured
            .iter()
            .map(|m| m.flat_out.cpu_seconds * 1e6 / records)
            .collect(),
        paced: paced::latency(paced)?,
    })
}

/// The command of Kafka's own tool, with names that stand for this machine's.
fn java_command() -> String {
    let job = Job {
        shape: Shape::Java,
        properties: settings("localhost:9092", Shape::Java, SIZES[0]),
        topic: "orders".to_owned(),
        payloads: "payloads.txt".into(),
        records: PEER_RECORDS,
        in_flight: IN_FLIGHT,
        paced: None,
    };
    let libs = std::path::Path::new("libs");
    let arguments = java::arguments(libs, &job, job.records);
    format!("java {}", arguments.join(" ")).replace(" --", " \\\n  --")
}
