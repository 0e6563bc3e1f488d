//! What lies between topics as they should be and topics as they are.

use std::collections::BTreeMap;

use crate::actual::Actual;
use crate::danger::{self, Allow, Danger};
use crate::declared::{Declared, Topic, TopicName};

/// What is to be done, topic by topic, in the order of the declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Every declared topic, also one that is as declared.
    pub topics: Vec<TopicPlan>,
}

/// What is to be done with one topic; nothing, if it is as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPlan {
    /// The topic.
    pub name: TopicName,
    /// The changes, in the order in which they are made.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// There is no such topic: it is created.
    Create(Topic),
    /// A setting gets another value.
    Config {
        /// Its name.
        name: String,
        /// The value in force; `None` if the cluster has none.
        from: Option<String>,
        /// The declared value.
        to: String,
        /// What it costs.
        danger: Option<Danger>,
    },
    /// Partitions are added. They can never be taken away again.
    AddPartitions {
        /// How many there are.
        from: i32,
        /// How many are declared.
        to: i32,
        /// Keys move, unless the topic says that it has none.
        danger: Option<Danger>,
    },
    /// Kafka, or this crate, does not do this.
    Refused(Refusal),
}

/// A difference that no plan can mend, with the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A partition is a log, and its records would have to go somewhere.
    #[error(
        "partitions {from} -> {to}: Kafka takes none away; copy into a new topic"
    )]
    FewerPartitions {
        /// How many there are.
        from: i32,
        /// How many are declared.
        to: i32,
    },
    /// Replicas are moved by a reassignment, which copies whole partitions between brokers.
    #[error(
        "replication factor {from} -> {to}: use kafka-reassign-partitions.sh"
    )]
    ReplicationFactor {
        /// How many replicas there are.
        from: i32,
        /// How many are declared.
        to: i32,
    },
}

/// Compares what is declared with what there is, by name. A topic that is not declared is left alone, and so is a
/// setting that is not declared.
pub fn plan(
    declared: &Declared,
    actual: &BTreeMap<TopicName, Actual>,
) -> Plan {
    let topics = declared.topics.iter().map(|topic| TopicPlan {
        name: topic.name.clone(),
        changes: match actual.get(&topic.name) {
            None => vec![Change::Create(topic.clone())],
            Some(actual) => changes(topic, actual),
        },
    });
    Plan { topics: topics.collect() }
}

// ANCHOR: changes
fn changes(topic: &Topic, actual: &Actual) -> Vec<Change> {
    let mut changes = Vec::new();
    let (from, to) = (actual.partitions, topic.partitions.get());
    if to < from {
        let refusal = Refusal::FewerPartitions { from, to };
        changes.push(Change::Refused(refusal));
    }
    let (is, wanted) =
        (actual.replication_factor, topic.replication_factor.get());
    if is != wanted {
        let refusal = Refusal::ReplicationFactor { from: is, to: wanted };
        changes.push(Change::Refused(refusal));
    }
    changes.extend(config_changes(topic, actual));
    // Last: partitions cannot be taken away again, so none is added if a
    // setting fails.
    if to > from {
        let danger = topic.keyed.then_some(Danger::MovesKeys);
        changes.push(Change::AddPartitions { from, to, danger });
    }
    changes
}
// ANCHOR_END: changes

fn config_changes<'a>(
    topic: &'a Topic,
    actual: &'a Actual,
) -> impl Iterator<Item = Change> + 'a {
    let policy = match topic.configs.get("cleanup.policy") {
        Some(policy) => policy.as_str(),
        None => actual.value("cleanup.policy").unwrap_or("delete"),
    };
    let differs = topic.configs.iter().filter(|(name, to)| {
        !actual.value(name).is_some_and(|is| same(is, to.as_str()))
    });
    differs.map(move |(name, to)| {
        let from = actual.value(name);
        let to = to.as_str();
        let reset = danger::Reset { name, from, to, policy };
        Change::Config {
            name: name.clone(),
            from: from.map(str::to_owned),
            to: to.to_owned(),
            danger: danger::of_config(&reset),
        }
    })
}

/// Whether two texts are one value: brokers write a number, a truth value and a list in their own way.
fn same(is: &str, declared: &str) -> bool {
    // A broker takes `True` and tells it as `true`.
    let truth =
        |text: &str| text.trim().to_ascii_lowercase().parse::<bool>();
    if let (Ok(is), Ok(declared)) = (truth(is), truth(declared)) {
        return is == declared;
    }
    if let (Ok(is), Ok(declared)) =
        (is.parse::<i64>(), declared.parse::<i64>())
    {
        return is == declared;
    }
    if let (Ok(is), Ok(declared)) =
        (is.parse::<f64>(), declared.parse::<f64>())
    {
        return is == declared;
    }
    is.split(',').map(str::trim).eq(declared.split(',').map(str::trim))
}

impl Plan {
    /// Whether everything is as declared.
    pub fn is_empty(&self) -> bool {
        self.topics.iter().all(|topic| topic.changes.is_empty())
    }

    /// What cannot be done at all, by topic.
    pub fn refused(&self) -> impl Iterator<Item = (&TopicName, Refusal)> {
        self.changes().filter_map(|(name, change)| match change {
            Change::Refused(refusal) => Some((name, *refusal)),
            _ => None,
        })
    }

    /// What `allow` does not permit, by topic.
    pub fn not_allowed(
        &self,
        allow: Allow,
    ) -> impl Iterator<Item = (&TopicName, &Change)> {
        self.changes()
            .filter(move |(_, change)| !allow.permits(change.danger()))
    }

    fn changes(&self) -> impl Iterator<Item = (&TopicName, &Change)> {
        self.topics.iter().flat_map(|topic| {
            topic.changes.iter().map(|change| (&topic.name, change))
        })
    }
}

impl Change {
    /// What it costs.
    pub fn danger(&self) -> Option<Danger> {
        match self {
            Change::Config { danger, .. }
            | Change::AddPartitions { danger, .. } => *danger,
            Change::Create(_) | Change::Refused(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_truth_values_and_lists_are_compared_as_such() {
        for (is, declared) in [
            ("1.0", "1"),
            ("1.0E-4", "0.0001"),
            ("604800000", "604800000"),
            ("compact,delete", "compact, delete"),
            ("true", "True"),
            ("false", "FALSE"),
        ] {
            assert!(same(is, declared), "{is} is {declared}");
        }
        for (is, other) in [
            ("9223372036854775807", "9223372036854775806"),
            ("compact", "compact,delete"),
            ("delete,compact", "compact,delete"),
            ("0.5", "0.6"),
            ("zstd", "lz4"),
            ("zstd", "ZSTD"),
            ("true", "FALSE"),
        ] {
            assert!(!same(is, other), "{is} is not {other}");
        }
    }
}
