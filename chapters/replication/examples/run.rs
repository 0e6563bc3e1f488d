//! Three brokers, and one of them dies: `cargo xtask run replication`
//!
//! `survive`, `ahead`, `alone`, `unclean` or `single` says how it is sent and kept; the last line says what is left.
#![forbid(unsafe_code)]

mod stage;

use clap::{Parser, ValueEnum};
use stage::{LATE, SOON, Stage, stories};
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

/// Sends orders to three brokers, kills some, and counts what is left.
#[derive(Parser)]
struct Arguments {
    /// Which story.
    #[arg(value_enum, default_value = "survive")]
    story: Story,
}

#[derive(Clone, Copy, ValueEnum)]
enum Story {
    /// acks=all, min.insync.replicas=2: the leader dies.
    Survive,
    /// acks=1: the leader runs ahead of its followers, and dies.
    Ahead,
    /// acks=all, min.insync.replicas=1: the leader is alone, and dies.
    Alone,
    /// The same, and whoever is alive may lead.
    Unclean,
    /// One replica, on a disk that dies.
    Single,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let story = Arguments::parse().story;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        done = tell(story) => done,
        _ = interrupt.recv() => {
            info!(target: "run", process = "cluster", "stopped");
            Ok(())
        }
    }
}

async fn tell(story: Story) -> anyhow::Result<()> {
    let frozen = matches!(story, Story::Ahead);
    let stage = Stage::start(if frozen { LATE } else { SOON }).await?;
    let topic = "orders";
    match story {
        Story::Survive => stories::survive(&stage, topic).await,
        Story::Ahead => stories::ahead(&stage, topic).await,
        Story::Alone => stories::alone(&stage, topic).await,
        Story::Unclean => stories::unclean(&stage, topic).await,
        Story::Single => stories::single(&stage, topic).await,
    }?;
    Ok(())
}
