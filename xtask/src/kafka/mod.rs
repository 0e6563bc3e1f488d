//! `cargo xtask kafka`: keeps a Kafka running for play.
//!
//! `kept` is what is remembered about it; `processes` starts and ends the built-in and the local kind;
//! `compose` does so with docker-compose.yml.

mod compose;
pub mod kept;
pub mod processes;

use std::process::ExitCode;

use testbed::kind::{self, BrokerChoice, Kind};
use testbed::machine::Machine;
use testbed::needs::{Need, Needs};

pub use compose::compose as compose_for;

use crate::project::Project;
use crate::say::Usage;
use crate::tools;
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
    /// Which kind: embedded, local or docker; auto takes local, else docker, else embedded
    #[arg(long, default_value = "auto", value_name = "BROKER")]
    broker: BrokerChoice,
    /// How many brokers: 1 or 3
    #[arg(long, value_parser = ["1", "3"], value_name = "N")]
    brokers: Option<String>,
    /// With docker, the profile of docker-compose.yml: dev (one broker) or test (three, with data)
    #[arg(long, value_parser = ["dev", "test"], value_name = "PROFILE")]
    profile: Option<String>,
}

impl Up {
    /// How many brokers: as asked for, or as the profile has.
    fn brokers(&self) -> u32 {
        let three = match &self.brokers {
            Some(brokers) => brokers == "3",
            None => self.profile.as_deref() == Some("test"),
        };
        if three { 3 } else { 1 }
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
            let running = running(project, &folder)?;
            if running.as_ref().is_some_and(Kept::is_half_started) {
                anyhow::bail!(
                    "a start was cut short, and some of its containers run: end them with `cargo xtask kafka down`"
                );
            }
            if let Some(kept) = running {
                println!("{kept}");
                anyhow::bail!(
                    "a Kafka is running already: use it, or end it with `cargo xtask kafka down`"
                );
            }
            println!("{}", start(project, &folder, &up)?);
        }
        Verb::Down => match remembered(project, &folder)? {
            Some(kept) => {
                end(project, &folder, &kept)?;
                println!("Ended.");
            }
            None => println!("No Kafka was running."),
        },
        Verb::Status => match running(project, &folder)? {
            Some(kept) => {
                println!("{kept}");
                return Ok(ExitCode::from(u8::from(kept.is_half_started())));
            }
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

/// What there may be to end: containers that have stopped, too, and those that no health check saw well.
fn remembered(project: &Project, folder: &Folder) -> anyhow::Result<Option<Kept>> {
    match folder.read()? {
        Some(kept) if kept.profile.is_some() => Ok(Some(kept)),
        _ => running(project, folder),
    }
}

/// What is remembered, if it is still true.
fn running(project: &Project, folder: &Folder) -> anyhow::Result<Option<Kept>> {
    let Some(kept) = folder.read()? else { return Ok(None) };
    if kept.profile.is_some() {
        // Containers that have stopped are still there: only `down` forgets them.
        return Ok(compose::is_running(project, &kept)?.then_some(kept));
    }
    let alive = processes::is_ours(folder, &kept);
    if !alive {
        // It ended by itself, or the machine was started anew.
        folder.forget()?;
    }
    Ok(alive.then_some(kept))
}

fn start(project: &Project, folder: &Folder, up: &Up) -> anyhow::Result<Kept> {
    let brokers = up.brokers();
    let needs: Needs = [Need::Brokers(brokers)].into_iter().collect();
    let kind = match up.broker {
        BrokerChoice::Auto => for_play(&Machine::probe(), || tools::compose().tool.is_ready()),
        // Compose says what it lacks, and has three brokers where testbed has one.
        BrokerChoice::Docker => Kind::Docker,
        ref named => kind::choose(named, &needs, Machine::probe)?,
    };
    // What `running` did not take for one that runs, and has not forgotten, are containers that have stopped.
    let goes_on = |old: &Kept| kind == Kind::Docker && old.profile.as_deref() == Some(up.profile());
    anyhow::ensure!(
        folder.read()?.is_none_or(|old| goes_on(&old)),
        "containers of an earlier start have stopped, and are still there: remove them with `cargo xtask kafka down`"
    );
    match kind {
        Kind::Docker => compose::up(project, folder, up.profile()),
        kind => processes::up(project, folder, kind, brokers),
    }
}

/// For play a real Kafka is wanted, local before Docker as everywhere; the built-in one only where it was asked for
/// or nothing else starts.
fn for_play(machine: &Machine, has_compose: impl FnOnce() -> bool) -> Kind {
    if kind::held_back(Kind::Local, machine).is_none() {
        Kind::Local
    } else if kind::held_back(Kind::Docker, machine).is_none() && has_compose() {
        Kind::Docker
    } else {
        Kind::Embedded
    }
}

fn end(project: &Project, folder: &Folder, kept: &Kept) -> anyhow::Result<()> {
    match kept.profile {
        Some(_) => compose::down(project, kept)?,
        None => processes::down(folder, kept)?,
    }
    folder.forget()
}

#[cfg(test)]
mod tests {
    use testbed::machine::{State, Tool};

    use super::*;

    #[test]
    fn for_play_a_real_kafka_is_taken_where_one_starts() {
        let tool = |name, there| Tool {
            name,
            state: if there { State::Ready("1".into()) } else { State::Missing("none".into()) },
            mend: String::new(),
        };
        let machine = |java, docker| Machine {
            java: tool("Java", java),
            maven: tool("Maven", java),
            docker: tool("Docker", docker),
        };
        assert_eq!(for_play(&machine(true, true), || true), Kind::Local);
        assert_eq!(for_play(&machine(false, true), || true), Kind::Docker);
        assert_eq!(for_play(&machine(false, true), || false), Kind::Embedded);
        assert_eq!(for_play(&machine(false, false), || true), Kind::Embedded);
    }
}
