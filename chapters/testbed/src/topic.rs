//! Topics: declared in one line, created on every kind of broker, and a test's own.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer};

use crate::cluster::{ADMIN_PATIENCE, Cluster};
use crate::eventually::{TimedOut, eventually};
use crate::kind::Kind;

/// How long a new topic may take until every partition has a leader.
const LEADERS_PATIENCE: Duration = Duration::from_secs(20);

/// A topic to be made, written `orders:6` (six partitions), or `orders` for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// How many partitions it gets, at least 1.
    pub partitions: i32,
    /// Topic configuration, such as `("cleanup.policy", "compact")`.
    pub config: Vec<(String, String)>,
}

/// A topic that cannot be read as `name:partitions`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{text:?} is not a topic: write NAME or NAME:PARTITIONS, letters, digits, '.', '_' and '-' only"
)]
pub struct BadTopic {
    /// The text as it was written.
    pub text: String,
}

/// Why a topic could not be made or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TopicError {
    /// The broker refused, or did not answer: then it may be created all the same.
    #[error("topic {topic} could not be created")]
    Create {
        /// The topic's name.
        topic: String,
        /// The broker's answer, or librdkafka's reason.
        #[source]
        cause: KafkaError,
    },
    /// The broker refused, or did not answer: then it may be deleted all the same.
    #[error("topic {topic} could not be deleted")]
    Delete {
        /// The topic's name.
        topic: String,
        /// The broker's answer, or librdkafka's reason.
        #[source]
        cause: KafkaError,
    },
    /// The cluster was asked which topics there are, and did not answer.
    #[error("the cluster does not say whether there is a topic {topic}")]
    Ask {
        /// The topic's name.
        topic: String,
        /// librdkafka's reason.
        #[source]
        cause: KafkaError,
    },
    /// It was created, and some partition got no leader in time.
    #[error(transparent)]
    NoLeader(#[from] TimedOut),
    /// The built-in broker keeps no topic configuration.
    #[error(
        "topic {topic} has configuration, which the built-in broker ignores: ask for \"admin\" in the needs"
    )]
    NoConfig {
        /// The topic's name.
        topic: String,
    },
    /// A built-in broker of another process: only its holder can create topics.
    #[error(
        "topic {topic} cannot be created on a built-in broker of another process"
    )]
    NotOurs {
        /// The topic's name.
        topic: String,
    },
}

impl FromStr for TopicSpec {
    type Err = BadTopic;

    fn from_str(text: &str) -> Result<Self, BadTopic> {
        let bad = || BadTopic { text: text.to_owned() };
        let (name, partitions) =
            text.split_once(':').unwrap_or((text, "1"));
        let partitions: i32 = partitions.parse().map_err(|_| bad())?;
        let legal = |c: char| {
            c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
        };
        if partitions < 1
            || name.is_empty()
            || name.len() > 249
            || !name.chars().all(legal)
        {
            return Err(bad());
        }
        Ok(TopicSpec {
            name: name.to_owned(),
            partitions,
            config: Vec::new(),
        })
    }
}

impl fmt::Display for TopicSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.partitions)
    }
}

impl Cluster {
    /// Creates a topic with up to three replicas, and waits until every partition has a leader.
    ///
    /// # Errors
    ///
    /// [`TopicError`]; `TopicAlreadyExists` is among the causes of [`TopicError::Create`].
    ///
    /// # Cancellation
    ///
    /// The topic may be created, or not, when the future is dropped.
    pub async fn create_topic(
        &self,
        topic: &TopicSpec,
    ) -> Result<(), TopicError> {
        let failed =
            |cause| TopicError::Create { topic: topic.name.clone(), cause };
        let replication = self.capabilities.brokers.clamp(1, 3) as i32;
        if let Some(embedded) = self.as_embedded() {
            if !topic.config.is_empty() {
                return Err(TopicError::NoConfig {
                    topic: topic.name.clone(),
                });
            }
            return embedded
                .create_topic(&topic.name, topic.partitions, replication)
                .map_err(failed);
        }
        if self.kind == Kind::Embedded {
            return Err(TopicError::NotOurs { topic: topic.name.clone() });
        }
        let admin = self.admin().map_err(failed)?;
        let mut new = NewTopic::new(
            &topic.name,
            topic.partitions,
            TopicReplication::Fixed(replication),
        );
        for (name, value) in &topic.config {
            new = new.set(name, value);
        }
        let options = admin_options();
        let results =
            admin.create_topics([&new], &options).await.map_err(failed)?;
        for result in results {
            result
                .map_err(|(_, code)| failed(KafkaError::AdminOp(code)))?;
        }
        self.wait_for_leaders(topic).await
    }

    /// True if a broker knows a topic of this name, and lets us know. What was created or deleted a
    /// moment ago it may not have heard of yet.
    ///
    /// # Errors
    ///
    /// [`TopicError::Ask`] if no broker answers within 15 s.
    ///
    /// # Cancellation
    ///
    /// Safe: it only asks.
    pub async fn has_topic(&self, name: &str) -> Result<bool, TopicError> {
        let failed =
            |cause| TopicError::Ask { topic: name.to_owned(), cause };
        let client: BaseProducer =
            self.client_config().create().map_err(failed)?;
        // For all of them: a cluster may create a topic that it is asked for by its name.
        let look =
            move || client.client().fetch_metadata(None, ADMIN_PATIENCE);
        // The only other end of a blocking task is a runtime that shuts down.
        let cancelled =
            KafkaError::MetadataFetch(RDKafkaErrorCode::BrokerDestroy);
        let metadata = tokio::task::spawn_blocking(look)
            .await
            .unwrap_or(Err(cancelled))
            .map_err(failed)?;
        Ok(metadata.topics().iter().any(|topic| topic.name() == name))
    }

    /// Deletes a topic. One that is not there counts as deleted.
    ///
    /// # Errors
    ///
    /// [`TopicError::Delete`].
    ///
    /// # Cancellation
    ///
    /// The topic may be deleted, or not, when the future is dropped.
    pub async fn delete_topic(&self, name: &str) -> Result<(), TopicError> {
        let failed =
            |cause| TopicError::Delete { topic: name.to_owned(), cause };
        let options = admin_options();
        let results = self
            .admin()
            .map_err(failed)?
            .delete_topics(&[name], &options)
            .await
            .map_err(failed)?;
        for result in results {
            match result {
                Ok(_)
                | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
                Err((_, code)) => {
                    return Err(failed(KafkaError::AdminOp(code)));
                }
            }
        }
        Ok(())
    }

    fn admin(
        &self,
    ) -> Result<AdminClient<DefaultClientContext>, KafkaError> {
        self.client_config().create()
    }

    /// A broker answers a creation before every broker knows of it: clients that ask early are
    /// told that there is no such partition, or that it has no leader.
    async fn wait_for_leaders(
        &self,
        topic: &TopicSpec,
    ) -> Result<(), TopicError> {
        let failed =
            |cause| TopicError::Create { topic: topic.name.clone(), cause };
        let client: BaseConsumer =
            self.client_config().create().map_err(failed)?;
        let client = std::sync::Arc::new(client);
        let what = format!(
            "a leader for each of the {} partitions of {}",
            topic.partitions, topic.name
        );
        let wanted = topic.partitions as usize;
        eventually(LEADERS_PATIENCE, &what, async || {
            let (client, name) = (client.clone(), topic.name.clone());
            let look = move || {
                client.fetch_metadata(Some(&name), Duration::from_secs(2))
            };
            let metadata = match tokio::task::spawn_blocking(look).await {
                Ok(answer) => answer.map_err(|error| error.to_string())?,
                Err(error) => return Err(error.to_string()),
            };
            let led = metadata
                .topics()
                .iter()
                .flat_map(|topic| topic.partitions())
                .filter(|partition| {
                    partition.leader() >= 0 && partition.error().is_none()
                })
                .count();
            if led == wanted {
                Ok(())
            } else {
                Err(format!("{led} of {wanted} have one"))
            }
        })
        .await?;
        Ok(())
    }
}

fn admin_options() -> AdminOptions {
    // The second is how long the broker waits; the first, how long the client waits for the broker.
    AdminOptions::new()
        .request_timeout(Some(ADMIN_PATIENCE))
        .operation_timeout(Some(ADMIN_PATIENCE))
}

/// A topic of one test, with a name that no other test has.
///
/// On a cluster that somebody else runs ([`Kind::External`]) it is deleted with this value, also
/// when the test panics; elsewhere it ends with the cluster, and deleting it would only cost time.
pub struct TestTopic {
    name: String,
    cluster: Cluster,
}

impl TestTopic {
    /// Creates a topic `<test>.<name>-<unique>` with this many partitions.
    ///
    /// # Errors
    ///
    /// [`TopicError`].
    pub async fn new(
        cluster: &Cluster,
        name: &str,
        partitions: i32,
    ) -> Result<TestTopic, TopicError> {
        Self::with(
            cluster,
            TopicSpec {
                name: name.to_owned(),
                partitions,
                config: Vec::new(),
            },
        )
        .await
    }

    /// Creates a topic with configuration; `spec.name` is made unique as in [`TestTopic::new`].
    ///
    /// # Errors
    ///
    /// [`TopicError`].
    pub async fn with(
        cluster: &Cluster,
        mut spec: TopicSpec,
    ) -> Result<TestTopic, TopicError> {
        spec.name = unique_name(&spec.name);
        // Before it is asked for: a creation that is given up may still happen.
        let topic =
            TestTopic { name: spec.name.clone(), cluster: cluster.clone() };
        cluster.create_topic(&spec).await?;
        Ok(topic)
    }

    /// A unique name, as in [`TestTopic::new`], for a topic that the test's own code creates, or does not.
    pub fn to_be_created(cluster: &Cluster, name: &str) -> TestTopic {
        TestTopic { name: unique_name(name), cluster: cluster.clone() }
    }

    /// The topic's full name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TestTopic {
    fn drop(&mut self) {
        if self.cluster.kind != Kind::External {
            return;
        }
        // The admin client answers from a thread of its own, so that waiting here needs no runtime
        // and works while a panic unwinds.
        if let Err(error) = futures::executor::block_on(
            self.cluster.delete_topic(&self.name),
        ) {
            tracing::warn!(%error, topic = self.name, "the topic of a test is left behind");
        }
    }
}

/// A name for a topic, group or transactional id that no other test and no other run uses:
/// the running test's path, `name`, and a suffix from process, time and count.
pub fn unique_name(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let thread = std::thread::current();
    let test: String = thread
        .name()
        .filter(|test| *test != "main")
        .unwrap_or("run")
        .replace("::", ".")
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
                c
            } else {
                '_'
            }
        })
        .collect();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_micros());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let suffix = format!("{name}-{:x}-{now:x}-{count}", std::process::id());
    // Kafka's limit is 249 characters; what makes the name unique is at its end.
    let room = 249usize.saturating_sub(suffix.len() + 1);
    format!("{}.{suffix}", &test[..test.len().min(room)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_written_with_and_without_partitions() {
        let six: TopicSpec = "orders:6".parse().unwrap();
        assert_eq!((six.name.as_str(), six.partitions), ("orders", 6));
        assert_eq!(
            "orders".parse::<TopicSpec>().unwrap().to_string(),
            "orders:1"
        );
        for bad in
            ["", ":3", "orders:0", "orders:many", "two words", "ünlegal"]
        {
            assert_eq!(
                bad.parse::<TopicSpec>(),
                Err(BadTopic { text: bad.to_owned() })
            );
        }
    }

    #[test]
    fn names_say_which_test_they_belong_to_and_never_repeat() {
        let (one, two) = (unique_name("orders"), unique_name("orders"));
        assert!(one.starts_with("topic.tests.names_say_which_test_they_belong_to_and_never_repeat.orders-"), "{one}");
        assert_ne!(one, two);
        assert!(unique_name(&"x".repeat(220)).len() <= 249);
    }
}
