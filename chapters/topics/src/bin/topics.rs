//! Compares declared topics with a cluster, and changes the cluster on request.
//!
//! `topics plan FILE` shows what differs; `topics apply FILE` makes it so. Exit codes: 0 as declared, 1 an error,
//! 2 wrong usage, 3 something differs (`plan`) or was refused (`apply`).
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use rdkafka::ClientConfig;
use topics::{Admin, AdminError, Allow, Declared};

/// Something differs, or was refused.
const DIFFERS: u8 = 3;

/// Compares declared topics with a cluster, and changes the cluster on request.
#[derive(Parser)]
#[command(
    name = "topics",
    after_help = "Exit codes: 0 as declared, 1 an error, 2 wrong usage, 3 something differs or was refused."
)]
struct Cli {
    /// The cluster, as HOST:PORT; otherwise the one that KAFKA_BROKERS names
    #[arg(long, global = true)]
    brokers: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Show what differs, and change nothing
    Plan {
        /// The declared topics, as YAML
        file: PathBuf,
    },
    /// Make the cluster what the file declares
    Apply {
        /// The declared topics, as YAML
        file: PathBuf,
        #[command(flatten)]
        yes: Yes,
    },
}

#[derive(Args)]
struct Yes {
    /// Add partitions though keys go elsewhere and lose their order
    #[arg(long)]
    allow_moved_keys: bool,
    /// Change settings though brokers then delete records
    #[arg(long)]
    allow_deleted_data: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("Error: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        tokio::select! {
            biased; // listens to Ctrl-C before the first request
            _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!(
                "stopped: plan again to see what is left"
            )),
            done = run(cli) => done,
        }
    });
    // A thread may still ask a cluster that does not answer: nobody waits for it.
    runtime.shutdown_background();
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<u8> {
    let (file, yes) = match &cli.verb {
        Verb::Plan { file } => (file, None),
        Verb::Apply { file, yes } => (file, Some(yes)),
    };
    let text = std::fs::read_to_string(file)
        .with_context(|| file.display().to_string())?;
    let declared = Declared::from_yaml(&text)
        .with_context(|| file.display().to_string())?;
    let brokers = cli
        .brokers
        .or_else(|| std::env::var("KAFKA_BROKERS").ok())
        .context(
            "which cluster? Set KAFKA_BROKERS or --brokers HOST:PORT",
        )?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    let admin = Admin::new(&config)?;

    let planned = admin.plan(&declared).await?;
    print!("{planned}");
    let Some(yes) = yes else {
        return Ok(if planned.is_empty() { 0 } else { DIFFERS });
    };
    let allow = Allow {
        moved_keys: yes.allow_moved_keys,
        deleted_data: yes.allow_deleted_data,
    };
    match admin.apply(&declared, allow).await {
        Ok(applied) => {
            println!("changes made: {}", applied.len());
            Ok(0)
        }
        Err(
            error @ (AdminError::Refused { .. }
            | AdminError::NotAllowed { .. }),
        ) => {
            eprintln!("Error: {error}");
            Ok(DIFFERS)
        }
        Err(error) => Err(error.into()),
    }
}
