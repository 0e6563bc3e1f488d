//! Shows the book in a browser; readers type `cargo xtask book serve`.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use book::serve::{Settings, leash, serve};
use clap::{Args, Parser};

/// Shows the book in a browser, rebuilds it when a file of it is saved, and runs its programs.
#[derive(Parser)]
#[command(
    name = "cargo xtask book serve",
    bin_name = "cargo xtask book serve",
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    after_help = "Only this machine can open it: it listens at 127.0.0.1 alone.\n\
        Ctrl-C ends it, and every run that a page has started."
)]
struct Arguments {
    #[command(flatten)]
    serve: Serve,
    #[command(subcommand)]
    inner: Option<Inner>,
}

#[derive(Args)]
struct Serve {
    /// The port to listen at; 0 takes any that is free [default: 3092, or any if that is taken]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Open the book in the browser
    #[arg(long)]
    open: bool,
    /// The workspace's root; found upward from the current folder if left out
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// The program that runs chapters; `xtask` beside this one if left out
    #[arg(long, value_name = "PROGRAM", hide = true)]
    xtask: Option<PathBuf>,
}

/// What this program asks of itself.
#[derive(clap::Subcommand)]
enum Inner {
    /// Runs a command, and ends it when standard input ends
    #[command(hide = true)]
    Leash {
        /// How long the command may take to end in order, in ms
        #[arg(long, value_name = "MS")]
        grace_ms: u64,
        /// The command, after `--`
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

fn main() -> ExitCode {
    run(Arguments::parse()).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    if let Some(Inner::Leash { grace_ms, command }) = arguments.inner {
        return leash::hold(&command, Duration::from_millis(grace_ms));
    }
    let Serve { port, open, root, xtask } = arguments.serve;
    let this = std::env::current_exe().context("this program cannot find itself")?;
    let xtask = match xtask {
        Some(program) => program,
        None => this.with_file_name("xtask"),
    };
    let root = match root {
        Some(root) => root,
        None => book::find_root()?,
    };
    serve(&Settings { root, port, open, xtask, leash: this })?;
    Ok(ExitCode::SUCCESS)
}
