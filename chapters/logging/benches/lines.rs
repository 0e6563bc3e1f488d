//! What a log line costs: `cargo xtask bench logging`
//!
//! A line for each record must cost nothing that can be measured while it is off, or nobody would write it.
//! Each row is the median of several rounds; the machine is printed first.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use logging::Settings;
use tracing::{info, trace};

const ROUNDS: usize = 9;

/// Takes every line and keeps none: so the cost is that of the line, not of a disk or a terminal.
struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Nanoseconds for one turn: the median of the rounds, each long enough to be measured.
fn nanos(mut turn: impl FnMut(i64)) -> f64 {
    let mut round = |turns: i64| {
        let start = Instant::now();
        for offset in 0..turns {
            turn(black_box(offset));
        }
        start.elapsed()
    };
    let mut turns = 1000;
    while round(turns) < Duration::from_millis(20) {
        turns *= 2;
    }
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| round(turns).as_secs_f64() * 1e9 / turns as f64)
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

fn subscriber(
    format: &'static str,
) -> impl tracing::Subscriber + Send + Sync {
    let settings = Settings::read(
        |name| (name == "LOG_FORMAT").then(|| format.to_owned()),
        false,
    );
    match settings {
        Ok(settings) => settings.subscriber(Nowhere),
        Err(error) => unreachable!("both formats are known: {error}"),
    }
}

fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let cpuinfo =
        std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or(std::env::consts::ARCH, |(_, model)| model);
    format!("{model}, {cpus} processors, {}", std::env::consts::OS)
}

fn main() {
    let (partition, key) = (1, "order-1017");
    let off = || {
        let empty = nanos(|offset| {
            black_box(offset);
        });
        let line = nanos(|offset| {
            black_box(offset);
            trace!(target: "run", topic = "orders", partition, offset, key, "consumed");
        });
        (empty, line)
    };
    let on = || {
        nanos(
            |offset| info!(target: "run", process = "packing", topic = "orders", partition, offset, key, "consumed"),
        )
    };

    println!("{}", machine());
    println!();
    println!(
        "| one turn of a loop                | ns a turn | lines a second |"
    );
    println!(
        "|-----------------------------------|----------:|---------------:|"
    );
    tracing::subscriber::with_default(subscriber("text"), || {
        let (empty, line) = off();
        println!(
            "| nothing                           | {empty:>9.2} |                |"
        );
        println!(
            "| a TRACE line that is off          | {line:>9.2} |                |"
        );
    });
    for format in ["text", "json"] {
        let line =
            tracing::subscriber::with_default(subscriber(format), on);
        println!(
            "| a line as {format}                    | {line:>9.0} | {:>14.0} |",
            1e9 / line
        );
    }
}
