//! What it costs to start each kind of broker: `cargo bench --bench testbed_bench -- --rounds 5`
//!
//! Prints a Markdown table; `--write` puts it into `benches/start.md`, which the page shows.
//! The kinds take turns, so that a load that comes and goes meets all of them.

#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use clap::Parser;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use rdkafka::consumer::{BaseConsumer, Consumer};
use testbed::Cluster;
use testbed::kind::{BrokerChoice, Kind, held_back};
use testbed::machine::Machine;
use testbed::needs::{Need, Needs};

/// Measures how long each kind of broker takes until it answers.
#[derive(Parser)]
struct Arguments {
    /// How often each kind is started.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Writes the table into benches/start.md too.
    #[arg(long)]
    write: bool,
    /// `cargo bench` passes this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A kind of broker, so many of them, and what each start cost.
struct Subject {
    kind: Kind,
    brokers: u32,
    /// The memory of the first start in this process, in bytes.
    first_rss: Option<u64>,
    starts: Vec<Cost>,
}

/// One start, from the call to the first answer that names all brokers.
struct Cost {
    wall: Duration,
    /// CPU seconds of all broker processes, or by which this one's grew; `None` where nobody says.
    cpu: Option<f64>,
    /// The memory of the largest broker process, or by which this one's grew, in bytes.
    rss: Option<u64>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let machine = Machine::probe();
    let mut subjects = Vec::new();
    for (kind, brokers) in [
        (Kind::Embedded, 1),
        (Kind::Local, 1),
        (Kind::Local, 3),
        (Kind::Docker, 1),
    ] {
        if kind == Kind::Docker && !cfg!(feature = "docker") {
            eprintln!(
                "Docker: left out, this build is without the feature docker"
            );
        } else if let Some(reason) = held_back(kind, &machine) {
            eprintln!("{kind}: left out, {reason}");
        } else {
            subjects.push(Subject {
                kind,
                brokers,
                first_rss: None,
                starts: Vec::new(),
            });
        }
    }
    // The first start may fetch jars and images: it is not measured. Only the memory that the
    // built-in broker takes is: a later one uses again what an earlier one gave back.
    for subject in &mut subjects {
        eprintln!(
            "{} × {}: once before the clock runs",
            subject.kind, subject.brokers
        );
        subject.first_rss = start(subject.kind, subject.brokers).await?.rss;
    }
    for round in 1..=arguments.rounds {
        eprintln!("round {round} of {}", arguments.rounds);
        for subject in &mut subjects {
            subject
                .starts
                .push(start(subject.kind, subject.brokers).await?);
        }
    }
    let table = table(&subjects, arguments.rounds);
    print!("{table}");
    if arguments.write {
        std::fs::write(
            concat!(env!("CARGO_MANIFEST_DIR"), "/benches/start.md"),
            table,
        )?;
    }
    Ok(())
}

async fn start(kind: Kind, brokers: u32) -> anyhow::Result<Cost> {
    let choice: BrokerChoice = kind.word().parse()?;
    let needs: Needs = [Need::Brokers(brokers)].into_iter().collect();
    let before = this_process();
    let begin = Instant::now();
    let cluster = Cluster::start(&choice, &needs).await?;
    let wall = begin.elapsed();
    let (cpu, rss) = match kind {
        Kind::Embedded => {
            let after = this_process();
            (
                difference(after.0, before.0),
                difference(after.1, before.1).map(|bytes| bytes as u64),
            )
        }
        _ => of_brokers(&cluster).await,
    };
    let cost = Cost { wall, cpu, rss };
    // A start that nobody can use is no start.
    let client: BaseConsumer = cluster.client_config().create()?;
    let ask = move || client.fetch_metadata(None, Duration::from_secs(10));
    let seen = tokio::task::spawn_blocking(ask).await??.brokers().len();
    anyhow::ensure!(
        seen == brokers as usize,
        "{kind}: {seen} of {brokers} brokers answer"
    );
    Ok(cost)
}

/// What the processes of the brokers have used, or their container has.
async fn of_brokers(cluster: &Cluster) -> (Option<f64>, Option<u64>) {
    #[cfg(feature = "docker")]
    if let Some(docker) = cluster.as_docker() {
        return docker.usage().await.unzip();
    }
    let Some(local) = cluster.as_local() else { return (None, None) };
    let brokers = local.brokers();
    (
        brokers.iter().map(|broker| broker.cpu_seconds()).sum(),
        brokers.iter().filter_map(|broker| broker.rss_bytes()).max(),
    )
}

/// The CPU seconds and the memory in bytes of this process, in which the built-in broker runs.
fn this_process() -> (Option<f64>, Option<f64>) {
    let seconds =
        |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let cpu = getrusage(UsageWho::RUSAGE_SELF).ok().map(|usage| {
        seconds(usage.user_time()) + seconds(usage.system_time())
    });
    // In KiB. Only Linux has it.
    let rss = std::fs::read_to_string("/proc/self/status").ok().and_then(
        |status| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("VmRSS:"))?;
            line.split_whitespace().next()?.parse::<f64>().ok()
        },
    );
    (cpu, rss.map(|kib| kib * 1024.0))
}

/// Never below nothing: memory that an earlier start gave back is used again.
fn difference(after: Option<f64>, before: Option<f64>) -> Option<f64> {
    Some((after? - before?).max(0.0))
}

fn table(subjects: &[Subject], rounds: u32) -> String {
    let mut text = String::from(
        "| broker | wall, ms | CPU, s | memory of a broker, MiB |\n|---|---|---|---|\n",
    );
    for subject in subjects {
        let label = if subject.brokers == 1 {
            subject.kind.label().to_owned()
        } else {
            format!("{}, {} brokers", subject.kind.label(), subject.brokers)
        };
        let column = |value: &dyn Fn(&Cost) -> Option<f64>,
                      digits: usize| {
            let values: Option<Vec<f64>> =
                subject.starts.iter().map(value).collect();
            values.map_or_else(
                || "–".to_owned(),
                |values| spread(values, digits),
            )
        };
        // The built-in broker takes about a millisecond, the others a thousand.
        let small = usize::from(subject.kind == Kind::Embedded);
        let wall =
            column(&|cost| Some(cost.wall.as_secs_f64() * 1000.0), small);
        let cpu = column(&|cost| cost.cpu, 2 + 2 * small);
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let rss = match (subject.kind, subject.first_rss) {
            (Kind::Embedded, Some(bytes)) => format!("{:.1}", mib(bytes)),
            _ => column(&|cost| cost.rss.map(mib), 0),
        };
        let _ = writeln!(text, "| {label} | {wall} | {cpu} | {rss} |");
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let _ = write!(
        text,
        "\nMedian (lowest to highest) of {rounds} starts on {cores} cores, {}; {}.\n",
        load(),
        format_args!("Apache Kafka {}", testbed::version::KAFKA),
    );
    text
}

/// The median, and in parentheses the lowest and the highest.
fn spread(mut values: Vec<f64>, digits: usize) -> String {
    values.sort_by(f64::total_cmp);
    let median = values[values.len() / 2];
    let (low, high) = (values[0], values[values.len() - 1]);
    format!("{median:.digits$} ({low:.digits$} to {high:.digits$})")
}

/// What else the machine did: the load average of the last minute, our own starts included.
fn load() -> String {
    let uptime =
        std::process::Command::new("uptime").env("LC_ALL", "C").output();
    let text = uptime
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    // "load average: 0.51, 0.90, 0.46" on Linux, "load averages: 1.2 1.3 1.4" on macOS.
    let last = text
        .rsplit_once("load average")
        .and_then(|(_, rest)| rest.split_once(':'));
    match last.and_then(|(_, rest)| {
        rest.split([',', ' ']).find(|word| !word.is_empty())
    }) {
        Some(load) => format!("load average {} at the end", load.trim()),
        None => "load unknown".to_owned(),
    }
}
