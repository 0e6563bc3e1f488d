//! `cargo xtask record`: records the runs that pages show, and checks that today's runs still equal them.
//!
//! `capture` runs a program and reads its log lines; `load` keeps the processors busy meanwhile; `sources` are
//! the files that a recording must not be older than.

mod capture;
mod load;
mod sources;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use logging::{Difference, Moments, Recording, Soak, compare};
use testbed::kind::{self, BrokerChoice, Kind};

use crate::child::Stopped;
use crate::project::{Chapter, Project, Run, without_the_word_chapter};
use crate::say::{self, Spinner, Usage, count};
use crate::suite::Surroundings;
use capture::Programs;
use load::Load;

/// A page shows at most so many recordings of one run: enough to see which order is promised.
const RECORDINGS: usize = 3;

/// How often a run is started to find other orders: most runs that have one show it within these.
const TRIES: usize = 8;

/// After so many runs without 20 equal ones in a row, more will not help.
const SOAK_AT_MOST: u32 = 60;

/// What `record` takes.
#[derive(clap::Args)]
#[command(
    override_usage = "cargo xtask record [CHAPTER] [--check | --soak]",
    after_help = "Examples:\n  \
        cargo xtask record quickstart            run it, and keep what it printed for its page\n  \
        cargo xtask record --check               run everything recorded, and print what differs\n  \
        cargo xtask record quickstart --soak     20 equal runs in a row while the processors are busy"
)]
pub struct Args {
    /// A chapter by number, slug or unique part of a slug; all where none is named
    #[arg(num_args = 0..=2, value_name = "CHAPTER")]
    words: Vec<String>,
    /// Compare with what is kept, and keep nothing
    #[arg(long, conflicts_with = "soak")]
    check: bool,
    /// Compare until 20 runs in a row are equal, under load
    #[arg(long)]
    soak: bool,
}

impl Args {
    /// The runs of one chapter.
    pub fn of(slug: &str) -> Args {
        Args { words: vec![slug.to_owned()], check: false, soak: false }
    }

    /// `--check` for all chapters.
    pub fn check() -> Args {
        Args { words: Vec::new(), check: true, soak: false }
    }
}

/// A run to be recorded or compared.
struct Take<'a> {
    chapter: &'a Chapter,
    run: &'a Run,
    kind: Kind,
}

impl Take<'_> {
    fn name(&self) -> String {
        format!("{} {}", self.chapter.slug, self.run.name)
    }

    fn folder(&self) -> PathBuf {
        self.chapter.folder.join("runs").join(&self.run.name)
    }

    fn file(&self, number: usize) -> PathBuf {
        self.folder().join(format!("{number}.jsonl"))
    }

    fn moments(&self) -> anyhow::Result<Moments> {
        let path = self.folder().join("moments.toml");
        // A new run has none yet; its page will say so.
        if path.is_file() { Ok(Moments::read(&path)?) } else { Ok(Moments::default()) }
    }
}

/// Records, or compares.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    let chapters: Vec<&Chapter> = match without_the_word_chapter(&args.words) {
        [] => project.chapters.iter().collect(),
        [word] => vec![project.chapter(word)?],
        words => {
            return Err(Usage::error(format!(
                "{:?}: one chapter, or none for all",
                words.join(" ")
            )));
        }
    };
    let spinner = Spinner::start("Looking at this machine");
    let around = Surroundings::probe();
    drop(spinner);
    let mut takes = Vec::new();
    let mut complete = true;
    for chapter in chapters {
        for run in chapter.runs.iter().filter(|run| run.recorded) {
            match kind::choose(&BrokerChoice::Auto, &run.needs, || around.machine.clone()) {
                Ok(kind) => takes.push(Take { chapter, run, kind }),
                Err(error) => {
                    println!("{} {}: left out: {error}", chapter.slug, run.name);
                    complete = false;
                }
            }
        }
    }
    if takes.is_empty() && complete {
        return Err(Usage::error(
            "no run there is recorded: set `recorded = true` in its manifest",
        ));
    }
    let wanted: Vec<_> = takes.iter().map(|take| (take.chapter, take.run, take.kind)).collect();
    let programs = Programs::build(project, &around, &wanted)?;
    let mut good = complete || !say::on_ci();
    for take in &takes {
        let taken = match (args.check, args.soak) {
            (true, _) => check(take, &programs),
            (_, true) => soak(take, &programs),
            _ => record(take, &programs),
        };
        good &= match taken {
            Err(error) if error.is::<Stopped>() => return Err(error),
            // One run that fails does not hide the others.
            Err(error) => {
                println!("{}: {error:#}", take.name());
                false
            }
            Ok(good) => good,
        };
    }
    Ok(ExitCode::from(u8::from(!good)))
}

/// Runs it, keeps it; runs it again, and keeps up to two more in which things came in another order.
fn record(take: &Take<'_>, programs: &Programs) -> anyhow::Result<bool> {
    let moments = take.moments()?;
    let spinner = Spinner::start(format!("Recording {}", take.name()));
    let mut kept: Vec<Recording> = Vec::new();
    for _ in 0..TRIES {
        let new = programs.capture(take.chapter, take.run, take.kind)?;
        if let Some(first) = kept.first() {
            let differences = compare(first, &new, &moments);
            if !differences.is_empty() {
                drop(spinner);
                report(take, &differences);
                println!("{}: it does not come out equal twice, so nothing is kept", take.name());
                return Ok(false);
            }
        } else if let missing @ [_, ..] = &compare(&new, &new, &moments)[..] {
            // Against itself only its moments and its outcome can be missing.
            drop(spinner);
            report(take, missing);
            return Ok(false);
        }
        if !kept.iter().any(|one| order(one) == order(&new)) {
            kept.push(new);
        }
        if kept.len() == RECORDINGS {
            break;
        }
    }
    for number in 1..=RECORDINGS {
        let path = take.file(number);
        match kept.get(number - 1) {
            Some(recording) => recording.write(&path)?,
            None if path.exists() => fs::remove_file(&path)
                .with_context(|| format!("{} cannot be removed", path.display()))?,
            None => {}
        }
    }
    drop(spinner);
    println!(
        "{}: {} kept (broker: {})",
        take.name(),
        count(kept.len(), "recording"),
        take.kind.label()
    );
    Ok(true)
}

/// What came after what, without times and without what any two runs differ in.
fn order(recording: &Recording) -> Vec<String> {
    const TELLING: [&str; 5] = ["process", "topic", "partition", "offset", "key"];
    let line = |line: &logging::Line| {
        let fields =
            TELLING.iter().filter_map(|name| line.fields.get(name)).map(|value| value.to_string());
        std::iter::once(line.message.clone()).chain(fields).collect::<Vec<_>>().join(" ")
    };
    recording.lines.iter().map(line).collect()
}

fn check(take: &Take<'_>, programs: &Programs) -> anyhow::Result<bool> {
    let recorded = kept(take)?;
    let spinner = Spinner::start(format!("Running {}", take.name()));
    let new = programs.capture(take.chapter, take.run, take.kind)?;
    drop(spinner);
    let differences = compare(&recorded, &new, &take.moments()?);
    report(take, &differences);
    if differences.is_empty() {
        println!("{}: as recorded", take.name());
    }
    Ok(differences.is_empty())
}

fn soak(take: &Take<'_>, programs: &Programs) -> anyhow::Result<bool> {
    let (recorded, moments) = (kept(take)?, take.moments()?);
    let mut soak = Soak::new(Soak::ENOUGH);
    let spinner = Spinner::start("");
    let load = Load::start();
    while !soak.is_enough() && soak.runs() < SOAK_AT_MOST {
        spinner.say(format!(
            "{}: run {}, {} equal in a row",
            take.name(),
            soak.runs() + 1,
            soak.in_a_row()
        ));
        let new = programs.capture(take.chapter, take.run, take.kind)?;
        soak.add(&compare(&recorded, &new, &moments));
    }
    drop((load, spinner));
    for (difference, times) in soak.seen() {
        println!("{}: {times} of {} runs: {difference}", take.name(), soak.runs());
    }
    println!(
        "{}: {} equal runs in a row under load, of {}",
        take.name(),
        soak.in_a_row(),
        soak.runs()
    );
    Ok(soak.is_enough() && soak.seen().is_empty())
}

fn kept(take: &Take<'_>) -> anyhow::Result<Recording> {
    let path = take.file(1);
    anyhow::ensure!(
        path.is_file(),
        "nothing is recorded yet: cargo xtask record {}",
        take.chapter.slug
    );
    Ok(Recording::read(&path)?)
}

fn report(take: &Take<'_>, differences: &[Difference]) {
    for difference in differences {
        println!("{}: {difference}", take.name());
    }
}
