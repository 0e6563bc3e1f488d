//! `book build` and `book check`; readers type `cargo xtask book build`. The third, `book serve`, is the program
//! `book_serve`.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use book::{Finding, Outcome, addresses, diagram};
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
    Build {
        /// The folder of the crates' documentation, as `cargo doc` writes it, to stand beside the pages
        #[arg(long, value_name = "DIR")]
        api: Option<PathBuf>,
    },
    /// Print everything that is wrong with the pages, as `file:line: what: how to mend`
    Check,
    /// Render the drawings in book/diagrams as SVG
    Diagrams,
    /// Add the present pages to the list of published addresses
    Addresses,
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
        None => book::find_root()?,
    };
    match &arguments.verb {
        Verb::Build { api } => match book::build_beside(&root, api.as_deref())? {
            Outcome::Built(built) => {
                println!("{}", built.folder.join("index.html").display());
                for line in built.sizes.iter().chain(&built.left_out) {
                    eprintln!("{line}");
                }
                Ok(ExitCode::SUCCESS)
            }
            Outcome::Refused(findings) => Ok(report(&findings)),
        },
        Verb::Check => Ok(report(&book::check(&root))),
        Verb::Diagrams => Ok(list(&diagram::render_all(&root)?, "written")),
        Verb::Addresses => Ok(list(&addresses::list(&root)?, "added")),
    }
}

/// Prints what was done to each of these; nothing where nothing was to do.
fn list(names: &[String], done: &str) -> ExitCode {
    for name in names {
        println!("{name}: {done}");
    }
    ExitCode::SUCCESS
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
