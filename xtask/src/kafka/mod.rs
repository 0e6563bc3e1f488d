//! `cargo xtask kafka`: keeps a Kafka running for play.
//!
//! `kept` is what is remembered about it; `processes` starts and ends the built-in and the local kind;
//! `compose` does so with docker-compose.yml.

mod compose;
mod kept;
mod processes;

use std::process::ExitCode;

use testbed::kind::{self, BrokerChoice, Kind};
use testbed::machine::Machine;
use testbed::needs::{Need, Needs};

pub use compose::compose as compose_for;

use crate::project::Project;
use crate::say::Usage;
use kept::{Folder, Kept};

/// What `kafka` takes.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask kafka up                                     a local Kafka with one broker\n  \
    cargo xtask kafka up --brokers 3                         with three\n  \
    cargo xtask kafka up --broker docker --profile test      docker-compose.yml: three brokers, topics, data\n  \
    cargo xtask kafka status                                 its address, and how to use it\n  \
    cargo xtask kafka down")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Start a Kafka that stays
    Up(Up),
    /// End it
    Down,
    /// Say where it is and how to use it; code 1 if there is none
    Status,
    /// Print the end of its brokers' logs
    Logs {
        /// How many lines of each
        #[arg(long, short = 'n', default_value_t = 100, value_name = "N")]
        lines: usize,
    },
}

#[derive(clap::Args)]
struct Up {
    /// Which kind: embedded, local or docker
    #[arg(long, default_value = "auto", value_name = "BROKER")]
    broker: BrokerChoice,
    /// How many brokers: 1 or 3
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3), value_name = "N")]
    brokers: Option<u32>,
    /// With docker, the profile of docker-compose.yml: dev (one broker) or test (three, with data)
    #[arg(long, value_parser = ["dev", "test"], value_name = "PROFILE")]
    profile: Option<String>,
}

impl Up {
    /// How many brokers: as asked for, or as the profile has.
    fn brokers(&self) -> u32 {
        self.brokers.unwrap_or(if self.profile.as_deref() == Some("test") { 3 } else { 1 })
    }

    fn profile(&self) -> &str {
        self.profile.as_deref().unwrap_or(if self.brokers() == 3 { "test" } else { "dev" })
    }

    /// What does not go together.
    fn check(&self) -> anyhow::Result<()> {
        let by_compose = self.broker == BrokerChoice::Docker;
        if let (Some(profile), false) = (&self.profile, by_compose) {
            return Err(Usage::error(format!(
                "--profile {profile} goes with --broker docker only"
            )));
        }
        if matches!(self.broker, BrokerChoice::External(_)) {
            return Err(Usage::error(
                "an external cluster is yours to start: name embedded, local or docker",
            ));
        }
        if by_compose && self.brokers() != if self.profile() == "test" { 3 } else { 1 } {
            return Err(Usage::error("profile dev has one broker, and profile test has three"));
        }
        Ok(())
    }
}

/// Does what the verb says.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    let folder = Folder::of(project);
    match args.verb {
        Verb::Up(up) => {
            up.check()?;
            if let Some(kept) = running(project, &folder)? {
                println!("{kept}");
                anyhow::bail!(
                    "a Kafka is running already: use it, or end it with `cargo xtask kafka down`"
                );
            }
            println!("{}", start(project, &folder, &up)?);
        }
        Verb::Down => match running(project, &folder)? {
            Some(kept) => {
                end(project, &folder, &kept)?;
                println!("Ended.");
            }
            None => println!("No Kafka was running."),
        },
        Verb::Status => match running(project, &folder)? {
            Some(kept) => println!("{kept}"),
            None => {
                println!("No Kafka is kept running. Start one: cargo xtask kafka up");
                return Ok(ExitCode::FAILURE);
            }
        },
        Verb::Logs { lines } => match running(project, &folder)? {
            Some(kept) if kept.profile.is_some() => compose::logs(project, &kept, lines)?,
            Some(kept) => processes::logs(&folder, &kept, lines)?,
            None => anyhow::bail!(
                "no Kafka is kept running, so there is no log. Start one: cargo xtask kafka up"
            ),
        },
    }
    Ok(ExitCode::SUCCESS)
}

/// What is remembered, if it is still true.
fn running(project: &Project, folder: &Folder) -> anyhow::Result<Option<Kept>> {
    let Some(kept) = folder.read()? else { return Ok(None) };
    let alive = match kept.profile {
        Some(_) => compose::is_running(project, &kept)?,
        None => processes::is_ours(folder, &kept),
    };
    if !alive {
        // It ended by itself, or the machine was started anew.
        folder.forget()?;
    }
    Ok(alive.then_some(kept))
}

fn start(project: &Project, folder: &Folder, up: &Up) -> anyhow::Result<Kept> {
    let brokers = up.brokers();
    if up.broker == BrokerChoice::Docker {
        return compose::up(project, folder, up.profile());
    }
    let needs: Needs = [Need::Brokers(brokers)].into_iter().collect();
    // For play a real Kafka is wanted; the built-in one only where it was asked for or nothing else starts.
    let kind = match up.broker {
        BrokerChoice::Auto => {
            kind::choose(&BrokerChoice::Local, &needs, Machine::probe).unwrap_or(Kind::Embedded)
        }
        ref named => kind::choose(named, &needs, Machine::probe)?,
    };
    processes::up(project, folder, kind, brokers)
}

fn end(project: &Project, folder: &Folder, kept: &Kept) -> anyhow::Result<()> {
    match kept.profile {
        Some(_) => compose::down(project, kept)?,
        None => processes::down(folder, kept)?,
    }
    folder.forget()
}
