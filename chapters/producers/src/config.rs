//! What a producer can be told, as types.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::window::{MAX_BYTES, MAX_RECORDS};

/// Which brokers must have a record before it counts as sent (`acks`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acks {
    /// Nobody is asked: a record that was written to the socket counts as sent.
    None,
    /// The leader of the partition.
    Leader,
    /// Each replica that is in sync.
    #[default]
    All,
}

/// How batches are compressed (`compression.type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// snappy.
    Snappy,
    /// LZ4.
    Lz4,
    /// Zstandard. It needs rdkafka's feature `zstd`, which this crate leaves to yours: without it the producer
    /// does not start, and its error names `compression.type`.
    Zstd,
}

/// A value that is not shown: `Debug` prints stars.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides this value from logs.
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Who the producer is to a broker that asks (SASL).
///
/// Set `security.protocol` in `extra` too: `sasl_ssl`, or `sasl_plaintext` where nobody listens. TLS and the
/// SCRAM mechanisms need rdkafka's feature `ssl`, which this crate leaves to yours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sasl {
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub mechanism: String,
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: Secret,
}

/// How a [`Producer`](crate::Producer) works.
///
/// The defaults lose nothing and double nothing as long as a broker answers within two minutes.
#[derive(Clone, PartialEq)]
pub struct ProducerConfig {
    /// `bootstrap.servers`: some brokers, as `host:port,host:port`.
    pub bootstrap_servers: String,
    /// `client.id`: the name in the broker's logs and quotas, and the label of the counters.
    pub client_id: String,
    /// `acks`.
    pub acks: Acks,
    /// `enable.idempotence`: batches are numbered, so that one that is sent twice is stored once, and
    /// retries keep the order.
    pub idempotence: bool,
    /// `max.in.flight.requests.per.connection`: requests without answer, 1 to 5 with idempotence.
    pub max_in_flight: u32,
    /// `compression.type`.
    pub compression: Compression,
    /// `linger.ms`: how long a batch waits to be filled. librdkafka's default is 5 ms.
    pub linger: Duration,
    /// `batch.size`: bytes of a batch at which it waits no longer. librdkafka's default is 1,000,000.
    ///
    /// Keep it below `max.message.bytes` of every topic: a broker refuses a batch that is larger, and with
    /// it each of its records, however small.
    pub batch_bytes: u32,
    /// `message.max.bytes`: the largest record, with some 40 bytes around its key, payload and headers. A
    /// broker's `message.max.bytes`, by default 1,048,588 bytes, is for a whole batch.
    pub max_record_bytes: u32,
    /// `delivery.timeout.ms`: how long a record may take, with all retries, before it has failed.
    pub delivery_timeout: Duration,
    /// `retry.backoff.ms`: the pause before the first retry; it doubles, with jitter, each time.
    pub retry_backoff: Duration,
    /// `retry.backoff.max.ms`: the longest pause.
    pub retry_backoff_max: Duration,
    /// The most records under way: `send` waits while there are so many.
    pub window_records: u32,
    /// The most bytes under way, of keys, payloads and headers: `send` waits while there are so many.
    pub window_bytes: u64,
    /// SASL, for brokers that ask who it is.
    pub sasl: Option<Sasl>,
    /// Further properties of librdkafka, as they are. One that a field above sets is refused, and so is
    /// `transactional.id`: transactions are not offered here.
    pub extra: BTreeMap<String, String>,
}

impl ProducerConfig {
    /// The defaults, for these brokers.
    pub fn new(bootstrap_servers: impl Into<String>) -> ProducerConfig {
        ProducerConfig {
            bootstrap_servers: bootstrap_servers.into(),
            client_id: "producers".to_owned(),
            acks: Acks::All,
            idempotence: true,
            max_in_flight: 5,
            compression: Compression::None,
            linger: Duration::from_millis(5),
            batch_bytes: 1_000_000,
            max_record_bytes: 1_000_000,
            delivery_timeout: Duration::from_secs(120),
            retry_backoff: Duration::from_millis(100),
            retry_backoff_max: Duration::from_secs(1),
            window_records: 100_000,
            window_bytes: 64 * 1024 * 1024,
            sasl: None,
            extra: BTreeMap::new(),
        }
    }

    /// Every rule that one field alone or several together must keep.
    ///
    /// # Errors
    ///
    /// The first rule that is broken, and what to set instead.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let rule = |kept: bool, field: &'static str, rule: String| {
            if kept { Ok(()) } else { Err(ConfigError { field, rule }) }
        };
        rule(
            !self.bootstrap_servers.trim().is_empty(),
            "bootstrap_servers",
            "name at least one broker, as host:port".to_owned(),
        )?;
        rule(
            !self.idempotence || self.acks == Acks::All,
            "acks",
            "idempotence needs Acks::All: without it a broker that dies forgets which batches it had".to_owned(),
        )?;
        rule(
            (1..=1_000_000).contains(&self.max_in_flight),
            "max_in_flight",
            "set 1 to 1,000,000 requests".to_owned(),
        )?;
        rule(
            !self.idempotence || self.max_in_flight <= 5,
            "max_in_flight",
            "idempotence needs 5 or less: a broker remembers the last five batches of a producer".to_owned(),
        )?;
        rule(
            (1_000..=1_000_000_000).contains(&self.max_record_bytes),
            "max_record_bytes",
            "set 1,000 to 1,000,000,000 bytes".to_owned(),
        )?;
        rule(
            (1..=MOST).contains(&self.batch_bytes),
            "batch_bytes",
            format!("set 1 to {MOST} bytes"),
        )?;
        rule(
            (1..=4_000_000).contains(&self.window_records)
                && u64::from(self.window_records) <= MAX_RECORDS,
            "window_records",
            "set 1 to 4,000,000 records".to_owned(),
        )?;
        let least = u64::from(self.max_record_bytes) * 2;
        rule(
            (least..=MAX_BYTES).contains(&self.window_bytes),
            "window_bytes",
            format!(
                "set {least}, twice max_record_bytes, to {MAX_BYTES}: the largest record must fit beside another"
            ),
        )?;
        // librdkafka counts in whole milliseconds.
        let (linger, delivery_timeout) =
            (self.linger.as_millis(), self.delivery_timeout.as_millis());
        rule(linger <= 900_000, "linger", "set at most 900 s".to_owned())?;
        rule(
            (linger + 1..=u128::from(MOST)).contains(&delivery_timeout),
            "delivery_timeout",
            format!(
                "set more than linger, {linger} ms, to {MOST} ms: a record must not time out while its batch fills"
            ),
        )?;
        rule(
            self.retry_backoff >= Duration::from_millis(1)
                && self.retry_backoff <= self.retry_backoff_max
                && self.retry_backoff_max <= Duration::from_secs(300),
            "retry_backoff",
            "set at least 1 ms, at most retry_backoff_max, and that to at most 300 s".to_owned(),
        )?;
        let owned = self.own_properties();
        // librdkafka would start, and refuse each record: nobody here begins a transaction.
        rule(
            !self.extra.contains_key("transactional.id"),
            "extra",
            "transactions are not offered here, so `transactional.id` would have each record refused: leave it out, or use rdkafka's producers"
                .to_owned(),
        )?;
        for key in self.extra.keys() {
            let ours = owned.contains_key(key.as_str())
                || ALIASES.contains(&key.as_str())
                || (self.sasl.is_some() && key == "sasl.mechanisms");
            rule(
                !ours,
                "extra",
                format!("`{key}` is set by a field of its own: use that"),
            )?;
        }
        let protocol = self.extra.get("security.protocol");
        rule(
            self.sasl.is_none()
                || protocol.is_some_and(|protocol| {
                    protocol.to_ascii_lowercase().starts_with("sasl_")
                }),
            "sasl",
            "set `security.protocol` in extra, to sasl_ssl or sasl_plaintext: without it the name is never sent".to_owned(),
        )?;
        Ok(())
    }

    /// The properties that librdkafka is given, passwords included: do not log them.
    pub fn properties(&self) -> BTreeMap<String, String> {
        let own = self.own_properties().into_iter();
        let mut all: BTreeMap<String, String> =
            own.map(|(key, value)| (key.to_owned(), value)).collect();
        all.extend(self.extra.clone());
        all
    }

    fn own_properties(&self) -> BTreeMap<&'static str, String> {
        let acks = match self.acks {
            Acks::None => "0",
            Acks::Leader => "1",
            Acks::All => "all",
        };
        let compression = match self.compression {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        };
        let ms = |duration: Duration| duration.as_millis().to_string();
        let mut own = BTreeMap::from([
            ("bootstrap.servers", self.bootstrap_servers.clone()),
            ("client.id", self.client_id.clone()),
            ("acks", acks.to_owned()),
            ("enable.idempotence", self.idempotence.to_string()),
            (
                "max.in.flight.requests.per.connection",
                self.max_in_flight.to_string(),
            ),
            ("compression.type", compression.to_owned()),
            ("linger.ms", ms(self.linger)),
            ("batch.size", self.batch_bytes.to_string()),
            ("message.max.bytes", self.max_record_bytes.to_string()),
            ("delivery.timeout.ms", ms(self.delivery_timeout)),
            ("retry.backoff.ms", ms(self.retry_backoff)),
            ("retry.backoff.max.ms", ms(self.retry_backoff_max)),
            // Ours is the bound that senders wait at. librdkafka frees a record after its report was
            // handled, so at the same limit it would say "queue full" while our window has room.
            (
                "queue.buffering.max.messages",
                (u64::from(self.window_records) * 2).max(1000).to_string(),
            ),
            (
                "queue.buffering.max.kbytes",
                (self.window_bytes.div_ceil(1024) * 2)
                    .clamp(1024, 2_147_483_647)
                    .to_string(),
            ),
        ]);
        if let Some(sasl) = &self.sasl {
            own.insert("sasl.mechanism", sasl.mechanism.clone());
            own.insert("sasl.username", sasl.username.clone());
            own.insert("sasl.password", sasl.password.0.clone());
        }
        own
    }
}

/// The most that librdkafka's numbers hold.
const MOST: u32 = i32::MAX as u32;

/// Other names that librdkafka has for what the fields set.
const ALIASES: [&str; 8] = [
    "metadata.broker.list",
    "request.required.acks",
    "max.in.flight",
    "compression.codec",
    "queue.buffering.max.ms",
    "message.timeout.ms",
    // Failed and successful reports both count: without one a record would never leave the window.
    "delivery.report.only.error",
    // It would end the producer for each record that fails for good.
    "enable.gapless.guarantee",
];

/// Shows every setting, and stars for what is or may be a secret.
impl fmt::Debug for ProducerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in self.properties() {
            let secret = [
                "password",
                "secret",
                "key",
                "token",
                "sasl.jaas",
                "oauth",
            ]
            .iter()
            .any(|part| key.contains(part));
            map.entry(
                &key,
                if secret { &"***" } else { &value as &dyn fmt::Debug },
            );
        }
        map.entry(&"window_records", &self.window_records);
        map.entry(&"window_bytes", &self.window_bytes);
        map.finish()
    }
}

/// A setting that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct ConfigError {
    /// The field of [`ProducerConfig`].
    pub field: &'static str,
    /// The rule, and what to set.
    pub rule: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(change: impl FnOnce(&mut ProducerConfig)) -> &'static str {
        let mut config = ProducerConfig::new("localhost:9092");
        assert_eq!(config.validate(), Ok(()));
        change(&mut config);
        config.validate().err().map_or("nothing", |error| error.field)
    }

    #[test]
    fn each_rule_names_its_field() {
        assert_eq!(
            broken(|c| c.bootstrap_servers.clear()),
            "bootstrap_servers"
        );
        assert_eq!(broken(|c| c.acks = Acks::Leader), "acks");
        assert_eq!(broken(|c| c.max_in_flight = 6), "max_in_flight");
        assert_eq!(broken(|c| c.max_in_flight = 0), "max_in_flight");
        assert_eq!(broken(|c| c.max_record_bytes = 1), "max_record_bytes");
        assert_eq!(broken(|c| c.batch_bytes = 0), "batch_bytes");
        assert_eq!(broken(|c| c.window_records = 0), "window_records");
        assert_eq!(broken(|c| c.window_bytes = 1_999_999), "window_bytes");
        assert_eq!(
            broken(|c| c.delivery_timeout = c.linger),
            "delivery_timeout"
        );
        assert_eq!(
            broken(|c| c.retry_backoff = Duration::ZERO),
            "retry_backoff"
        );
        assert_eq!(broken(|c| c.batch_bytes = u32::MAX), "batch_bytes");
        assert_eq!(
            broken(|c| c.linger = Duration::from_secs(901)),
            "linger"
        );
        let below_a_millisecond = Duration::from_micros(500);
        let soon = |c: &mut ProducerConfig| {
            (c.linger, c.delivery_timeout) =
                (Duration::ZERO, below_a_millisecond);
        };
        assert_eq!(broken(soon), "delivery_timeout");
        let name = |c: &mut ProducerConfig| {
            c.sasl = Some(Sasl {
                mechanism: "PLAIN".to_owned(),
                username: "checkout".to_owned(),
                password: Secret::new("pw-17"),
            });
        };
        assert_eq!(broken(name), "sasl");
        assert_eq!(
            broken(|c| {
                name(c);
                let protocol = "security.protocol".to_owned();
                c.extra.insert(protocol, "SASL_SSL".to_owned());
            }),
            "nothing"
        );
        for ours in ["acks", "metadata.broker.list"] {
            let set = |c: &mut ProducerConfig| {
                c.extra.insert(ours.to_owned(), "1".to_owned());
            };
            assert_eq!(broken(set), "extra");
        }
    }

    #[test]
    fn a_transactional_id_is_refused_with_its_own_reason() {
        let mut config = ProducerConfig::new("localhost:9092");
        config.extra.insert("transactional.id".into(), "till-1".into());
        let error = config.validate().err().map(|error| error.to_string());
        assert!(
            error.as_deref().is_some_and(|error| {
                error.starts_with("extra: transactions are not offered")
            }),
            "{error:?}"
        );
    }

    #[test]
    fn each_codec_is_valid_and_named() {
        for (compression, name) in [
            (Compression::None, "none"),
            (Compression::Gzip, "gzip"),
            (Compression::Snappy, "snappy"),
            (Compression::Lz4, "lz4"),
            (Compression::Zstd, "zstd"),
        ] {
            let mut config = ProducerConfig::new("localhost:9092");
            config.compression = compression;
            assert_eq!(config.validate(), Ok(()));
            assert_eq!(config.properties()["compression.type"], name);
        }
    }

    #[test]
    fn secrets_are_stars_in_debug_and_whole_in_properties() {
        let mut config = ProducerConfig::new("localhost:9092");
        config.sasl = Some(Sasl {
            mechanism: "PLAIN".to_owned(),
            username: "checkout".to_owned(),
            password: Secret::new("pw-17"),
        });
        config.extra.insert("ssl.key.pem".to_owned(), "pem-17".to_owned());
        let shown = format!("{config:?} {:?}", config.sasl);
        assert!(
            shown.contains("checkout") && !shown.contains("-17"),
            "{shown}"
        );
        assert_eq!(config.properties()["sasl.password"], "pw-17");
        assert_eq!(config.properties()["ssl.key.pem"], "pem-17");
    }
}
