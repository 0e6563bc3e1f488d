//! `book build` and `book check`; readers type `cargo xtask book build`.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use book::{Finding, Outcome};
use clap::{Parser, Subcommand};

/// Builds the book and checks its pages.
#[derive(Parser)]
#[command(name = "book")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    /// The workspace's root; found upward from the current folder if left out
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Verb {
    /// Write the book's pages as HTML
    Build,
    /// Print everything that is wrong with the pages, as `file:line: what: how to mend`
    Check,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    let root = match &arguments.root {
        Some(root) => root.clone(),
        None => find_root()?,
    };
    match arguments.verb {
        Verb::Build => match book::build(&root)? {
            Outcome::Built(folder) => {
                println!("{}", folder.join("index.html").display());
                Ok(ExitCode::SUCCESS)
            }
            Outcome::Refused(findings) => Ok(report(&findings)),
        },
        Verb::Check => Ok(report(&book::check(&root))),
    }
}

fn report(findings: &[Finding]) -> ExitCode {
    for finding in findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => return ExitCode::SUCCESS,
        1 => eprintln!("error: 1 thing to mend"),
        several => eprintln!("error: {several} things to mend"),
    }
    ExitCode::FAILURE
}

/// The nearest folder, upward from the current one, that holds a `book.toml`.
fn find_root() -> Result<PathBuf> {
    let here = std::env::current_dir().context("the current folder cannot be read")?;
    let root = here.ancestors().find(|folder| folder.join("book.toml").is_file());
    root.map(PathBuf::from).with_context(|| {
        format!(
            "no book.toml in {} or above it: go into the repository, or give --root",
            here.display()
        )
    })
}
