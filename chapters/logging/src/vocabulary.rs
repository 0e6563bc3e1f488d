//! The words of a run's story: which kinds of line there are, which fields they have, and how two runs of one
//! program compare by them.
//!
//! Two runs never write the same lines: clocks, ports and member ids differ, and the lines of two services
//! interleave as they like. What must be equal is said here, once, as data. A kind or a field that is not in
//! these tables is still written, recorded and shown; it compares as [`Kind::other`] and [`Compare::Exact`].

use serde::{Deserialize, Serialize};

/// How one field of two runs compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// The values are equal.
    Exact,
    /// The values name the same thing: equal after one renaming that holds for the whole run. Names of
    /// different things (`member`, `port`) are renamed apart.
    SameIdentity(Thing),
    /// The greater number is at most `times` the smaller, plus `plus`.
    Range {
        /// The factor: a machine under load is slower by this much.
        times: u32,
        /// What is added, in the field's own unit, so that 1 ms and 40 ms may be equal.
        plus: u32,
    },
    /// Not compared, and may be missing.
    Any,
}

/// What an identity names.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Thing {
    /// A correlation or a trace.
    Correlation,
    /// A member of a consumer group.
    Member,
    /// A producer, by the id that the broker gave it.
    Producer,
    /// A node of the cluster: which one leads is drawn by lot.
    Broker,
    /// A TCP port.
    Port,
    /// A process of the operating system.
    Pid,
}

/// How often a line of a kind occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Multiplicity {
    /// Each line of one run has one of the other.
    Once,
    /// Alike lines in a row count as one; there are at least so many of them.
    AtLeast(u32),
    /// Timing decides whether and where it is written: not compared.
    Optional,
}

/// A kind of line.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The text of the line.
    pub message: &'static str,
    /// What has happened when it is written.
    pub says: &'static str,
    /// The fields that it has, beside `process`. Those in brackets may be missing.
    pub fields: &'static [&'static str],
    /// How often it occurs.
    pub multiplicity: Multiplicity,
}

/// The line that ends a run: its fields are counts, owners and offsets, and all of them compare exactly.
pub const OUTCOME: &str = "outcome";

/// The kinds of line. The table of the chapter's page is made from this one.
pub const KINDS: &[Kind] = &[
    Kind {
        message: "started",
        says: "the process begins its work",
        fields: &[],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "produced",
        says: "a record was handed to the client",
        fields: &["topic", "key", "[partition]"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "acknowledged",
        says: "the broker has the record, at this place",
        fields: &["topic", "partition", "offset", "[key]"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "failed",
        says: "it did not work, and nobody tries again",
        fields: &["error", "[error_code]", "[topic]", "[key]"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "consumed",
        says: "the process has the record",
        fields: &["topic", "partition", "offset", "[key]"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "processed",
        says: "the record's work is done",
        fields: &["topic", "partition", "offset", "[key]"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "committed",
        says: "the group goes on at this offset: the next record's",
        fields: &["topic", "partition", "offset", "[group]"],
        multiplicity: Multiplicity::Optional,
    },
    Kind {
        message: "assigned",
        says: "the process reads this partition from now on",
        fields: &[
            "topic",
            "partition",
            "[offset]",
            "[member_id]",
            "[generation]",
        ],
        multiplicity: Multiplicity::Optional,
    },
    Kind {
        message: "revoked",
        says: "the process gives the partition back",
        fields: &["topic", "partition", "[member_id]", "[generation]"],
        multiplicity: Multiplicity::Optional,
    },
    Kind {
        message: "lost",
        says: "the partition was taken away before the process could give it back",
        fields: &["topic", "partition", "[member_id]", "[generation]"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "paused",
        says: "no records of this partition are fetched",
        fields: &["topic", "partition"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "resumed",
        says: "records of this partition are fetched again",
        fields: &["topic", "partition"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "retried",
        says: "it did not work, and is tried again",
        fields: &["[attempt]", "[error]", "[topic]", "[key]"],
        multiplicity: Multiplicity::AtLeast(1),
    },
    Kind {
        message: "skipped",
        says: "the record is left alone, for a reason",
        fields: &["topic", "partition", "offset", "reason"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "orphaned",
        says: "the record names no correlation id that can be read: a new chain begins",
        fields: &["topic", "partition", "offset", "[key]", "[error]"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "killed",
        says: "somebody ended a process or a broker by force",
        fields: &["[broker]", "[victim]"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "restarted",
        says: "it runs again",
        fields: &["[broker]", "[victim]"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "elected",
        says: "the partition has a new leader",
        fields: &[
            "topic",
            "partition",
            "leader",
            "[leader_epoch]",
            "[unclean]",
        ],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "offline",
        says: "nobody leads the partition",
        fields: &["topic", "partition"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "in sync",
        says: "these brokers' replicas are in sync, and no other",
        fields: &["topic", "partition", "replicas"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "replicated",
        says: "the log of this broker's replica ends here: the next record's offset",
        fields: &["topic", "partition", "broker", "log_end"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "truncated",
        says: "this broker's replica has cut its log back to here",
        fields: &["topic", "partition", "broker", "log_end", "[from]"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "high watermark",
        says: "records below it are on every in-sync replica, and readers get them",
        fields: &["topic", "partition", "high_watermark"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "frozen",
        says: "somebody froze a broker: it holds its connections and answers nothing",
        fields: &["broker"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "thawed",
        says: "the frozen broker goes on",
        fields: &["broker"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "wiped",
        says: "a broker's replica is gone from its disk",
        fields: &["topic", "partition", "broker"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "added",
        says: "the topic has so many partitions from now on",
        fields: &["topic", "partitions"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "deleted",
        says: "retention deleted what stood before this offset: the log starts here",
        fields: &["topic", "partition", "offset"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "reset",
        says: "the record where the group goes on is not in the log: it goes on elsewhere",
        fields: &["topic", "partition", "from", "to", "reason"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "cleaned",
        says: "compaction took this record away: a later one has its key",
        fields: &["topic", "partition", "offset", "[key]"],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: "stopped",
        says: "the process has ended its work",
        fields: &[],
        multiplicity: Multiplicity::Once,
    },
    Kind {
        message: OUTCOME,
        says: "the run is over, and this is what it came to",
        fields: &["counts", "owners", "offsets"],
        multiplicity: Multiplicity::Once,
    },
];

impl Kind {
    /// The kind of a line with this message.
    pub fn of(message: &str) -> Option<&'static Kind> {
        KINDS.iter().find(|kind| kind.message == message)
    }

    /// What holds for lines of a run's story that the vocabulary does not know: strict, so that a misspelt word
    /// is seen.
    pub fn other() -> Multiplicity {
        Multiplicity::Once
    }
}

/// A field whose values do not compare exactly.
#[derive(Clone, Copy, Debug)]
pub struct FieldKind {
    /// The field's name.
    pub name: &'static str,
    /// Why its values differ from run to run.
    pub says: &'static str,
    /// How they compare.
    pub compare: Compare,
}

/// The fields that do not compare exactly.
pub const FIELDS: &[FieldKind] = &[
    FieldKind {
        name: "correlation_id",
        says: "drawn at random",
        compare: Compare::SameIdentity(Thing::Correlation),
    },
    FieldKind {
        name: "trace_id",
        says: "drawn at random",
        compare: Compare::SameIdentity(Thing::Correlation),
    },
    FieldKind {
        name: "span_id",
        says: "drawn at random",
        compare: Compare::Any,
    },
    FieldKind {
        name: "member_id",
        says: "given by the broker",
        compare: Compare::SameIdentity(Thing::Member),
    },
    FieldKind {
        name: "producer_id",
        says: "given by the broker",
        compare: Compare::SameIdentity(Thing::Producer),
    },
    FieldKind {
        name: "broker",
        says: "which broker leads is drawn by lot",
        compare: Compare::SameIdentity(Thing::Broker),
    },
    FieldKind {
        name: "leader",
        says: "which broker leads is drawn by lot",
        compare: Compare::SameIdentity(Thing::Broker),
    },
    FieldKind {
        name: "port",
        says: "given by the operating system",
        compare: Compare::SameIdentity(Thing::Port),
    },
    FieldKind {
        name: "pid",
        says: "given by the operating system",
        compare: Compare::SameIdentity(Thing::Pid),
    },
    FieldKind {
        name: "duration_ms",
        says: "how busy the machine is",
        compare: Compare::Range { times: 10, plus: 1000 },
    },
    FieldKind { name: "attempt", says: "timing", compare: Compare::Any },
    FieldKind { name: "lag", says: "timing", compare: Compare::Any },
    FieldKind {
        name: "generation",
        says: "how often the group formed anew",
        compare: Compare::Any,
    },
    FieldKind {
        name: "leader_epoch",
        says: "how often leaders changed",
        compare: Compare::Any,
    },
    FieldKind {
        name: "timestamp_ms",
        says: "the clock",
        compare: Compare::Any,
    },
    FieldKind {
        name: "error",
        says: "worded by the client, with ports in it",
        compare: Compare::Any,
    },
    FieldKind {
        name: "code",
        says: "worded by the client",
        compare: Compare::Any,
    },
    FieldKind {
        name: "thread",
        says: "worded by the client, with ports in it",
        compare: Compare::Any,
    },
];

impl Compare {
    /// How a field of a line compares.
    pub fn of(message: &str, field: &str) -> Compare {
        if message == OUTCOME {
            return Compare::Exact;
        }
        let known = FIELDS.iter().find(|known| known.name == field);
        known.map_or(Compare::Exact, |known| known.compare)
    }
}

/// The vocabulary as Markdown tables: `vocabulary.md`, of which the chapter's page shows the first.
pub fn as_markdown() -> String {
    let mut out = String::from(
        "<!-- Made from src/vocabulary.rs; a test holds the two together. -->\n\n",
    );
    out.push_str("<!-- ANCHOR: kinds -->\n| line | what has happened | fields |\n|---|---|---|\n");
    for kind in KINDS {
        let fields: Vec<String> =
            kind.fields.iter().map(|field| format!("`{field}`")).collect();
        let row = format!(
            "| `{}` | {} | {} |\n",
            kind.message,
            kind.says,
            fields.join(" ")
        );
        out.push_str(&row);
    }
    out.push_str("<!-- ANCHOR_END: kinds -->\n\nFields in brackets may be missing.\n");
    out.push_str("\nWhen two runs are compared, each line occurs once, but for these:\n");
    out.push_str("\n| line | how often |\n|---|---|\n");
    for kind in KINDS {
        let often = match kind.multiplicity {
            Multiplicity::Once => continue,
            Multiplicity::AtLeast(n) => format!("at least {n} in a row"),
            Multiplicity::Optional => "as timing has it".to_owned(),
        };
        out.push_str(&format!("| `{}` | {often} |\n", kind.message));
    }
    out.push_str("\nEach field has the same value, but for these:\n");
    out.push_str("\n| field | why it differs from run to run | compared |\n|---|---|---|\n");
    for field in FIELDS {
        let compared = match field.compare {
            Compare::Exact => "exactly".to_owned(),
            Compare::SameIdentity(_) => "up to one renaming".to_owned(),
            Compare::Range { times, plus } => {
                format!("within {times} times, plus {plus}")
            }
            Compare::Any => "not".to_owned(),
        };
        out.push_str(&format!(
            "| `{}` | {} | {compared} |\n",
            field.name, field.says
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_word_stands_once() {
        let kinds: BTreeSet<_> =
            KINDS.iter().map(|kind| kind.message).collect();
        assert_eq!(kinds.len(), KINDS.len());
        let fields: BTreeSet<_> =
            FIELDS.iter().map(|field| field.name).collect();
        assert_eq!(fields.len(), FIELDS.len());
        assert!(
            FIELDS.iter().all(|field| field.compare != Compare::Exact),
            "exact is the default"
        );
    }

    #[test]
    fn an_outcome_compares_exactly_whatever_its_fields_are_called() {
        assert_eq!(Compare::of(OUTCOME, "duration_ms"), Compare::Exact);
        assert_eq!(Compare::of("consumed", "lag"), Compare::Any);
        assert_eq!(Compare::of("consumed", "offset"), Compare::Exact);
    }

    #[test]
    fn the_tables_in_vocabulary_md_are_these() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vocabulary.md");
        if std::env::var_os("UPDATE_VOCABULARY").is_some() {
            std::fs::write(path, as_markdown()).unwrap();
        }
        let file = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            file,
            as_markdown(),
            "run this test with UPDATE_VOCABULARY=1"
        );
    }
}
