//! The four kinds of broker, and which of them a run gets.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::machine::{Machine, State};
use crate::needs::{Capabilities, Need, Needs};

/// Where a cluster comes from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// librdkafka's mock cluster, inside this process.
    Embedded,
    /// Apache Kafka as Java processes on this machine.
    Local,
    /// Apache Kafka in a container.
    Docker,
    /// A cluster that somebody else runs.
    External,
}

impl Kind {
    /// The word used on the command line: `embedded`, `local`, `docker`, `external`.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Embedded => "embedded",
            Kind::Local => "local",
            Kind::Docker => "docker",
            Kind::External => "external",
        }
    }

    /// The words that a reader sees: "built in", "local", "Docker", "yours".
    pub fn label(self) -> &'static str {
        match self {
            Kind::Embedded => "built in",
            Kind::Local => "local",
            Kind::Docker => "Docker",
            Kind::External => "yours",
        }
    }

    // ANCHOR: capabilities
    /// What a cluster of this kind gives when it is started as it is.
    ///
    /// For [`Kind::External`] this is nothing: such a cluster is asked.
    pub fn capabilities(self) -> Capabilities {
        let kafka = [
            Need::Txn,
            Need::Admin,
            Need::Idempotence,
            Need::Isolation,
            Need::Timestamps,
            Need::Retention,
            Need::Compaction,
            Need::Volume,
            Need::Kip848,
            Need::ShareGroups,
        ];
        match self {
            // The mock answers no admin request, filters no duplicates
            // but in transactions, shows aborted records, stamps every
            // record with 1234, and drops what exceeds 5 MiB or 100 000
            // records a partition. So it claims transactions, no more.
            Kind::Embedded => Capabilities::new(3, [Need::Txn]),
            Kind::Local => {
                Capabilities::new(3, kafka.into_iter().chain([Need::Kill]))
            }
            Kind::Docker => Capabilities::new(1, kafka),
            Kind::External => Capabilities::new(0, []),
        }
    }
    // ANCHOR_END: capabilities
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What `--broker` said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BrokerChoice {
    /// The first kind that serves all needs on this machine.
    #[default]
    Auto,
    /// Built in.
    Embedded,
    /// Local Java processes.
    Local,
    /// A container.
    Docker,
    /// The cluster at these bootstrap servers; `None`: those of `KAFKA_BROKERS`.
    External(Option<String>),
}

/// A `--broker` that names no kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "unknown broker {word:?}: use auto, embedded, local, docker, external or external=HOST:PORT"
)]
pub struct UnknownBroker {
    /// The word as it was typed.
    pub word: String,
}

impl FromStr for BrokerChoice {
    type Err = UnknownBroker;

    fn from_str(word: &str) -> Result<Self, UnknownBroker> {
        match word {
            "auto" => Ok(BrokerChoice::Auto),
            "embedded" => Ok(BrokerChoice::Embedded),
            "local" => Ok(BrokerChoice::Local),
            "docker" => Ok(BrokerChoice::Docker),
            "external" => Ok(BrokerChoice::External(None)),
            _ => match word.strip_prefix("external=") {
                Some(servers) if servers.contains(':') => {
                    Ok(BrokerChoice::External(Some(servers.to_owned())))
                }
                _ => Err(UnknownBroker { word: word.to_owned() }),
            },
        }
    }
}

impl fmt::Display for BrokerChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BrokerChoice::Auto => f.write_str("auto"),
            BrokerChoice::Embedded => f.write_str("embedded"),
            BrokerChoice::Local => f.write_str("local"),
            BrokerChoice::Docker => f.write_str("docker"),
            BrokerChoice::External(None) => f.write_str("external"),
            BrokerChoice::External(Some(servers)) => {
                write!(f, "external={servers}")
            }
        }
    }
}

/// Why no broker can be had for a run.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoBroker {
    /// The kind that was asked for can never do this.
    #[error(
        "the {} broker cannot do what this needs: {missing}. Leave --broker out, or name one that can",
        kind.label()
    )]
    Cannot {
        /// The kind that was asked for.
        kind: Kind,
        /// What it lacks.
        missing: Needs,
    },
    /// The kind would do, but this machine lacks something for it.
    #[error("the {} broker does not start here: {reason}", kind.label())]
    NotHere {
        /// The kind that was asked for.
        kind: Kind,
        /// What is missing, and the command that mends it.
        reason: String,
    },
    /// No kind serves.
    #[error(
        "this needs {needs}, which the built-in broker cannot do, and no other starts here: {reasons}"
    )]
    None {
        /// What was asked for.
        needs: Needs,
        /// What is missing for each kind that would do.
        reasons: String,
    },
}

/// Decides which kind of broker serves `needs`.
///
/// `auto` takes the first of embedded, local, Docker that can do all of it and starts on this
/// machine; the reader's own cluster is used only when it is named, and judged when it is asked.
/// The machine is looked at only where that decides: starting a Java to learn its version takes
/// longer than the whole built-in broker.
///
/// # Errors
///
/// [`NoBroker`] says what is missing and which command mends it.
pub fn choose(
    choice: &BrokerChoice,
    needs: &Needs,
    machine: impl FnOnce() -> Machine,
) -> Result<Kind, NoBroker> {
    match choice {
        BrokerChoice::Embedded => only(Kind::Embedded, needs, machine),
        BrokerChoice::Local => only(Kind::Local, needs, machine),
        BrokerChoice::Docker => only(Kind::Docker, needs, machine),
        BrokerChoice::External(_) => Ok(Kind::External),
        // ANCHOR: auto
        BrokerChoice::Auto
            if Kind::Embedded.capabilities().serve(needs) =>
        {
            Ok(Kind::Embedded)
        }
        BrokerChoice::Auto => {
            let machine = &machine();
            let able: Vec<Kind> = [Kind::Local, Kind::Docker]
                .into_iter()
                .filter(|kind| kind.capabilities().serve(needs))
                .collect();
            if let Some(kind) = able
                .iter()
                .find(|kind| held_back(**kind, machine).is_none())
            {
                return Ok(*kind);
            }
            // ANCHOR_END: auto
            let reasons: Vec<String> = able
                .iter()
                .filter_map(|kind| {
                    Some(format!(
                        "{}: {}",
                        kind.label(),
                        held_back(*kind, machine)?
                    ))
                })
                .collect();
            let reasons = if reasons.is_empty() {
                "name a cluster that can with --broker external=HOST:PORT"
                    .to_owned()
            } else {
                reasons.join("; ")
            };
            Err(NoBroker::None { needs: needs.clone(), reasons })
        }
    }
}

fn only(
    kind: Kind,
    needs: &Needs,
    machine: impl FnOnce() -> Machine,
) -> Result<Kind, NoBroker> {
    let missing = kind.capabilities().missing(needs);
    if !missing.is_empty() {
        return Err(NoBroker::Cannot { kind, missing });
    }
    if kind == Kind::Embedded {
        return Ok(kind);
    }
    match held_back(kind, &machine()) {
        Some(reason) => Err(NoBroker::NotHere { kind, reason }),
        None => Ok(kind),
    }
}

/// What this machine lacks for a kind of broker, with the command that mends it.
pub fn held_back(kind: Kind, machine: &Machine) -> Option<String> {
    match kind {
        Kind::Embedded | Kind::External => None,
        Kind::Local => [&machine.java, &machine.maven]
            .into_iter()
            .find_map(|tool| match &tool.state {
                State::Ready(_) => None,
                State::Unfit(what) | State::Missing(what) => {
                    Some(format!("{what} ({})", tool.mend))
                }
            }),
        Kind::Docker => match &machine.docker.state {
            State::Ready(_) => None,
            State::Unfit(what) | State::Missing(what) => {
                Some(format!("{what} ({})", machine.docker.mend))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Tool;

    fn machine(java: bool, docker: bool) -> Machine {
        let tool = |name: &'static str, there: bool| Tool {
            name,
            state: if there {
                State::Ready("1".into())
            } else {
                State::Missing(format!("no {name}"))
            },
            mend: format!("install {name}"),
        };
        Machine {
            java: tool("Java", java),
            maven: tool("Maven", java),
            docker: tool("Docker", docker),
        }
    }

    fn needs(text: &str) -> Needs {
        text.parse().unwrap()
    }

    #[test]
    fn auto_takes_the_cheapest_kind_that_serves() {
        let auto = BrokerChoice::Auto;
        assert_eq!(
            choose(&auto, &needs("txn"), || machine(true, true)),
            Ok(Kind::Embedded)
        );
        assert_eq!(
            choose(&auto, &needs("admin"), || machine(true, true)),
            Ok(Kind::Local)
        );
        assert_eq!(
            choose(&auto, &needs("admin"), || machine(false, true)),
            Ok(Kind::Docker)
        );
    }

    #[test]
    fn what_docker_cannot_do_is_not_given_to_docker() {
        let error = choose(&BrokerChoice::Auto, &needs("kill"), || {
            machine(false, true)
        })
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "this needs kill, which the built-in broker cannot do, and no other starts here: \
             local: no Java (install Java)"
        );
    }

    #[test]
    fn a_named_kind_is_taken_or_refused_with_the_reason() {
        let here = || machine(false, false);
        assert_eq!(
            choose(&BrokerChoice::Embedded, &needs(""), here),
            Ok(Kind::Embedded)
        );
        let error =
            choose(&BrokerChoice::Embedded, &needs("admin, txn"), here)
                .unwrap_err();
        assert_eq!(
            error,
            NoBroker::Cannot {
                kind: Kind::Embedded,
                missing: needs("admin")
            }
        );
        let error =
            choose(&BrokerChoice::Docker, &needs(""), here).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the Docker broker does not start here: no Docker (install Docker)"
        );
    }

    #[test]
    fn choices_read_back_as_they_are_written() {
        for word in [
            "auto",
            "embedded",
            "local",
            "docker",
            "external",
            "external=127.0.0.1:9092",
        ] {
            assert_eq!(
                word.parse::<BrokerChoice>().unwrap().to_string(),
                word
            );
        }
        assert!("kafka".parse::<BrokerChoice>().is_err());
        assert!("external=nowhere".parse::<BrokerChoice>().is_err());
    }
}
