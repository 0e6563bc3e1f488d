//! What somebody wants: topics in YAML, checked while they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

/// Kafka's longest topic name, in characters: it becomes the name of a folder, with `-` and a number behind it.
const MAX_NAME: usize = 249;

/// The most partitions that are believed. A cluster holds some 200 000 in all; more in one topic is a slip of a key.
const MAX_COUNT: i32 = 100_000;

// ANCHOR: declared
/// Topics as they should be. Unknown keys are refused: a misspelt one
/// would be a setting that nobody set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// The topics, each name once.
    pub topics: Vec<Topic>,
}

/// One topic as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// What clients call it.
    pub name: TopicName,
    /// Into how many logs its records are divided.
    pub partitions: Count,
    /// On how many brokers each partition is stored.
    pub replication_factor: Count,
    /// Whether its records have keys: then more partitions move keys.
    #[serde(default = "yes")]
    pub keyed: bool,
    /// Topic configuration by Kafka's own names, such as
    /// `retention.ms`. What is not named here is left as it is.
    #[serde(default)]
    pub configs: BTreeMap<String, ConfigValue>,
}
// ANCHOR_END: declared

fn yes() -> bool {
    true
}

/// Why a text does not declare topics.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadDeclaration {
    /// The text is no YAML, or not of this shape.
    #[error("line {line}, column {column}: {what}")]
    Yaml {
        /// The line, from 1; 0 where the parser does not know it.
        line: u64,
        /// The column, from 1; 0 where the parser does not know it.
        column: u64,
        /// What is wrong there.
        what: String,
    },
    /// Two declarations of one topic could contradict each other.
    #[error(
        "topics[{second}].name: {name} is declared already, by topics[{first}]: keep one of them"
    )]
    Twice {
        /// The name.
        name: String,
        /// The place of the first declaration, from 0.
        first: usize,
        /// The place of the second.
        second: usize,
    },
}

impl Declared {
    /// Reads a declaration.
    ///
    /// # Errors
    /// [`BadDeclaration`], with the line and column, or the path, of the first thing that is wrong.
    pub fn from_yaml(text: &str) -> Result<Declared, BadDeclaration> {
        let declared: Declared =
            serde_saphyr::from_str(text).map_err(|error| {
                let at = error.location();
                // Without the snippet that the parser draws: whoever shows the error has the file.
                let what = error.without_snippet().to_string();
                let what = match what.rsplit_once(" at line ") {
                    Some((what, _)) => what.to_owned(),
                    None => what,
                };
                BadDeclaration::Yaml {
                    line: at.map_or(0, |at| at.line()),
                    column: at.map_or(0, |at| at.column()),
                    what,
                }
            })?;
        let mut seen = BTreeSet::new();
        for (second, topic) in declared.topics.iter().enumerate() {
            if !seen.insert(&topic.name) {
                let first = declared
                    .topics
                    .iter()
                    .position(|earlier| earlier.name == topic.name);
                return Err(BadDeclaration::Twice {
                    name: topic.name.to_string(),
                    first: first.unwrap_or_default(),
                    second,
                });
            }
        }
        Ok(declared)
    }
}

/// A name that Kafka takes: 1 to 249 of `a-z`, `A-Z`, `0-9`, `.`, `_` and `-`, and not `.` or `..`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize,
)]
#[serde(try_from = "String")]
pub struct TopicName(String);

impl TopicName {
    /// The name as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TopicName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let legal = |c: char| {
            c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
        };
        let fine = (1..=MAX_NAME).contains(&name.len())
            && name.chars().all(legal)
            && !matches!(name.as_str(), "." | "..");
        if fine {
            return Ok(TopicName(name));
        }
        Err(format!(
            "{name:?} is no topic name: use 1 to {MAX_NAME} letters, digits, '.', '_' and '-'"
        ))
    }
}

impl TryFrom<&str> for TopicName {
    type Error = String;

    fn try_from(name: &str) -> Result<Self, String> {
        name.to_owned().try_into()
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number of partitions or replicas, at least 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize,
)]
#[serde(try_from = "Scalar")]
pub struct Count(i32);

impl Count {
    /// The number, as Kafka's protocol has it.
    pub fn get(self) -> i32 {
        self.0
    }
}

impl TryFrom<i64> for Count {
    type Error = String;

    fn try_from(count: i64) -> Result<Self, String> {
        match i32::try_from(count) {
            Ok(count) if (1..=MAX_COUNT).contains(&count) => {
                Ok(Count(count))
            }
            _ => Err(format!("must be 1 to {MAX_COUNT}, is {count}")),
        }
    }
}

impl TryFrom<Scalar> for Count {
    type Error = String;

    fn try_from(value: Scalar) -> Result<Self, String> {
        match value {
            Scalar::Int(count) => Count::try_from(count),
            other => {
                let word = ConfigValue::from(other);
                Err(format!("must be 1 to {MAX_COUNT}, is {word}"))
            }
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A value of a topic's configuration. YAML knows numbers and truth values; Kafka keeps all of them as text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Scalar")]
pub struct ConfigValue(String);

impl ConfigValue {
    /// The value as Kafka keeps it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ConfigValue {
    fn from(value: &str) -> Self {
        ConfigValue(value.to_owned())
    }
}

impl fmt::Display for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a text, a number, true or false")]
enum Scalar {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl From<Scalar> for ConfigValue {
    fn from(value: Scalar) -> Self {
        ConfigValue(match value {
            Scalar::Bool(value) => value.to_string(),
            Scalar::Int(value) => value.to_string(),
            Scalar::Float(value) => value.to_string(),
            Scalar::Text(value) => value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDERS: &str = "\
topics:
  - name: orders
    partitions: 6
    replication_factor: 3
    configs:
      retention.ms: 604800000
      cleanup.policy: delete
      min.cleanable.dirty.ratio: 0.5
      unclean.leader.election.enable: false
";

    #[test]
    fn yaml_becomes_topics_and_kafkas_texts() {
        let declared = Declared::from_yaml(ORDERS).unwrap();
        let [topic] = &declared.topics[..] else { panic!("{declared:?}") };
        assert_eq!(topic.name.as_str(), "orders");
        assert_eq!(
            (topic.partitions.get(), topic.replication_factor.get()),
            (6, 3)
        );
        assert!(topic.keyed);
        let configs: Vec<_> = topic
            .configs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            configs,
            [
                ("cleanup.policy", "delete"),
                ("min.cleanable.dirty.ratio", "0.5"),
                ("retention.ms", "604800000"),
                ("unclean.leader.election.enable", "false"),
            ]
        );
    }

    fn refused(from: &str, to: &str) -> String {
        let text = ORDERS.replacen(from, to, 1);
        assert_ne!(text, ORDERS);
        Declared::from_yaml(&text).unwrap_err().to_string()
    }

    #[test]
    fn a_refusal_names_the_line_and_what_may_stand_there() {
        for (from, to, said) in [
            (
                "partitions: 6",
                "partitions: 0",
                "line 3, column 17: must be 1 to 100000, is 0",
            ),
            (
                "partitions: 6",
                "partitions: six",
                "line 3, column 17: must be 1 to 100000, is six",
            ),
            (
                "partitions: 6",
                "partitions: 6.5",
                "line 3, column 17: must be 1 to 100000, is 6.5",
            ),
            (
                "partitions: 6",
                "partitons: 6",
                "line 3, column 5: unknown field `partitons`, expected one of name, partitions, replication_factor, keyed, configs",
            ),
            (
                "name: orders",
                "name: our orders",
                "line 2, column 11: \"our orders\" is no topic name: use 1 to 249 letters, digits, '.', '_' and '-'",
            ),
            (
                "retention.ms: 604800000",
                "retention.ms: [7, days]",
                "line 6, column 21: must be a text, a number, true or false",
            ),
            (
                "    replication_factor: 3\n",
                "",
                "line 4, column 5: missing field `replication_factor`",
            ),
        ] {
            assert_eq!(refused(from, to), said);
        }
        // The rest of this one is the parser's.
        let twice = refused("replication_factor: 3", "partitions: 3");
        assert!(
            twice.starts_with("line 4, column 5: duplicate"),
            "{twice}"
        );
    }

    #[test]
    fn a_topic_is_declared_once() {
        let twice = format!("{ORDERS}{}", ORDERS.replace("topics:\n", ""));
        assert_eq!(
            Declared::from_yaml(&twice).unwrap_err().to_string(),
            "topics[1].name: orders is declared already, by topics[0]: keep one of them"
        );
    }

    #[test]
    fn names_that_kafka_refuses_are_refused() {
        for bad in ["", ".", "..", "a b", "ü", &"x".repeat(250)] {
            assert!(TopicName::try_from(bad).is_err(), "{bad}");
        }
        for good in ["a", "Orders_2.v-1", &"x".repeat(249)] {
            assert_eq!(
                TopicName::try_from(good).unwrap().to_string(),
                good
            );
        }
    }
}
