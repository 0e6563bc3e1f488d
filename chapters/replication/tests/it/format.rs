//! The rows of the table, and the table as Markdown: what the program writes and the test reads.
#![allow(dead_code)]

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// All rows, and how they were made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    pub records: u32,
    pub seed: u64,
    pub brokers: u32,
    /// After so long without a heartbeat a broker was given up (`broker.session.timeout.ms`), in milliseconds.
    pub session_ms: u64,
    pub kafka: String,
    pub librdkafka: String,
    pub rows: Vec<Row>,
}

/// What happens between the first half of the orders and the count.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    #[default]
    LeaderKilled,
    FollowerPaused,
    AllButOneGone,
    Unclean,
}

impl Fault {
    pub const ALL: [Fault; 4] = [
        Fault::LeaderKilled,
        Fault::FollowerPaused,
        Fault::AllButOneGone,
        Fault::Unclean,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Fault::LeaderKilled => "leader-killed",
            Fault::FollowerPaused => "follower-paused",
            Fault::AllButOneGone => "all-but-one-gone",
            Fault::Unclean => "unclean",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Fault::LeaderKilled => "leader killed",
            Fault::FollowerPaused => "follower paused",
            Fault::AllButOneGone => "all but one gone",
            Fault::Unclean => "the same, unclean election",
        }
    }

    /// The brokers that have a replica; the first leads. Two brokers that are down leave no majority of
    /// controllers among three: so one of three has no replica where all but one shall go.
    pub fn replicas(self) -> &'static [i32] {
        match self {
            Fault::LeaderKilled | Fault::FollowerPaused => &[1, 2, 3],
            Fault::AllButOneGone | Fault::Unclean => &[1, 2],
        }
    }
}

/// One row: counts are records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub fault: Fault,
    pub acks: String,
    pub min_in_sync: u32,
    pub sent: u32,
    pub acknowledged: u32,
    pub survived: u32,
    pub lost: u32,
    pub refused: u32,
    /// From the first `send` of the second half to its last answer, in milliseconds.
    pub slowest_ms: u64,
}

/// The table as the page shows it.
pub fn table(results: &Results) -> String {
    let mut text = String::from(
        "| what fails | acks | min in sync | sent | Ok | survived | lost | refused | last answer, s |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for row in &results.rows {
        let bold = |n: u32| match n {
            0 => "0".to_owned(),
            n => format!("**{n}**"),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {:.1} |",
            row.fault.words(),
            row.acks,
            row.min_in_sync,
            row.sent,
            row.acknowledged,
            row.survived,
            bold(row.lost),
            row.refused,
            row.slowest_ms as f64 / 1000.0,
        );
    }
    let _ = write!(
        text,
        "\n{} orders a row, drawn from seed {}; {} local brokers, given up {} s after their last heartbeat; Apache Kafka {}, librdkafka {}.\n",
        results.records,
        results.seed,
        results.brokers,
        results.session_ms as f64 / 1000.0,
        results.kafka,
        results.librdkafka,
    );
    text
}
