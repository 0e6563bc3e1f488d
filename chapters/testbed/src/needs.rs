//! What a run or a test asks of a cluster, and what a cluster gives.
//!
//! A need is one word (`txn`, `admin`, `brokers=3`); manifests, tests and the command line write
//! several as `brokers=3, txn`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One thing that a cluster may or may not be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Need {
    /// At least this many brokers.
    Brokers(u32),
    /// Transactions: a producer with a `transactional.id`.
    Txn,
    /// The admin API: topics created and deleted, configuration read and altered by a client.
    Admin,
    /// An authorizer that refuses what no ACL allows.
    Acl,
    /// A SASL listener.
    Sasl,
    /// A TLS listener.
    Tls,
    /// Duplicates of an idempotent producer are filtered (KIP-98).
    Idempotence,
    /// `isolation.level=read_committed` hides what a transaction aborted.
    Isolation,
    /// Record timestamps are kept, and offsets can be looked up by time.
    Timestamps,
    /// Old segments are deleted.
    Retention,
    /// Topics with `cleanup.policy=compact` are compacted.
    Compaction,
    /// More than 4 MiB or 90 000 records in one partition.
    Volume,
    /// The consumer rebalance protocol of KIP-848 (`group.protocol=consumer`).
    Kip848,
    /// Share groups (KIP-932).
    ShareGroups,
    /// A schema registry.
    Registry,
    /// Broker processes that can be killed, paused and restarted.
    Kill,
}

/// Each need that is a single word, beside the word.
const WORDS: [(&str, Need); 15] = [
    ("txn", Need::Txn),
    ("admin", Need::Admin),
    ("acl", Need::Acl),
    ("sasl", Need::Sasl),
    ("tls", Need::Tls),
    ("idempotence", Need::Idempotence),
    ("isolation", Need::Isolation),
    ("timestamps", Need::Timestamps),
    ("retention", Need::Retention),
    ("compaction", Need::Compaction),
    ("volume", Need::Volume),
    ("kip848", Need::Kip848),
    ("share-groups", Need::ShareGroups),
    ("registry", Need::Registry),
    ("kill", Need::Kill),
];

/// A word that names no need.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown need {word:?}: use brokers=N or one of {}", WORDS.map(|(word, _)| word).join(", "))]
pub struct UnknownNeed {
    /// The word as it was written.
    pub word: String,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Need::Brokers(n) = self {
            return write!(f, "brokers={n}");
        }
        let word = WORDS
            .iter()
            .find(|(_, need)| need == self)
            .map_or("?", |(word, _)| word);
        f.write_str(word)
    }
}

impl FromStr for Need {
    type Err = UnknownNeed;

    fn from_str(word: &str) -> Result<Self, UnknownNeed> {
        let unknown = || UnknownNeed { word: word.to_owned() };
        if let Some(n) = word.strip_prefix("brokers=") {
            return match n.trim().parse() {
                Ok(n) if n > 0 => Ok(Need::Brokers(n)),
                _ => Err(unknown()),
            };
        }
        WORDS
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, need)| *need)
            .ok_or_else(unknown)
    }
}

/// A set of needs, written `brokers=3, txn`; the empty text is no need at all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Needs(BTreeSet<Need>);

impl Needs {
    /// The needs, in a stable order.
    pub fn iter(&self) -> impl Iterator<Item = Need> + '_ {
        self.0.iter().copied()
    }

    /// How many brokers are asked for: 1 where nothing else is said.
    pub fn brokers(&self) -> u32 {
        self.iter()
            .filter_map(|need| {
                if let Need::Brokers(n) = need { Some(n) } else { None }
            })
            .max()
            .unwrap_or(1)
    }

    /// True if nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Need> for Needs {
    fn from_iter<I: IntoIterator<Item = Need>>(needs: I) -> Self {
        Needs(needs.into_iter().collect())
    }
}

impl FromStr for Needs {
    type Err = UnknownNeed;

    fn from_str(text: &str) -> Result<Self, UnknownNeed> {
        text.split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .map(Need::from_str)
            .collect()
    }
}

impl TryFrom<Vec<String>> for Needs {
    type Error = UnknownNeed;

    fn try_from(words: Vec<String>) -> Result<Self, UnknownNeed> {
        words.iter().map(|word| word.trim().parse()).collect()
    }
}

impl From<Needs> for Vec<String> {
    fn from(needs: Needs) -> Self {
        needs.iter().map(|need| need.to_string()).collect()
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.clone().into();
        f.write_str(&words.join(", "))
    }
}

/// What a cluster gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// How many brokers it has.
    pub brokers: u32,
    /// What it can do, in the words of [`Need`].
    pub gives: Needs,
}

impl Capabilities {
    /// A cluster with this many brokers that can do these things.
    pub fn new(
        brokers: u32,
        gives: impl IntoIterator<Item = Need>,
    ) -> Self {
        Capabilities { brokers, gives: gives.into_iter().collect() }
    }

    /// Those of `needs` that this cluster does not meet.
    pub fn missing(&self, needs: &Needs) -> Needs {
        needs
            .iter()
            .filter(|need| match need {
                Need::Brokers(n) => *n > self.brokers,
                other => !self.gives.0.contains(other),
            })
            .collect()
    }

    /// True if every need is met.
    pub fn serve(&self, needs: &Needs) -> bool {
        self.missing(needs).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_itself() {
        for (word, need) in WORDS {
            assert_eq!(word.parse(), Ok(need));
            assert_eq!(need.to_string(), word);
        }
        assert_eq!("brokers=3".parse(), Ok(Need::Brokers(3)));
        assert_eq!(Need::Brokers(3).to_string(), "brokers=3");
    }

    #[test]
    fn a_list_is_read_with_spaces_and_without() {
        let needs: Needs = " txn,brokers=3 ".parse().unwrap();
        assert_eq!(needs.to_string(), "brokers=3, txn");
        assert_eq!(needs.brokers(), 3);
        assert!("".parse::<Needs>().unwrap().is_empty());
        assert_eq!("".parse::<Needs>().unwrap().brokers(), 1);
    }

    #[test]
    fn an_unknown_word_is_named_with_the_known_ones() {
        let error = "txn, teleport".parse::<Needs>().unwrap_err();
        assert_eq!(error.word, "teleport");
        assert!(
            error.to_string().contains("brokers=N or one of txn, admin"),
            "{error}"
        );
        assert!("brokers=0".parse::<Need>().is_err());
        assert!("brokers=".parse::<Need>().is_err());
    }

    #[test]
    fn missing_are_those_that_the_cluster_lacks() {
        let one = Capabilities::new(1, [Need::Txn]);
        let needs: Needs = "brokers=3, txn, admin".parse().unwrap();
        assert_eq!(one.missing(&needs).to_string(), "brokers=3, admin");
        assert!(one.serve(&"brokers=1, txn".parse().unwrap()));
    }

    #[test]
    fn needs_travel_as_a_list_of_words() {
        let three = Capabilities::new(3, [Need::Admin, Need::Txn]);
        let json = serde_json::to_string(&three).unwrap();
        assert_eq!(json, r#"{"brokers":3,"gives":["txn","admin"]}"#);
        assert_eq!(
            serde_json::from_str::<Capabilities>(&json).unwrap(),
            three
        );
    }
}
