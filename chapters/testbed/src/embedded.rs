//! The built-in broker: librdkafka's mock cluster, in this process, in a millisecond.
//!
//! It speaks the real protocol on loopback ports, so clients of other processes can use it too.
//! What it cannot do is not claimed: see [`Kind::Embedded`]'s
//! capabilities. Its logs are trimmed in silence past 5 MiB or 100 000 records a partition;
//! [`Embedded::trimmed`] finds out, and dropping a cluster with a trimmed log panics, because a
//! test that counts records on it has counted wrong.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::Client;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, DefaultProducerContext, Producer};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::cluster::Connection;
use crate::ffi;
use crate::kind::Kind;
use crate::needs::Capabilities;

/// How long a look at the mock's own metadata may take: it answers in a millisecond or not at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// The mock dropped the oldest records of some partitions.
#[derive(Debug, thiserror::Error)]
#[error(
    "the built-in broker dropped the oldest records of {}: it holds 4 MiB or 90 000 records a \
     partition. Use a real Kafka (--broker local), or add \"volume\" to the needs",
    partitions.join(", ")
)]
pub struct TrimmedLog {
    /// As `topic:partition`.
    pub partitions: Vec<String>,
}

/// A mock cluster, alive as long as this value.
pub struct Embedded {
    /// The client that owns the mock cluster: librdkafka ends it with the client.
    holder: BaseProducer,
    connection: Connection,
    /// Set once [`Embedded::trimmed`] has told somebody, so that dropping need not shout as well.
    told: AtomicBool,
    /// Set once a fault was injected: then the brokers may not answer.
    disturbed: AtomicBool,
}

impl Embedded {
    /// Starts a mock cluster of this many brokers.
    ///
    /// A group forms at once: the 3 s for which a broker waits for more members are set to 0.
    ///
    /// # Errors
    ///
    /// What librdkafka says when it cannot listen on loopback.
    pub fn start(brokers: u32) -> Result<Embedded, KafkaError> {
        let holder: BaseProducer = ClientConfig::new()
            .set("test.mock.num.brokers", brokers.to_string())
            // It asks again soon where a test took a broker away for a while.
            .set("reconnect.backoff.max.ms", "100")
            .create()?;
        ffi::set_initial_rebalance_delay(holder.client(), Duration::ZERO);
        let connection = Connection {
            kind: Kind::Embedded,
            version: None,
            bootstrap: mock(holder.client())?.bootstrap_servers(),
            capabilities: Capabilities {
                brokers,
                ..Kind::Embedded.capabilities()
            },
            properties: BTreeMap::new(),
        };
        Ok(Embedded {
            holder,
            connection,
            told: AtomicBool::new(false),
            disturbed: AtomicBool::new(false),
        })
    }

    /// How to reach it.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Creates a topic. Only the process that holds the mock can: it answers no admin request.
    ///
    /// # Errors
    ///
    /// `TopicAlreadyExists`, or what else the mock refuses.
    pub fn create_topic(
        &self,
        name: &str,
        partitions: i32,
        replication: i32,
    ) -> Result<(), KafkaError> {
        self.mock()?.create_topic(name, partitions, replication)
    }

    /// The next requests of this kind are answered with these errors, one after the other.
    ///
    /// # Errors
    ///
    /// What librdkafka says when its mock is gone.
    pub fn fail_next(
        &self,
        request: RDKafkaApiKey,
        errors: &[RDKafkaRespErr],
    ) -> Result<(), KafkaError> {
        self.disturbed.store(true, Ordering::Relaxed);
        self.mock()?.request_errors(request, errors);
        Ok(())
    }

    /// Takes back what [`fail_next`](Embedded::fail_next) announced and did not use.
    ///
    /// # Errors
    ///
    /// What librdkafka says when its mock is gone.
    pub fn fail_no_more(
        &self,
        request: RDKafkaApiKey,
    ) -> Result<(), KafkaError> {
        self.mock()?.clear_request_errors(request);
        Ok(())
    }

    /// Each answer of this broker (1, 2, …) comes this much later.
    ///
    /// # Errors
    ///
    /// An unknown broker.
    pub fn round_trip_time(
        &self,
        broker: i32,
        delay: Duration,
    ) -> Result<(), KafkaError> {
        self.disturbed.store(true, Ordering::Relaxed);
        self.mock()?.broker_round_trip_time(broker, delay)
    }

    /// The broker closes its connections and takes no new ones.
    ///
    /// # Errors
    ///
    /// An unknown broker.
    pub fn broker_down(&self, broker: i32) -> Result<(), KafkaError> {
        self.disturbed.store(true, Ordering::Relaxed);
        self.mock()?.broker_down(broker)
    }

    /// The broker takes connections again.
    ///
    /// # Errors
    ///
    /// An unknown broker.
    pub fn broker_up(&self, broker: i32) -> Result<(), KafkaError> {
        self.mock()?.broker_up(broker)
    }

    /// The partitions, as `topic:partition`, from which the mock has dropped records.
    ///
    /// # Errors
    ///
    /// When the mock does not answer: then nobody knows.
    pub fn trimmed(&self) -> Result<Vec<String>, KafkaError> {
        let client = self.holder.client();
        let metadata = client.fetch_metadata(None, PATIENCE)?;
        let mut trimmed = Vec::new();
        for topic in metadata.topics() {
            for partition in topic.partitions() {
                let (low, _) = client.fetch_watermarks(
                    topic.name(),
                    partition.id(),
                    PATIENCE,
                )?;
                if low > 0 {
                    trimmed.push(format!(
                        "{}:{}",
                        topic.name(),
                        partition.id()
                    ));
                }
            }
        }
        self.told.fetch_or(!trimmed.is_empty(), Ordering::Relaxed);
        Ok(trimmed)
    }

    /// Takes back what was done to the brokers, so that they answer.
    fn heal(&self) {
        let Ok(mock) = self.mock() else { return };
        for broker in 1..=self.connection.capabilities.brokers as i32 {
            // An error means that there is no such broker: then nothing was done to it.
            let _ = mock.broker_up(broker);
            let _ = mock.broker_round_trip_time(broker, Duration::ZERO);
        }
        mock.clear_request_errors(RDKafkaApiKey::Metadata);
        mock.clear_request_errors(RDKafkaApiKey::ListOffsets);
    }

    fn mock(
        &self,
    ) -> Result<MockCluster<'_, DefaultProducerContext>, KafkaError> {
        mock(self.holder.client())
    }
}

fn mock(
    client: &Client<DefaultProducerContext>,
) -> Result<MockCluster<'_, DefaultProducerContext>, KafkaError> {
    client.mock_cluster().ok_or(KafkaError::MockCluster(
        RDKafkaErrorCode::UnsupportedFeature,
    ))
}

impl Drop for Embedded {
    /// # Panics
    ///
    /// If the mock dropped records and nobody asked: a test that counts on it has counted wrong.
    fn drop(&mut self) {
        if std::thread::panicking() || self.told.load(Ordering::Relaxed) {
            return;
        }
        if self.disturbed.load(Ordering::Relaxed) {
            self.heal();
        }
        match self.trimmed() {
            Ok(partitions) => {
                assert!(
                    partitions.is_empty(),
                    "{}",
                    TrimmedLog { partitions }
                );
            }
            Err(error) => {
                tracing::error!(%error, "nobody knows whether the built-in broker dropped records");
            }
        }
    }
}
