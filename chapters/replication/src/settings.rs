//! What a producer and a topic say about replication, read from their properties.

use std::fmt;
use std::str::FromStr;

/// How much a producer waits for: the property `acks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acks {
    /// `0`: for nothing; the client says Ok when the bytes have left it.
    None,
    /// `1`: for the leader.
    Leader,
    /// `all`, or `-1`: for every replica that is in sync.
    All,
}

impl fmt::Display for Acks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Acks::None => "0",
            Acks::Leader => "1",
            Acks::All => "all",
        })
    }
}

impl FromStr for Acks {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Self, SettingsError> {
        match text.trim() {
            "0" => Ok(Acks::None),
            "1" => Ok(Acks::Leader),
            "all" | "-1" => Ok(Acks::All),
            _ => Err(SettingsError::Value {
                property: "acks".to_owned(),
                value: text.to_owned(),
                may_be: "0, 1, all or -1",
            }),
        }
    }
}

/// Whose defaults hold for what a producer does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// librdkafka, and with it rdkafka: `acks=all`, `enable.idempotence=false`,
    /// `message.timeout.ms=300000`.
    Librdkafka,
    /// Kafka's Java client since 3.0: `acks=all`, `enable.idempotence=true`,
    /// `delivery.timeout.ms=120000`.
    Java,
}

impl FromStr for Client {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Self, SettingsError> {
        match text.trim() {
            "librdkafka" => Ok(Client::Librdkafka),
            "java" => Ok(Client::Java),
            _ => Err(SettingsError::Value {
                property: "client".to_owned(),
                value: text.to_owned(),
                may_be: "librdkafka or java",
            }),
        }
    }
}

/// Settings that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A property has a value that it cannot have.
    #[error("{property}={value}: write {may_be}")]
    Value {
        /// The property.
        property: String,
        /// What was written.
        value: String,
        /// What it may be.
        may_be: &'static str,
    },
    /// A line of a properties file is no property.
    #[error("line {line}, {text:?}: write name=value")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// How it begins.
        text: String,
    },
    /// Idempotence needs the answer of every in-sync replica; both clients refuse to start.
    #[error("{asked} and acks={acks} exclude each other: set acks=all")]
    Idempotence {
        /// What asks for idempotence: `enable.idempotence=true`, or `transactional.id`.
        asked: &'static str,
        /// What was written.
        acks: Acks,
    },
    /// Idempotence is about sending again; both clients refuse to start where that is forbidden.
    #[error(
        "{asked} and retries=0 exclude each other: set 1 or more, or leave it out"
    )]
    NoRetries {
        /// What asks for idempotence: `enable.idempotence=true`, or `transactional.id`.
        asked: &'static str,
    },
    /// Transactions need idempotence; both clients refuse to start without.
    #[error(
        "transactional.id and enable.idempotence=false exclude each other: leave the second out"
    )]
    Transactional,
    /// A topic has at least one replica, and never fewer replicas in sync than none.
    #[error(
        "a topic of {replicas} replicas with {in_sync} in sync: at least 1 replica, and no more in sync than there are"
    )]
    Replicas {
        /// The replication factor.
        replicas: usize,
        /// How many are in sync.
        in_sync: usize,
    },
}

/// What a producer says about delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Producer {
    /// What it waits for.
    pub acks: Acks,
    /// Whether the broker drops what it has already (`enable.idempotence`).
    pub idempotence: bool,
    /// How often a request is sent again.
    pub retries: u32,
    /// How long a record may take from `send` to its answer, in milliseconds; 0 is for ever.
    pub timeout_ms: u64,
}

impl Producer {
    /// A producer that says nothing, so that its client's defaults hold.
    pub fn of(client: Client) -> Self {
        let (idempotence, timeout_ms) = match client {
            Client::Librdkafka => (false, 300_000),
            Client::Java => (true, 120_000),
        };
        let retries = i32::MAX as u32;
        Self { acks: Acks::All, idempotence, retries, timeout_ms }
    }

    /// Reads a producer's properties, by the names of both clients. Properties that have nothing to do with
    /// delivery, such as `bootstrap.servers`, are passed over; the last of two equal names counts.
    ///
    /// # Errors
    /// A value that its property cannot have; idempotence, asked for by `enable.idempotence=true` or by
    /// `transactional.id`, with another `acks` than `all` or without retries; `transactional.id` without
    /// idempotence.
    pub fn read<'a>(
        client: Client,
        properties: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, SettingsError> {
        let mut producer = Self::of(client);
        let mut idempotence = None;
        let mut transactional = false;
        for (name, value) in properties {
            match name.trim() {
                "acks" | "request.required.acks" => {
                    producer.acks = value.parse()?;
                }
                "enable.idempotence" => {
                    idempotence = Some(match (client, value.trim()) {
                        // librdkafka's short forms.
                        (Client::Librdkafka, "1" | "t" | "T") => true,
                        (Client::Librdkafka, "0" | "f" | "F") => false,
                        _ => truth(name, value)?,
                    });
                }
                "transactional.id" => {
                    transactional = !value.trim().is_empty();
                }
                "retries" | "message.send.max.retries" => {
                    producer.retries = number(name, value)?;
                }
                "message.timeout.ms" | "delivery.timeout.ms" => {
                    producer.timeout_ms = number(name, value)?;
                }
                _ => {}
            }
        }
        producer.idempotence =
            producer.idempotent(idempotence, transactional)?;
        Ok(producer)
    }

    /// Whether the client is idempotent, after what was said of it. librdkafka's default is `false`, but
    /// `transactional.id` switches it on; Java's is `true`, but another `acks` than `all` and `retries=0`
    /// switch it off, both without a word.
    fn idempotent(
        &self,
        said: Option<bool>,
        transactional: bool,
    ) -> Result<bool, SettingsError> {
        let asked = match said {
            Some(false) if transactional => {
                return Err(SettingsError::Transactional);
            }
            Some(true) => "enable.idempotence=true",
            _ if transactional => "transactional.id",
            Some(false) => return Ok(false),
            None => {
                let fits = self.acks == Acks::All && self.retries > 0;
                return Ok(self.idempotence && fits);
            }
        };
        if self.acks != Acks::All {
            let acks = self.acks;
            return Err(SettingsError::Idempotence { asked, acks });
        }
        if self.retries == 0 {
            return Err(SettingsError::NoRetries { asked });
        }
        Ok(true)
    }
}

/// What a topic says about replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Topic {
    /// The replication factor.
    pub replicas: usize,
    /// How many are in sync now: of several partitions, the one that has fewest.
    pub in_sync: usize,
    /// `min.insync.replicas`.
    pub min_in_sync: usize,
    /// `unclean.leader.election.enable`.
    pub unclean: bool,
    /// `flush.messages`: after how many records the log is flushed to disk. Kafka's default is never.
    pub flush_messages: u64,
    /// `flush.ms`: after how many milliseconds the log is flushed to disk, once the broker looks, which it
    /// does each `log.flush.scheduler.interval.ms`. The default of both is never.
    pub flush_ms: u64,
    /// Whether eligible leader replicas (KIP-966) are switched on.
    pub eligible: bool,
}

impl Default for Topic {
    /// Kafka's own defaults: one replica, `min.insync.replicas=1`, no unclean election, never flushed.
    fn default() -> Self {
        Self {
            replicas: 1,
            in_sync: 1,
            min_in_sync: 1,
            unclean: false,
            flush_messages: i64::MAX as u64,
            flush_ms: i64::MAX as u64,
            eligible: true,
        }
    }
}

impl Topic {
    /// Reads a topic's configuration, as `DescribeConfigs` gives it; what is missing has Kafka's default.
    ///
    /// # Errors
    /// A value that its property cannot have, and more replicas in sync than there are.
    pub fn read<'a>(
        replicas: usize,
        in_sync: usize,
        properties: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, SettingsError> {
        if replicas == 0 || in_sync > replicas {
            return Err(SettingsError::Replicas { replicas, in_sync });
        }
        let mut topic = Self { replicas, in_sync, ..Self::default() };
        for (name, value) in properties {
            match name.trim() {
                "min.insync.replicas" => {
                    topic.min_in_sync = number(name, value)?;
                }
                "unclean.leader.election.enable" => {
                    topic.unclean = truth(name, value)?;
                }
                "flush.messages" => {
                    topic.flush_messages = number(name, value)?;
                }
                "flush.ms" => topic.flush_ms = number(name, value)?,
                _ => {}
            }
        }
        topic.min_in_sync = topic.min_in_sync.max(1);
        Ok(topic)
    }

    /// The minimum as brokers apply it: `min.insync.replicas`, or the number of replicas where that is less.
    pub fn effective_min_in_sync(&self) -> usize {
        self.min_in_sync.min(self.replicas)
    }

    /// Whether each record is flushed before it is acknowledged.
    pub fn flushed(&self) -> bool {
        self.flush_messages == 1
    }
}

/// The properties of a file or of a text field: `name=value` a line; empty lines and lines that begin with
/// `#` or `!` are comments.
///
/// # Errors
/// A line without `=`.
pub fn properties(text: &str) -> Result<Vec<(&str, &str)>, SettingsError> {
    let mut all = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with(['#', '!']) {
            continue;
        }
        let Some((name, value)) = text.split_once('=') else {
            // Not more than a name: behind it may stand a password.
            let end = text.find([':', ' ', '\t']).unwrap_or(text.len());
            let text = text[..end].chars().take(40).collect();
            return Err(SettingsError::Line { line, text });
        };
        all.push((name.trim(), value.trim()));
    }
    Ok(all)
}

/// As clients and brokers read it: in any case.
fn truth(name: &str, value: &str) -> Result<bool, SettingsError> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong(name, value, "true or false")),
    }
}

fn number<N: FromStr>(name: &str, value: &str) -> Result<N, SettingsError> {
    let number = value.trim().parse();
    number.map_err(|_| wrong(name, value, "a whole number from 0"))
}

fn wrong(name: &str, value: &str, may_be: &'static str) -> SettingsError {
    SettingsError::Value {
        property: name.trim().to_owned(),
        value: value.to_owned(),
        may_be,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(client: Client, text: &str) -> Result<Producer, SettingsError> {
        Producer::read(client, properties(text)?)
    }

    #[test]
    fn both_clients_defaults_wait_for_all_and_one_is_idempotent() {
        let rust = read(Client::Librdkafka, "linger.ms=5").unwrap();
        let java = read(Client::Java, "# nothing\n\n! said").unwrap();
        assert_eq!((rust.acks, rust.idempotence), (Acks::All, false));
        assert_eq!((java.acks, java.idempotence), (Acks::All, true));
        assert_eq!((rust.timeout_ms, java.timeout_ms), (300_000, 120_000));
    }

    #[test]
    fn properties_are_read_by_the_names_of_both_clients() {
        let said = "request.required.acks = -1\nmessage.timeout.ms=5000\n\
                    message.send.max.retries=3\nenable.idempotence=true";
        let expected = Producer {
            acks: Acks::All,
            idempotence: true,
            retries: 3,
            timeout_ms: 5_000,
        };
        assert_eq!(read(Client::Librdkafka, said), Ok(expected));
        let quiet = read(Client::Java, "acks=1\ndelivery.timeout.ms=1");
        let quiet = quiet.unwrap();
        assert_eq!((quiet.idempotence, quiet.timeout_ms), (false, 1));
    }

    #[test]
    fn idempotence_is_what_the_client_makes_of_the_settings() {
        use Client::{Java, Librdkafka};
        let on = |client, text| read(client, text).unwrap().idempotence;
        assert!(on(Librdkafka, "enable.idempotence=true"));
        assert!(!on(Java, "retries=0"), "Java's default goes off");
        assert!(!on(Java, "enable.idempotence=false"));
        for client in [Librdkafka, Java] {
            assert!(on(client, "transactional.id=till-1"));
            let said = |text| read(client, text).unwrap_err().to_string();
            assert_eq!(
                said("enable.idempotence=true\nretries=0"),
                "enable.idempotence=true and retries=0 exclude each other: set 1 or more, or leave it out"
            );
            assert_eq!(
                said("transactional.id=till-1\nacks=1"),
                "transactional.id and acks=1 exclude each other: set acks=all"
            );
            let said =
                said("transactional.id=till-1\nenable.idempotence=false");
            assert!(said.ends_with("leave the second out"), "{said}");
        }
    }

    #[test]
    fn a_truth_value_is_read_as_the_client_reads_it() {
        let on = |client, value| {
            let said = format!("enable.idempotence={value}");
            read(client, &said).map(|producer| producer.idempotence)
        };
        for client in [Client::Librdkafka, Client::Java] {
            assert_eq!(on(client, "True"), Ok(true));
            assert_eq!(on(client, "FALSE"), Ok(false));
            assert!(on(client, "yes").is_err());
        }
        for (value, is) in [("1", true), ("T", true), ("f", false)] {
            assert_eq!(on(Client::Librdkafka, value), Ok(is));
            assert!(on(Client::Java, value).is_err());
        }
        let unclean = [("unclean.leader.election.enable", "TRUE")];
        assert!(Topic::read(1, 1, unclean).is_ok_and(|t| t.unclean));
    }

    #[test]
    fn what_cannot_be_meant_says_what_to_write() {
        let said = |text| read(Client::Java, text).unwrap_err().to_string();
        assert_eq!(said("acks=two"), "acks=two: write 0, 1, all or -1");
        assert_eq!(said("a=b\nacks"), "line 2, \"acks\": write name=value");
        assert_eq!(
            said("retries=-1"),
            "retries=-1: write a whole number from 0"
        );
        assert_eq!(
            said("enable.idempotence=yes"),
            "enable.idempotence=yes: write true or false"
        );
        assert!(
            said("acks=0\nenable.idempotence=true").contains("acks=all")
        );
        assert!("go".parse::<Client>().is_err());
        let none = Topic::read(0, 0, []).unwrap_err().to_string();
        assert!(none.contains("at least 1 replica"), "{none}");
        assert!(Topic::read(1, 2, []).is_err());
    }

    #[test]
    fn a_topic_has_kafkas_defaults_where_nothing_is_said() {
        assert_eq!(Topic::read(1, 1, []), Ok(Topic::default()));
        let said = [
            ("min.insync.replicas", "2"),
            ("flush.messages", "1"),
            ("flush.ms", "1000"),
            ("unclean.leader.election.enable", "true"),
            ("retention.ms", "1"),
        ];
        let topic = Topic::read(3, 2, said).unwrap();
        assert_eq!((topic.replicas, topic.in_sync), (3, 2));
        assert_eq!((topic.min_in_sync, topic.flush_ms), (2, 1_000));
        assert!(topic.unclean && topic.flushed());
    }
}
