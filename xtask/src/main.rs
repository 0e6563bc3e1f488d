//! `cargo xtask`: the one tool of this repository.
//!
//! The list of modules is the list of commands. Heavy work lives elsewhere: `testbed` starts
//! brokers, `book` (below `xtask/book`) builds the pages; this program compiles in seconds, links
//! no C library, and can therefore say what a machine lacks before a build drowns in C errors.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

// The commands.
mod bench;
mod book;
mod break_fault;
mod ci;
mod copy;
mod coverage;
mod doctor;
mod exercise;
mod kafka;
mod list;
mod new;
mod record;
mod run;
mod test;
mod tidy;

// What they share.
mod cargo;
mod child;
mod project;
mod say;
mod source_files;
mod suite;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::project::Project;

/// Run, test and take home the chapters of "Kafka in Rust".
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    max_term_width = 100,
    after_help = "Start here:\n  \
        cargo xtask run chapter 1    run the first chapter; needs only Rust, a C compiler and make\n  \
        cargo xtask test             run every test, on a real Kafka where this machine can have one\n  \
        cargo xtask doctor           see what this machine lacks, and the command that mends it\n\n\
        Exit codes: 0 all is well, 1 something failed, 2 wrong usage."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run a chapter's program, with a Kafka for as long as it runs
    Run(run::Args),
    /// Run the tests of all chapters, or of one
    Test(test::Args),
    /// List the chapters: question, minutes, needs, and whether they run here
    List(list::Args),
    /// Cause what goes wrong in a chapter, and see why it did
    Break(break_fault::Args),
    /// Do the exercises: start one, check it, get a hint
    Exercise(exercise::Args),
    /// Keep a Kafka running for play
    Kafka(kafka::Args),
    /// Take a chapter home: to a new folder, or into a project of yours
    Copy(copy::Args),
    /// Record the runs that pages show, or check that they still come out so
    Record(record::Args),
    /// Begin a new chapter
    New(new::Args),
    /// Build the book, or check its pages
    Book(book::Args),
    /// Say what this machine lacks, what that holds back, and what mends it
    Doctor(doctor::Args),
    /// Check the laws of this repository
    Tidy(tidy::Args),
    /// Run every check that a change must pass
    Ci(ci::Args),
    /// Run the benchmarks of all chapters, or of one
    Bench(bench::Args),
    /// Say how many lines of each chapter's library its tests run
    Coverage(coverage::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = Project::find().and_then(|project| match cli.verb {
        Verb::Run(args) => run::run(&project, args),
        Verb::Test(args) => test::run(&project, args),
        Verb::List(args) => list::run(&project, args),
        Verb::Break(args) => break_fault::run(&project, args),
        Verb::Exercise(args) => exercise::run(&project, args),
        Verb::Kafka(args) => kafka::run(&project, args),
        Verb::Copy(args) => copy::run(&project, args),
        Verb::Record(args) => record::run(&project, args),
        Verb::New(args) => new::run(&project, args),
        Verb::Book(args) => book::run(&project, args),
        Verb::Doctor(args) => doctor::run(&project, args),
        Verb::Tidy(args) => tidy::run(&project, args),
        Verb::Ci(args) => ci::run(&project, args),
        Verb::Bench(args) => bench::run(&project, args),
        Verb::Coverage(args) => coverage::run(&project, args),
    });
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        let stopped = error.downcast_ref::<child::Stopped>().map(child::Stopped::code);
        ExitCode::from(stopped.unwrap_or(if error.is::<say::Usage>() { 2 } else { 1 }))
    })
}
