//! How fast a producer may go: `cargo xtask bench producers`
//!
//! Sends orders to a real Kafka on this machine: in several shapes of code, beside Kafka's own tool, and with each
//! batch size × linger × codec. Each measurement is a process of its own. Whatever is compared takes turns, round
//! by round, so that a load that comes and goes meets all of it.
//!
//! Before each round it waits until nothing else is busy. At the end it says whether the chapter's promises hold, and
//! exits with 1 where one does not. `--write` puts the results, tables and plots into `benches/results/`, which the
//! page shows. `--quick` only tries whether all of it runs, and has the rows and columns of what is committed there.

#![forbid(unsafe_code)]

mod about;
mod grid;
mod java;
mod job;
mod layout;
mod order;
mod paced;
mod payload;
mod plots;
mod quiet;
mod results;
mod rounds;
mod shapes;
mod tables;

use std::path::Path;

use anyhow::Context;
use clap::Parser;
use testbed::Cluster;
use testbed::local::{Jit, LocalCluster, LocalOptions};

use crate::job::{Job, Shape};
use crate::results::Results;

/// Measures how fast a producer may go, on a local Apache Kafka.
#[derive(Parser)]
struct Arguments {
    /// Measured rounds of shapes and peers, after one that warms up.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Of shapes and peers, so many of a hundred records: fewer where the machine is slow.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    percent: u64,
    /// Rounds of batch size × linger × codec.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    setting_rounds: u32,
    /// Writes results, tables and plots into benches/results/.
    #[arg(long, conflicts_with = "quick")]
    write: bool,
    /// Measures nothing: makes tables and plots of `results/speed.json` again.
    #[arg(long, conflicts_with_all = ["quick", "write"])]
    again: bool,
    /// Tries everything once with few records: whether it runs, and gives the rows and columns of results/.
    #[arg(long)]
    quick: bool,
    /// Leaves Kafka's own tool out.
    #[arg(long, conflicts_with = "write")]
    without_java: bool,
    /// Measures shapes and peers only; with --write the settings stay as results/ has them.
    #[arg(long)]
    without_grid: bool,
    /// One measurement, for this program's own use.
    #[arg(long, hide = true)]
    job: Option<String>,
    /// `cargo bench` passes this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Plan {
    rounds: u32,
    setting_rounds: u32,
    percent: u64,
    quick: bool,
    java: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(job) = &arguments.job {
        let job: Job = serde_json::from_str(job)?;
        let measured = match job.shape {
            Shape::Java => java::measure(&job)?,
            _ => shapes::measure(&job)?,
        };
        println!("{}", serde_json::to_string(&measured)?);
        return Ok(());
    }
    if arguments.again {
        return write(&committed()?);
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let results = runtime.block_on(async {
        tokio::select! {
            results = measure(&arguments) => results.map(Some),
            // Dropping the measurement ends its child and its broker.
            _ = tokio::signal::ctrl_c() => Ok(None),
        }
    })?;
    let Some(results) = results else {
        anyhow::bail!("stopped: nothing was written");
    };
    report(&arguments, &results)
}

async fn measure(arguments: &Arguments) -> anyhow::Result<Results> {
    let plan = Plan {
        rounds: if arguments.quick { 1 } else { arguments.rounds },
        setting_rounds: arguments.setting_rounds,
        percent: arguments.percent,
        quick: arguments.quick,
        java: !arguments.without_java,
    };
    if plan.java {
        java::install(&testbed::local::Tools::from_environment()?)?;
    }
    let options = LocalOptions::new(1)
        .jit(Jit::Full)
        .test_timeouts(false)
        .property("auto.create.topics.enable", false)
        // What was measured makes room for what comes next.
        .property("log.segment.delete.delay.ms", 1_000);
    let cluster: Cluster = LocalCluster::start(options).await?.into();
    let folder = tempfile::tempdir()?;
    let files = payload::Files::write(folder.path())?;

    let mut about = about::About::begin(&cluster, &files)?;
    let lines = rounds::measure(&cluster, &files, plan, &mut about).await?;
    let cells = if arguments.without_grid {
        Vec::new()
    } else {
        grid::measure(&cluster, &files, plan, &mut about).await?
    };
    let (shapes, peers) = lines;
    let measured = Results { about: about.end(plan), shapes, peers, cells };
    if arguments.write && arguments.without_grid {
        with_cells_of(committed()?, measured)
    } else {
        Ok(measured)
    }
}

/// The settings as they were measured before, where that was on the same machine and the same versions.
fn with_cells_of(
    before: Results,
    mut measured: Results,
) -> anyhow::Result<Results> {
    let place = |results: &Results| {
        let about = &results.about;
        (
            (about.processor.clone(), about.processors),
            (about.kafka.clone(), about.librdkafka.clone()),
            (about.in_flight, about.paced_rate, about.date.clone()),
        )
    };
    let (then, now) = (place(&before), place(&measured));
    anyhow::ensure!(
        then == now,
        "the settings in results/ were measured elsewhere: {then:?}, and here it is {now:?}. Leave out --without-grid"
    );
    let (low, high) = measured
        .about
        .others_percent
        .zip(before.about.others_percent)
        .map(|(now, then)| (now.0.min(then.0), now.1.max(then.1)))
        .unzip();
    measured.about.others_percent = low.zip(high);
    measured.about.setting_rounds = before.about.setting_rounds;
    measured.cells = before.cells;
    Ok(measured)
}

fn report(arguments: &Arguments, results: &Results) -> anyhow::Result<()> {
    let tables = tables::tables(results);
    for (name, text) in &tables {
        if name != "sentences.md" {
            println!("{name}\n\n{text}");
        }
    }
    if arguments.quick {
        println!(
            "Tried once, with few records: these numbers say nothing."
        );
        // With a part left out they differ, as was asked for.
        return if arguments.without_java || arguments.without_grid {
            Ok(())
        } else {
            compare_layout(results)
        };
    }
    if arguments.write {
        write(results)?;
    }
    let broken = results::broken_promises(results);
    anyhow::ensure!(broken.is_empty(), "{}", broken.join("\n"));
    println!("All promises hold.");
    Ok(())
}

/// Fails where a trial has other rows or columns than what is committed.
fn compare_layout(trial: &Results) -> anyhow::Result<()> {
    let committed =
        std::fs::read_to_string(Path::new(FOLDER).join("speed.json"))?;
    let difference = layout::difference(
        &serde_json::to_value(trial)?,
        &serde_json::from_str(&committed)?,
        about::has_zstd()?,
    );
    if let Some(difference) = difference {
        anyhow::bail!(
            "results/speed.json has other rows or columns: {difference}. \
             `cargo xtask bench producers -- --write` measures anew"
        );
    }
    println!("Its rows and columns are those of results/speed.json.");
    Ok(())
}

/// Where results, tables and plots stand.
const FOLDER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/benches/results");

/// What was measured last.
fn committed() -> anyhow::Result<Results> {
    let text =
        std::fs::read_to_string(Path::new(FOLDER).join("speed.json"))?;
    Ok(serde_json::from_str(&text)?)
}

fn write(results: &Results) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(results)? + "\n";
    let others = [
        ("speed.json".to_owned(), json),
        // A test compares this one too, and the page's predictions read it.
        (
            "../../tests/it/output/speed.txt".to_owned(),
            tables::answers(results),
        ),
    ];
    let files =
        tables::tables(results).into_iter().chain(plots::plots(results));
    std::fs::create_dir_all(FOLDER)?;
    for (name, text) in files.chain(others) {
        let path = Path::new(FOLDER).join(name);
        std::fs::write(&path, text).with_context(|| {
            format!("{} cannot be written", path.display())
        })?;
    }
    Ok(())
}
