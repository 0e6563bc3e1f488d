//! A topic's settings, asked of the cluster that has it.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::settings::{SettingsError, Topic};

/// Why a topic could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// librdkafka knows a property not, or not with this value, or not in this build. The value is not
    /// shown: it may be a password.
    #[error("librdkafka refuses the property {property}: {why}")]
    Property {
        /// The property.
        property: String,
        /// What librdkafka said.
        why: String,
    },
    /// librdkafka refuses the client's configuration.
    #[error("the client's configuration is refused")]
    Client(#[source] KafkaError),
    /// No broker answered.
    #[error(
        "the cluster does not answer: look at bootstrap.servers, whether a broker runs, and whether it wants TLS or a password"
    )]
    Cluster(#[source] KafkaError),
    /// The cluster has no such topic, or hides it: to a client without the right it says the same.
    #[error(
        "there is no topic {topic}, or this client may not see it (ACL operation Describe): look at its name"
    )]
    NoTopic {
        /// Its name.
        topic: String,
    },
    /// The cluster does not tell this client.
    #[error(
        "the configuration of topic {topic} is not told: {code}{}", needs(*code)
    )]
    Refused {
        /// Its name.
        topic: String,
        /// The broker's answer.
        code: RDKafkaErrorCode,
    },
    /// The broker's answer cannot be meant.
    #[error("topic {topic} has settings that cannot be read")]
    Settings {
        /// Its name.
        topic: String,
        /// Which.
        #[source]
        cause: SettingsError,
    },
    /// The runtime ended while the cluster was asked.
    #[error("the program ended before the cluster had answered")]
    Shutdown,
}

/// Without the value of a property: it may be a password.
fn refused(error: KafkaError) -> LiveError {
    match error {
        KafkaError::ClientConfig(_, why, property, _) => {
            LiveError::Property { property, why }
        }
        error => LiveError::Client(error),
    }
}

/// What an answer asks for.
fn needs(code: RDKafkaErrorCode) -> &'static str {
    match code {
        RDKafkaErrorCode::TopicAuthorizationFailed => {
            ". It needs the ACL operation DescribeConfigs"
        }
        _ => "",
    }
}

/// Reads a topic's replicas, in-sync replicas and configuration: of several partitions, what the weakest
/// has. `min.insync.replicas` and the flush settings are those that hold, whether the topic, the broker or
/// Kafka's default sets them.
///
/// Whether the cluster keeps eligible leader replicas (KIP-966) is no topic's setting, and librdkafka cannot
/// ask for it: [`Topic::eligible`] is `true`, the default since Kafka 4.1.
///
/// # Errors
/// [`LiveError`] says what is missing, and what to do.
///
/// # Cancellation
/// Safe: it only asks. A thread of the runtime asks on, for `patience` at most.
pub async fn topic(
    config: &ClientConfig,
    name: &str,
    patience: Duration,
) -> Result<Topic, LiveError> {
    let admin: AdminClient<DefaultClientContext> =
        config.create().map_err(refused)?;
    let options = AdminOptions::new().request_timeout(Some(patience));
    let answers = admin
        .describe_configs([&ResourceSpecifier::Topic(name)], &options)
        .await
        .map_err(LiveError::Cluster)?;
    let mut properties = Vec::new();
    for answer in answers {
        let found = answer.map_err(|code| match code {
            RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic => {
                LiveError::NoTopic { topic: name.to_owned() }
            }
            code => LiveError::Refused { topic: name.to_owned(), code },
        })?;
        let entries = found.entries.into_iter();
        properties.extend(entries.filter_map(|entry| {
            entry.value.map(|value| (entry.name, value))
        }));
    }
    // Of all topics: to ask for one by its name would create it where it is not there.
    let ask = move || admin.inner().fetch_metadata(None, patience);
    let metadata = tokio::task::spawn_blocking(ask)
        .await
        .map_err(|_| LiveError::Shutdown)?
        .map_err(LiveError::Cluster)?;
    let mut topics = metadata.topics().iter();
    let found = topics.find(|topic| topic.name() == name);
    let mut partitions =
        found.into_iter().flat_map(|topic| topic.partitions());
    let first = partitions
        .next()
        .ok_or_else(|| LiveError::NoTopic { topic: name.to_owned() })?;
    let sizes = |partition: &rdkafka::metadata::MetadataPartition| {
        (partition.replicas().len(), partition.isr().len())
    };
    let least = partitions
        .map(sizes)
        .fold(sizes(first), |a, b| (a.0.min(b.0), a.1.min(b.1)));
    let pairs = properties.iter();
    let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str()));
    Topic::read(least.0, least.1, pairs).map_err(|cause| {
        LiveError::Settings { topic: name.to_owned(), cause }
    })
}
