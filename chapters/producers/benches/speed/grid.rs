//! Batch size × linger × codec, on whole orders: as fast as it goes, and at a fixed rate.

use std::path::Path;

use testbed::{Cluster, TopicSpec, unique_name};

use crate::Plan;
use crate::about::About;
use crate::job::{self, Job, Measured, Pace, Shape};
use crate::paced;
use crate::payload::Files;
use crate::results::{Cell, IN_FLIGHT, PACED_RATE, PacedCell, Spread};
use crate::tables::CODECS;

/// The batch sizes: the default of Kafka's Java client, eight times that, and librdkafka's default.
const BATCHES: [u64; 3] = [16_384, 131_072, 1_000_000];

/// The lingers: none, librdkafka's default and that of Kafka's Java client since 4.0, and ten times that.
const LINGERS: [u64; 3] = [0, 5, 50];

/// Orders of one measurement as fast as it goes: so many that the linger of the last batch hardly counts.
const RECORDS: u64 = 80_000;

/// And paced. The slowest of a thousand are few, so that takes seconds, and longest without a codec: those are the
/// latencies that the page shows.
const PACED: u64 = 30_000;
const PACED_PLAIN: u64 = 60_000;

struct Setting {
    batch: u64,
    linger: u64,
    codec: &'static str,
    turns: Vec<Turn>,
}

/// One measurement, and how many bytes it left in the log of each partition.
struct Turn {
    measured: Measured,
    flat_log: u64,
    paced_log: u64,
}

/// Measures all settings whose codec this build of librdkafka has.
pub async fn measure(
    cluster: &Cluster,
    files: &Files,
    plan: Plan,
    about: &mut About,
) -> anyhow::Result<Vec<Cell>> {
    let mut settings = Vec::new();
    for batch in BATCHES {
        for linger in LINGERS {
            for codec in CODECS {
                if codec == "zstd" && !about.has_zstd {
                    continue;
                }
                settings.push(Setting {
                    batch,
                    linger,
                    codec,
                    turns: Vec::new(),
                });
            }
        }
    }
    if !about.has_zstd {
        eprintln!(
            "zstd: left out, this build is without it (`cargo xtask doctor` says what is missing)"
        );
    }
    let rounds = if plan.quick { 1 } else { plan.setting_rounds };
    for round in 1..=rounds {
        eprintln!("settings, round {round} of {rounds}");
        // Those that differ by the codec only come one after the other.
        for settings in settings.chunks_mut(CODECS.len()) {
            if !plan.quick {
                about.until_quiet().await?;
            }
            for setting in settings {
                let turn = turn(cluster, files, setting, plan).await?;
                setting.turns.push(turn);
            }
        }
    }
    settings.iter().map(cell).collect()
}

async fn turn(
    cluster: &Cluster,
    files: &Files,
    setting: &Setting,
    plan: Plan,
) -> anyhow::Result<Turn> {
    let topic = TopicSpec {
        name: unique_name("grid"),
        // One for each part, so that the bytes of each can be told apart.
        partitions: 2,
        config: Vec::new(),
    };
    cluster.create_topic(&topic).await?;
    let properties = [
        ("bootstrap.servers", cluster.bootstrap.clone()),
        ("acks", "all".to_owned()),
        ("enable.idempotence", "true".to_owned()),
        ("batch.size", setting.batch.to_string()),
        ("linger.ms", setting.linger.to_string()),
        ("compression.type", setting.codec.to_owned()),
    ];
    let (records, paced) = match setting.codec {
        _ if plan.quick => (500, 100),
        "none" => (RECORDS, PACED_PLAIN),
        _ => (RECORDS, PACED),
    };
    let job = Job {
        shape: Shape::Floor,
        properties: properties
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        topic: topic.name.clone(),
        payloads: files.orders(),
        records,
        in_flight: IN_FLIGHT,
        paced: Some(Pace { records: paced, rate: PACED_RATE }),
    };
    let measured = job::run(&job).await?;
    let turn = Turn {
        measured,
        flat_log: log_bytes(cluster, &topic.name, 0)?,
        paced_log: log_bytes(cluster, &topic.name, 1)?,
    };
    cluster.delete_topic(&topic.name).await?;
    Ok(turn)
}

/// How long the log of a partition is, as the broker keeps it.
fn log_bytes(
    cluster: &Cluster,
    topic: &str,
    partition: u32,
) -> anyhow::Result<u64> {
    let local =
        cluster.as_local().filter(|local| !local.brokers().is_empty());
    let Some(local) = local else {
        anyhow::bail!("only a local broker's log can be looked at");
    };
    let data = local.brokers()[0].folder().join("data");
    let mut bytes = 0;
    for file in
        std::fs::read_dir(data.join(format!("{topic}-{partition}")))?
    {
        let file = file?;
        if Path::new(&file.file_name())
            .extension()
            .is_some_and(|e| e == "log")
        {
            bytes += file.metadata()?.len();
        }
    }
    Ok(bytes)
}

fn cell(setting: &Setting) -> anyhow::Result<Cell> {
    let turns = &setting.turns;
    let of = |value: &dyn Fn(&Turn) -> f64| {
        Spread::of(turns.iter().map(value))
            .ok_or_else(|| anyhow::anyhow!("no turns"))
    };
    let mut paced_cpu = Vec::new();
    let mut paced_ratio = Vec::new();
    for turn in turns {
        let Some(paced) = &turn.measured.paced else { continue };
        let used = paced.used;
        paced_cpu.push(used.cpu_seconds * 1e6 / used.records as f64);
        // The records that warmed up are in the log too.
        let warm = crate::shapes::WARM as f64 / used.records as f64;
        paced_ratio
            .push(used.bytes as f64 * (1.0 + warm) / turn.paced_log as f64);
    }
    let none = || anyhow::anyhow!("no paced part");
    let all_paced =
        turns.iter().filter_map(|turn| turn.measured.paced.as_ref());
    let flat = |turn: &Turn| turn.measured.flat_out;
    Ok(Cell {
        batch: setting.batch,
        linger: setting.linger,
        codec: setting.codec.to_owned(),
        rate: of(&|turn| flat(turn).records as f64 / flat(turn).seconds)?,
        mb: of(&|turn| flat(turn).bytes as f64 / 1e6 / flat(turn).seconds)?,
        cpu: of(&|turn| {
            flat(turn).cpu_seconds * 1e6 / flat(turn).records as f64
        })?,
        ratio: of(&|turn| {
            let warm =
                crate::shapes::WARM as f64 / flat(turn).records as f64;
            flat(turn).bytes as f64 * (1.0 + warm) / turn.flat_log as f64
        })?
        .median,
        peak_mib: of(&|turn| {
            turn.measured.peak_bytes as f64 / 1_048_576.0
        })?
        .median,
        paced: PacedCell {
            cpu: Spread::of(paced_cpu).ok_or_else(none)?,
            ratio: Spread::of(paced_ratio).ok_or_else(none)?.median,
            latency: paced::latency(all_paced)?.ok_or_else(none)?,
        },
    })
}
