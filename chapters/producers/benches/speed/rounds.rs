//! Shapes and peers, in rounds that take turns.

use std::collections::BTreeMap;

use testbed::{Cluster, TopicSpec, unique_name};

use crate::Plan;
use crate::about::About;
use crate::java;
use crate::job::{self, Job, Measured, Shape};
use crate::payload::Files;
use crate::results::{
    ALL_AT_ONCE, AWAIT_EACH, FLOOR, FUTURES, JAVA, LIBRARY, Line, SIZES,
    Spread,
};

/// The client's settings of shapes and peers; all else is the default of each client.
pub const SETTINGS: [(&str, &str); 5] = [
    ("acks", "all"),
    ("batch.size", "65536"),
    ("compression.type", "none"),
    ("enable.idempotence", "true"),
    ("linger.ms", "5"),
];

/// How many records of 100 bytes each peer sends in a round.
const PEER_RECORDS: u64 = 500_000;

/// One that takes part in each round.
struct Contestant {
    name: &'static str,
    shape: Shape,
    size: usize,
    records: u64,
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
            Shape::Buffered(20_000),
            small,
            200_000,
        ),
        of(ALL_AT_ONCE, Shape::Unbounded, small, 200_000),
    ];
    for (size, records) in [(small, PEER_RECORDS), (large, 200_000)] {
        all.push(of(FUTURES, Shape::Futures(20_000), size, records));
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
    for round in 0..plan.rounds + warm_up {
        about.note_load();
        eprintln!("round {round} of {}", plan.rounds);
        // Each begins a round in turn, so that nobody always comes after the same one.
        let count = all.len();
        all.rotate_left(round as usize % count);
        for one in &mut all {
            let measured = run(cluster, files, one).await?;
            if round >= warm_up {
                one.measured.push(measured);
            }
        }
        all.rotate_right(round as usize % count);
    }
    about.java_command = java_command();
    let lines: Vec<Line> = all.iter().filter_map(line).collect();
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
        partitions: 1,
        config: Vec::new(),
    };
    cluster.create_topic(&topic).await?;
    let job = Job {
        shape: one.shape,
        properties: settings(&cluster.bootstrap),
        topic: topic.name.clone(),
        payloads: files.cut(one.size),
        records: one.records,
        paced: None,
    };
    let measured = job::run(&job).await?;
    cluster.delete_topic(&topic.name).await?;
    Ok(measured)
}

fn settings(bootstrap: &str) -> BTreeMap<String, String> {
    SETTINGS
        .into_iter()
        .chain([("bootstrap.servers", bootstrap)])
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn line(one: &Contestant) -> Option<Line> {
    let of = |value: &dyn Fn(&Measured) -> f64| {
        Spread::of(one.measured.iter().map(value))
    };
    let records = one.records as f64;
    Some(Line {
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
    })
}

/// The command of Kafka's own tool, with names that stand for this machine's.
fn java_command() -> String {
    let job = Job {
        shape: Shape::Java,
        properties: settings("localhost:9092"),
        topic: "orders".to_owned(),
        payloads: "payloads.txt".into(),
        records: PEER_RECORDS,
        paced: None,
    };
    let arguments = java::arguments(std::path::Path::new("libs"), &job);
    format!("java {}", arguments.join(" ")).replace(" --", " \\\n  --")
}
