//! `cargo xtask bench`: the measurements behind the numbers in the book.

use std::process::ExitCode;

use crate::cargo;
use crate::child;
use crate::project::{Project, TargetKind, without_the_word_chapter};
use crate::say::Usage;
use crate::suite::Surroundings;

/// What `bench` takes.
#[derive(clap::Args)]
#[command(
    override_usage = "cargo xtask bench [CHAPTER] [-- ARGS]",
    after_help = "Examples:\n  \
        cargo xtask bench            every chapter that measures something\n  \
        cargo xtask bench testbed    what each kind of broker costs to start\n\n\
        Numbers mean something on a quiet machine only: close what else is running."
)]
pub struct Args {
    /// A chapter by number, slug or unique part of a slug; all where none is named
    #[arg(num_args = 0..=2, value_name = "CHAPTER")]
    words: Vec<String>,
    /// Arguments for the benchmark, after `--`
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<String>,
}

/// Runs the benchmarks, compiled with optimisation.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    let benches: Vec<&str> = match without_the_word_chapter(&args.words) {
        [] => project
            .chapters
            .iter()
            .flat_map(|chapter| chapter.targets_of(TargetKind::Bench))
            .collect(),
        [word] => project.chapter(word)?.targets_of(TargetKind::Bench).collect(),
        words => {
            return Err(Usage::error(format!(
                "{:?}: one chapter, or none for all",
                words.join(" ")
            )));
        }
    };
    if benches.is_empty() {
        let with: Vec<&str> = project
            .chapters
            .iter()
            .filter(|chapter| chapter.targets_of(TargetKind::Bench).next().is_some())
            .map(|chapter| chapter.slug.as_str())
            .collect();
        return Err(Usage::error(format!(
            "nothing to measure there; chapters with benchmarks: {}",
            with.join(", ")
        )));
    }
    let mut command = cargo::cargo(project);
    command.args(["bench", "--workspace"]);
    if let Some(features) = Surroundings::probe().features() {
        command.args(["--features", &features]);
    }
    for bench in benches {
        command.args(["--bench", bench]);
    }
    Ok(child::exit_code(child::run(command.arg("--").args(&args.arguments))?))
}
