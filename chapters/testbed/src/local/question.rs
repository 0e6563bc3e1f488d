//! Questions to a cluster, over the brokers' own listener.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// What a broker says of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct View {
    /// Every broker that the controller counts as alive: number and address on this listener.
    pub brokers: Vec<(i32, String)>,
    /// The partitions of the topic that was asked for.
    pub partitions: Vec<PartitionView>,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartitionView {
    pub id: i32,
    /// `None` while there is none.
    pub leader: Option<u32>,
    pub in_sync: Vec<u32>,
}

/// A client that reports through its results only: while brokers start and die, refused connections
/// are no news.
struct Silent;

impl ClientContext for Silent {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ConsumerContext for Silent {}

/// Asks the brokers at `bootstrap` for the cluster and, if it is named, one topic.
///
/// # Errors
///
/// librdkafka's, within `patience`.
pub(crate) async fn ask(bootstrap: String, topic: Option<String>, patience: Duration) -> Result<View, KafkaError> {
    let work = move || ask_blocking(&bootstrap, topic.as_deref(), patience);
    // The only other end of a blocking task is a runtime that shuts down.
    let cancelled = KafkaError::MetadataFetch(RDKafkaErrorCode::BrokerDestroy);
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(cancelled))
}

fn ask_blocking(bootstrap: &str, topic: Option<&str>, patience: Duration) -> Result<View, KafkaError> {
    let client: BaseConsumer<Silent> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        // A question must not create what it asks for.
        .set("allow.auto.create.topics", "false")
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "100")
        .set_log_level(RDKafkaLogLevel::Emerg)
        .create_with_context(Silent)?;
    let metadata = client.fetch_metadata(topic, patience)?;
    let number = |id: &i32| u32::try_from(*id).ok();
    Ok(View {
        brokers: metadata
            .brokers()
            .iter()
            .map(|broker| (broker.id(), format!("{}:{}", broker.host(), broker.port())))
            .collect(),
        partitions: metadata
            .topics()
            .iter()
            .filter(|found| Some(found.name()) == topic)
            .flat_map(|topic| topic.partitions())
            .map(|partition| PartitionView {
                id: partition.id(),
                leader: number(&partition.leader()),
                in_sync: partition.isr().iter().filter_map(number).collect(),
            })
            .collect(),
    })
}
