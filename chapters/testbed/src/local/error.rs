//! What can go wrong with a local Kafka, and what to do about it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rdkafka::error::KafkaError;

/// Why a local Kafka is not there, or does not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// There is no Java to run the broker with.
    #[error(
        "no Java: {} cannot be started. Apache Kafka needs Java {} or newer: {}",
        program.display(), crate::machine::JAVA_AT_LEAST,
        crate::machine::install_java(false)
    )]
    NoJava {
        /// What was tried: `$JAVA_HOME/bin/java`, or `java`.
        program: PathBuf,
        /// Why it does not start.
        source: io::Error,
    },
    /// `java -version` failed or printed something else than a version.
    #[error("{} is not a Java that works: {said}. Set JAVA_HOME to one that does", program.display())]
    BadJava {
        /// What was run.
        program: PathBuf,
        /// What it printed.
        said: String,
    },
    /// Java is older than the broker's classes.
    #[error(
        "{} is Java {found}, too old: Apache Kafka needs {} or newer. {}, or set JAVA_HOME to a newer one",
        program.display(), crate::machine::JAVA_AT_LEAST,
        crate::machine::install_java(true)
    )]
    OldJava {
        /// What was run.
        program: PathBuf,
        /// Its major version.
        found: u32,
    },
    /// There is no Maven to fetch the jars with.
    #[error(
        "no Maven: {} cannot be started. It fetches Kafka's jars, once: {}",
        program.display(), crate::machine::install("maven", "maven")
    )]
    NoMaven {
        /// What was tried.
        program: PathBuf,
        /// Why it does not start.
        source: io::Error,
    },
    /// Maven ran and failed.
    #[error(
        "Maven could not fetch Apache Kafka {} (is this machine offline?):\n{said}",
        crate::version::KAFKA
    )]
    MavenFailed {
        /// Its last lines.
        said: String,
    },
    /// Maven succeeded and brought something else than a broker.
    #[error("Maven brought no {jar} into {}: is `mvn` another program?", folder.display())]
    JarMissing {
        /// The jar that was expected.
        jar: String,
        /// Where it was expected.
        folder: PathBuf,
    },
    /// `StorageTool format` failed.
    #[error(
        "Kafka's StorageTool could not prepare the first checkpoint:\n{said}"
    )]
    FormatFailed {
        /// Its last lines.
        said: String,
    },
    /// There is neither `TESTBED_CACHE`, nor `XDG_CACHE_HOME`, nor `HOME`.
    #[error(
        "no folder to keep Kafka's jars in: set HOME, or TESTBED_CACHE to a folder"
    )]
    NoCache,
    /// The disk has too little room.
    #[error(
        "{} has {free_mib} MiB free and Apache Kafka needs {needed_mib} MiB there: \
         make room, or set TESTBED_CACHE to a folder on another disk", folder.display()
    )]
    NoSpace {
        /// The cache folder.
        folder: PathBuf,
        /// What is free, in MiB.
        free_mib: u64,
        /// What an installation takes, in MiB.
        needed_mib: u64,
    },
    /// Another process installs and does not come to an end.
    #[error(
        "another process has been installing Kafka for {} s and holds {}: wait for it, or end it",
        waited.as_secs(), lock.display()
    )]
    Locked {
        /// The file that it holds locked.
        lock: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The installed files are not those that were installed.
    #[error("{} is damaged: {what}. Remove that folder; the next start fetches it again", folder.display())]
    Damaged {
        /// The installation.
        folder: PathBuf,
        /// The first file that differs, and how.
        what: String,
    },
    /// A file or folder could not be written, read or removed.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// `write`, `read`, `create`, …
        doing: &'static str,
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The options contradict each other.
    #[error("{0}")]
    Options(String),
    /// No shell for the guardian, or no more processes.
    #[error("the process that guards a broker cannot be started")]
    Guardian(#[source] io::Error),
    /// A port that a broker was told to listen on belongs to somebody else.
    #[error(
        "{address} is taken by another program: end that program, or choose another port"
    )]
    PortTaken {
        /// The address, as the broker named it.
        address: String,
    },
    /// A broker ended while it should start.
    #[error("broker {id} ended while it was starting{}. Its log ends with:\n{log}", code(*exit_code))]
    Ended {
        /// Which broker.
        id: u32,
        /// Its exit code, where that is known; 128 + N if signal N ended it.
        exit_code: Option<i32>,
        /// The last lines of its log that are not stack frames.
        log: String,
    },
    /// A broker runs and does not answer as it should.
    #[error("after {} s broker {id} is not ready: {seen}. Its log ends with:\n{log}", waited.as_secs())]
    NotReady {
        /// Which broker.
        id: u32,
        /// How long it was waited for.
        waited: Duration,
        /// What the last question to it answered.
        seen: String,
        /// The last lines of its log that are not stack frames.
        log: String,
    },
    /// The cluster has no broker of this number.
    #[error(
        "there is no broker {id}: they are numbered from 1 to {brokers}"
    )]
    NoSuchBroker {
        /// The number that was asked for.
        id: u32,
        /// How many brokers there are.
        brokers: u32,
    },
    /// What was asked of a broker needs it to run, and it does not.
    #[error("broker {id} is not running")]
    NotRunning {
        /// Which broker.
        id: u32,
    },
    /// A signal could not be sent.
    #[error("no signal could be sent to broker {id}")]
    Signal {
        /// Which broker.
        id: u32,
        /// Why.
        source: io::Error,
    },
    /// A broker was told to end and did not.
    #[error("broker {id} did not end within {} s", waited.as_secs())]
    StillRunning {
        /// Which broker.
        id: u32,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The cluster was asked about a topic and did not answer.
    #[error("the cluster does not say what it knows of {topic}")]
    Ask {
        /// Which topic.
        topic: String,
        /// Why.
        source: KafkaError,
    },
    /// The topic has no such partition.
    #[error("the cluster knows no partition {partition} of {topic}")]
    NoPartition {
        /// Which topic.
        topic: String,
        /// Which partition.
        partition: i32,
    },
    /// The partition has no leader now.
    #[error("partition {partition} of {topic} has no leader now")]
    NoLeader {
        /// Which topic.
        topic: String,
        /// Which partition.
        partition: i32,
    },
    /// A condition that was waited for did not come true.
    #[error(transparent)]
    TimedOut(#[from] crate::eventually::TimedOut),
    /// The work was cut off because the runtime shut down, or because nobody waited for it any more.
    #[error(
        "the runtime shut down while the local Kafka was being prepared"
    )]
    Shutdown,
}

impl LocalError {
    /// An I/O error with what was tried, for `map_err`.
    pub(crate) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> LocalError {
        let path = path.into();
        move |source| LocalError::File { doing, path, source }
    }
}

fn code(exit_code: Option<i32>) -> String {
    match exit_code {
        Some(code @ 129..=192) => {
            format!(" (killed by signal {})", code - 128)
        }
        Some(code) => format!(" (exit code {code})"),
        None => String::new(),
    }
}
