//! What was measured, as it is kept in `results/speed.json`, and what must hold of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The whole measurement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    pub about: About,
    /// One producer program, written in several ways.
    pub shapes: Vec<Line>,
    /// The ways worth comparing, and Kafka's own tool, in rounds that take turns.
    pub peers: Vec<Line>,
    /// Batch size × linger × codec.
    pub cells: Vec<Cell>,
}

/// Where, when and with what.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct About {
    pub date: String,
    pub processor: String,
    pub processors: usize,
    pub memory_gib: f64,
    pub system: String,
    /// What all else on this machine took of its processors before a round, in percent: lowest and
    /// highest. `None` where the system does not say.
    pub others_percent: Option<(f64, f64)>,
    pub kafka: String,
    pub librdkafka: String,
    pub java: String,
    /// Measured rounds, after one that warms up.
    pub rounds: u32,
    /// Rounds of batch size × linger × codec.
    pub setting_rounds: u32,
    /// The client's settings of shapes and peers.
    pub settings: BTreeMap<String, String>,
    /// Records in flight at most.
    pub in_flight: u32,
    /// The command of Kafka's own tool.
    pub java_command: String,
    /// The mean size of an order, in bytes.
    pub order_bytes: f64,
    /// Records a second of the paced part.
    pub paced_rate: u64,
}

/// Lowest, median and highest of the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

/// One way to send, at one size of record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    pub name: String,
    /// Bytes of a payload.
    pub size: usize,
    pub records: u64,
    /// Records a second.
    pub rate: Spread,
    /// Client CPU seconds a million records.
    pub cpu: Spread,
    /// The most memory, in MiB.
    pub peak_mib: Spread,
    /// CPU seconds a million records of each round, in the order of the rounds.
    pub cpu_of_rounds: Vec<f64>,
    /// At a fixed rate; `None` where it was not measured.
    pub paced: Option<Latency>,
}

/// Milliseconds from the moment at which a record should have been sent to its acknowledgement, over the
/// records of all rounds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Latency {
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

/// One setting of batch size, linger and codec.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cell {
    pub batch: u64,
    pub linger: u64,
    pub codec: String,
    /// As fast as it goes: records a second.
    pub rate: Spread,
    /// MB (10⁶ bytes) of payload a second.
    pub mb: Spread,
    /// Client CPU seconds a million records.
    pub cpu: Spread,
    /// Bytes of payload for a byte of the log.
    pub ratio: f64,
    pub peak_mib: f64,
    /// At a fixed rate.
    pub paced: PacedCell,
}

/// The same setting at a fixed rate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PacedCell {
    /// Client CPU seconds a million records.
    pub cpu: Spread,
    pub ratio: f64,
    pub latency: Latency,
}

/// The names of the ways to send, as tables and plots show them.
pub const AWAIT_EACH: &str = "each send awaited";
pub const ALL_AT_ONCE: &str = "all sends at once";
pub const FUTURES: &str = "FutureProducer, 20\u{202f}000 futures";
pub const LIBRARY: &str = "this chapter's producer";
pub const FLOOR: &str = "ThreadedProducer, callback";
pub const JAVA: &str = "Kafka's ProducerPerformance";

/// The client's settings of shapes and peers; all else is the default of each client.
pub const SETTINGS: [(&str, &str); 5] = [
    ("acks", "all"),
    ("batch.size", "65536"),
    ("compression.type", "none"),
    ("enable.idempotence", "true"),
    ("linger.ms", "5"),
];

/// Records in flight at most, the same for all who are compared: a client that may hold more fills its batches better
/// and waits less often. Two hundred milliseconds of 100,000 records a second.
pub const IN_FLIGHT: u32 = 20_000;

/// Orders a second of the paced part: far below what every setting can do, so that nothing waits
/// for another record's turn.
pub const PACED_RATE: u64 = 10_000;

/// The library may cost so much more CPU than the floor.
const MOST_OVER_FLOOR: f64 = 1.15;

/// The two sizes of record, in bytes, at which the peers are compared.
pub const SIZES: [usize; 2] = [100, 500];

impl Spread {
    /// Of at least one value.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Some(Spread {
            low: *values.first()?,
            median: values[values.len() / 2],
            high: *values.last()?,
        })
    }
}

impl Line {
    /// MB (10⁶ bytes) of payload a second: the median.
    pub fn mb(&self) -> f64 {
        self.rate.median * self.size as f64 / 1e6
    }
}

impl Results {
    /// The peer of this name, at this size.
    pub fn peer(&self, name: &str, size: usize) -> Option<&Line> {
        self.peers
            .iter()
            .find(|line| line.name == name && line.size == size)
    }

    /// The setting.
    pub fn cell(
        &self,
        batch: u64,
        linger: u64,
        codec: &str,
    ) -> Option<&Cell> {
        self.cells.iter().find(|cell| {
            (cell.batch, cell.linger) == (batch, linger)
                && cell.codec == codec
        })
    }
}

/// How many times the CPU of the other one takes: the median of what each round says, because two
/// measurements of one round had the same neighbours.
pub fn times_the_cpu(one: &Line, other: &Line) -> Option<f64> {
    let rounds = one.cpu_of_rounds.iter().zip(&other.cpu_of_rounds);
    Spread::of(rounds.map(|(one, other)| one / other))
        .map(|times| times.median)
}

/// What the chapter promises of its producer, and does not hold here; empty where all of it holds.
pub fn broken_promises(results: &Results) -> Vec<String> {
    let mut broken = Vec::new();
    for size in SIZES {
        let peer = |name| results.peer(name, size);
        let peers = (peer(FLOOR), peer(FUTURES), peer(LIBRARY));
        let (Some(floor), Some(futures), Some(library)) = peers else {
            broken.push(format!(
                "at {size} B not all of the peers were measured"
            ));
            continue;
        };
        let times = times_the_cpu(library, floor).unwrap_or(f64::MAX);
        if times > MOST_OVER_FLOOR {
            broken.push(format!(
                "at {size} B the library takes {times:.2} times the floor's CPU, more than {MOST_OVER_FLOOR}"
            ));
        }
        let times = times_the_cpu(library, futures).unwrap_or(f64::MAX);
        if size == SIZES[0] && times >= 1.0 {
            broken.push(format!(
                "at {size} B the library takes {times:.2} times FutureProducer's CPU"
            ));
        }
        // Only this side is promised. Where the queue is full the floor sleeps for a millisecond, and the library
        // is woken: it may be faster than the floor ever was, and nobody loses by that. The page says which.
        if library.rate.median < floor.rate.low {
            broken.push(format!(
                "at {size} B the library sends {:.0} records/s, the floor at least {:.0}",
                library.rate.median, floor.rate.low
            ));
        }
    }
    broken
}
