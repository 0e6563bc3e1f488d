//! Questions to a cluster, over the brokers' own listener.

use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{
    BaseProducer, DeliveryResult, Producer, ProducerContext,
};
use rdkafka::{ClientConfig, TopicPartitionList};

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

impl ProducerContext for Silent {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// Asks the brokers at `bootstrap` for the cluster and, if it is named, one topic.
///
/// # Errors
///
/// librdkafka's, within `patience`.
pub(crate) async fn ask(
    bootstrap: String,
    topic: Option<String>,
    patience: Duration,
) -> Result<View, KafkaError> {
    off_runtime(move || {
        ask_blocking(&bootstrap, topic.as_deref(), patience)
    })
    .await
}

/// Lets the cluster create its topic of group offsets, and waits until a group's coordinator answers.
///
/// The first group of a new cluster would do the same, but a client that joins while the
/// coordinator is still loading is told so, and librdkafka waits 3 seconds before it tries again.
///
/// # Errors
///
/// librdkafka's, within `patience`.
pub(crate) async fn load_groups(
    bootstrap: String,
    patience: Duration,
) -> Result<(), KafkaError> {
    off_runtime(move || {
        let start = Instant::now();
        // The first try makes the broker create the topic. A client that was told to wait asks again
        // after a second, a new one at once: so the tries are short, and grow for a slow machine.
        let mut short = Duration::from_millis(100);
        loop {
            let left = patience.saturating_sub(start.elapsed());
            match load_groups_once(&bootstrap, short.min(left)) {
                Err(error) if left.is_zero() || is_refusal(&error) => {
                    return Err(error);
                }
                Err(_) => short *= 2,
                Ok(()) => return Ok(()),
            }
        }
    })
    .await
}

/// True if an authorizer said no.
fn is_refusal(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{
        ClusterAuthorizationFailed, GroupAuthorizationFailed,
        TopicAuthorizationFailed,
    };
    let refusals = [
        ClusterAuthorizationFailed,
        GroupAuthorizationFailed,
        TopicAuthorizationFailed,
    ];
    error.rdkafka_error_code().is_some_and(|code| refusals.contains(&code))
}

fn load_groups_once(
    bootstrap: &str,
    patience: Duration,
) -> Result<(), KafkaError> {
    let client: BaseConsumer<Silent> = quiet(bootstrap)
        .set("group.id", "testbed")
        .create_with_context(Silent)?;
    let mut anything = TopicPartitionList::new();
    anything.add_partition("anything", 0);
    let result = client.committed_offsets(
        anything,
        patience.max(Duration::from_millis(1)),
    );
    // A consumer takes 100 ms to close; nobody needs to wait for that.
    std::thread::spawn(move || drop(client));
    result.map(drop)
}

/// Runs what blocks where it may.
async fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KafkaError> + Send + 'static,
) -> Result<T, KafkaError> {
    // The only other end of a blocking task is a runtime that shuts down.
    let cancelled =
        KafkaError::MetadataFetch(RDKafkaErrorCode::BrokerDestroy);
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(cancelled))
}

fn quiet(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "100")
        .set_log_level(RDKafkaLogLevel::Emerg);
    config
}

fn ask_blocking(
    bootstrap: &str,
    topic: Option<&str>,
    patience: Duration,
) -> Result<View, KafkaError> {
    // A producer asks and closes at once; a consumer takes 100 ms to close.
    let client: BaseProducer<Silent> = quiet(bootstrap)
        // A question must not create what it asks for.
        .set("allow.auto.create.topics", "false")
        .create_with_context(Silent)?;
    let metadata = client.client().fetch_metadata(topic, patience)?;
    let number = |id: &i32| u32::try_from(*id).ok();
    Ok(View {
        brokers: metadata
            .brokers()
            .iter()
            .map(|broker| {
                (
                    broker.id(),
                    format!("{}:{}", broker.host(), broker.port()),
                )
            })
            .collect(),
        partitions: metadata
            .topics()
            .iter()
            .filter(|found| Some(found.name()) == topic)
            .flat_map(|topic| topic.partitions())
            .map(|partition| PartitionView {
                id: partition.id(),
                leader: number(&partition.leader()),
                in_sync: partition
                    .isr()
                    .iter()
                    .filter_map(number)
                    .collect(),
            })
            .collect(),
    })
}
