//! The cluster's side: what it has, and making it what was declared.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigResource, ConfigSource,
    NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::actual::{Actual, Setting};
use crate::danger::Allow;
use crate::declared::{Declared, Topic, TopicName};
use crate::plan::{Change, Plan, Refusal, plan};

/// How long a broker may take for one request, and all of them until they tell of a change.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Why a cluster was not read or not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// The cluster did not answer.
    #[error(
        "the cluster did not answer: check the brokers' address, and whether one runs"
    )]
    NoAnswer(#[source] KafkaError),
    /// The brokers do not tell what a topic has.
    #[error(
        "{topic}: its configuration is not told: {code}{}", needs(*code)
    )]
    NotTold {
        /// The topic.
        topic: TopicName,
        /// Their answer.
        code: RDKafkaErrorCode,
    },
    /// The plan has a difference that cannot be mended. Nothing was changed.
    #[error("{topic}: {refusal}; nothing was changed")]
    Refused {
        /// The topic.
        topic: TopicName,
        /// Why.
        refusal: Refusal,
    },
    /// The plan has a change that costs something, and nobody said yes to it. Nothing was changed.
    #[error(
        "{topic}: this {danger}, and was not allowed; nothing was changed"
    )]
    NotAllowed {
        /// The topic.
        topic: TopicName,
        /// What it costs.
        danger: crate::Danger,
    },
    /// A change failed. The changes before it, in `applied`, were made.
    #[error("{topic}: {what} failed after {} changes; plan again to see what is left", applied.len())]
    Failed {
        /// The topic.
        topic: TopicName,
        /// What was to be done.
        what: &'static str,
        /// What had been done before.
        applied: Vec<Applied>,
        /// The broker's answer, or that there was none: then it may have been done all the same.
        #[source]
        cause: KafkaError,
    },
    /// The brokers took every change, and do not tell of all of them.
    #[error("{} changes were accepted and are not all seen in time; plan again to see what is left", applied.len())]
    NotSeen {
        /// What was accepted.
        applied: Vec<Applied>,
        /// What the last look failed with, if it failed.
        #[source]
        cause: Option<KafkaError>,
    },
    /// The runtime ended meanwhile.
    #[error("the program is ending")]
    Ending,
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

/// A change that a broker has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The topic.
    pub topic: TopicName,
    /// What was done.
    pub change: Change,
}

/// A client for a cluster's topics.
#[derive(Clone)]
pub struct Admin {
    client: Arc<AdminClient<DefaultClientContext>>,
    options: Arc<AdminOptions>,
    patience: Duration,
}

impl Admin {
    /// A client with this configuration; it connects when it is first asked.
    ///
    /// # Errors
    /// A configuration that librdkafka refuses.
    pub fn new(config: &ClientConfig) -> Result<Admin, KafkaError> {
        Self::with_patience(config, PATIENCE)
    }

    /// As [`Admin::new`], with another patience than 30 s: for each answer of the cluster, and until
    /// it tells of a change.
    ///
    /// # Errors
    /// A configuration that librdkafka refuses.
    pub fn with_patience(
        config: &ClientConfig,
        patience: Duration,
    ) -> Result<Admin, KafkaError> {
        // The second is how long the brokers wait until all know of it.
        let options = AdminOptions::new()
            .request_timeout(Some(patience))
            .operation_timeout(Some(patience));
        Ok(Admin {
            client: Arc::new(config.create()?),
            options: Arc::new(options),
            patience,
        })
    }

    /// What the cluster has of these topics; those that it has not are left out.
    ///
    /// # Errors
    /// [`AdminError::NoAnswer`], [`AdminError::NotTold`], and
    /// [`AdminError::Ending`] while the runtime shuts down.
    ///
    /// # Cancellation
    /// Safe: it only asks. A thread of the runtime asks on, for `patience` at most, and a runtime that is dropped
    /// waits for it.
    pub async fn read<'a>(
        &self,
        names: impl IntoIterator<Item = &'a TopicName>,
    ) -> Result<BTreeMap<TopicName, Actual>, AdminError> {
        let counts = self.counts().await?;
        let found: Vec<&TopicName> = names
            .into_iter()
            .filter(|name| counts.contains_key(name.as_str()))
            .collect();
        if found.is_empty() {
            return Ok(BTreeMap::new());
        }
        let resources: Vec<_> = found
            .iter()
            .map(|name| ResourceSpecifier::Topic(name.as_str()))
            .collect();
        let described = self
            .client
            .describe_configs(&resources, &self.options)
            .await
            .map_err(AdminError::NoAnswer)?;
        let mut actual = BTreeMap::new();
        for (name, resource) in found.into_iter().zip(described) {
            let configs = match resource {
                Ok(resource) => settings(resource),
                // Deleted between the two questions.
                Err(RDKafkaErrorCode::UnknownTopicOrPartition) => continue,
                Err(code) => {
                    let topic = name.clone();
                    return Err(AdminError::NotTold { topic, code });
                }
            };
            let (partitions, replication_factor) = counts[name.as_str()];
            actual.insert(
                name.clone(),
                Actual { partitions, replication_factor, configs },
            );
        }
        Ok(actual)
    }

    /// Compares what is declared with what the cluster has.
    ///
    /// # Errors
    /// [`AdminError::NoAnswer`], [`AdminError::NotTold`], and
    /// [`AdminError::Ending`] while the runtime shuts down.
    ///
    /// # Cancellation
    /// Safe: it only asks. A thread of the runtime asks on, for `patience` at most, and a runtime that is dropped
    /// waits for it.
    pub async fn plan(
        &self,
        declared: &Declared,
    ) -> Result<Plan, AdminError> {
        let names = declared.topics.iter().map(|topic| &topic.name);
        Ok(plan(declared, &self.read(names).await?))
    }

    /// Compares, and makes the changes, if all of them can be made and are
    /// allowed; else none. Returns when the brokers tell of all of them.
    ///
    /// # Errors
    /// [`AdminError::Refused`], [`AdminError::NotAllowed`] and what
    /// [`Admin::read`] fails with: nothing was changed.
    /// [`AdminError::Failed`] and [`AdminError::NotSeen`]: what they list
    /// was changed. Applied again, the rest is.
    ///
    /// # Cancellation
    /// Not safe: the changes made by then stay, and nothing says which. Plan
    /// again to see what is left.
    pub async fn apply(
        &self,
        declared: &Declared,
        allow: Allow,
    ) -> Result<Vec<Applied>, AdminError> {
        let planned = self.plan(declared).await?;
        if let Some((topic, refusal)) = planned.refused().next() {
            let topic = topic.clone();
            return Err(AdminError::Refused { topic, refusal });
        }
        for (topic, change) in planned.not_allowed(allow) {
            if let Some(danger) = change.danger() {
                let topic = topic.clone();
                return Err(AdminError::NotAllowed { topic, danger });
            }
        }
        let applied = self.make(&planned).await?;
        self.wait_until_seen(declared, applied).await
    }

    /// Makes the changes of a plan, one topic after the other.
    async fn make(&self, plan: &Plan) -> Result<Vec<Applied>, AdminError> {
        let mut applied = Vec::new();
        for topic in &plan.topics {
            let mut changes = &topic.changes[..];
            while let Some(first) = changes.first() {
                // One request sets all settings of a topic.
                let same = changes
                    .iter()
                    .take_while(|change| {
                        matches!(change, Change::Config { .. })
                    })
                    .count();
                let (now, later) = changes.split_at(same.max(1));
                let done = match first {
                    Change::Create(new) => {
                        ("creating it", self.create(new).await)
                    }
                    Change::Config { .. } => (
                        "changing its configuration",
                        self.configure(&topic.name, now).await,
                    ),
                    Change::AddPartitions { to, .. } => (
                        "adding partitions",
                        self.add_partitions(&topic.name, *to).await,
                    ),
                    // `apply` has looked; a plan with one is not made.
                    Change::Refused(_) => ("", Ok(())),
                };
                if let (what, Err(cause)) = done {
                    let topic = topic.name.clone();
                    return Err(AdminError::Failed {
                        topic,
                        what,
                        applied,
                        cause,
                    });
                }
                applied.extend(now.iter().map(|change| Applied {
                    topic: topic.name.clone(),
                    change: change.clone(),
                }));
                changes = later;
            }
        }
        Ok(applied)
    }

    async fn create(&self, topic: &Topic) -> Result<(), KafkaError> {
        let mut new = NewTopic::new(
            topic.name.as_str(),
            topic.partitions.get(),
            TopicReplication::Fixed(topic.replication_factor.get()),
        );
        for (name, value) in &topic.configs {
            new = new.set(name, value.as_str());
        }
        let results =
            self.client.create_topics([&new], &self.options).await?;
        only(results)
    }

    // ANCHOR: configure
    /// AlterConfigs replaces: what the request does not name falls back to
    /// the default. So everything that is set on the topic goes into it,
    /// read just before. A change that somebody else makes between the two
    /// requests is lost; the incremental form, which rdkafka does not have,
    /// would not lose it.
    async fn configure(
        &self,
        topic: &TopicName,
        changes: &[Change],
    ) -> Result<(), KafkaError> {
        let resource = ResourceSpecifier::Topic(topic.as_str());
        let described =
            self.client.describe_configs([&resource], &self.options);
        let mut configs: BTreeMap<String, String> = BTreeMap::new();
        for resource in described.await? {
            let found = settings(resource.map_err(KafkaError::AdminOp)?);
            let set = found.into_iter().filter(|(_, of)| of.on_topic);
            configs.extend(set.map(|(name, of)| (name, of.value)));
        }
        for change in changes {
            if let Change::Config { name, to, .. } = change {
                configs.insert(name.clone(), to.clone());
            }
        }
        let mut altered = AlterConfig::new(resource);
        for (name, value) in &configs {
            altered = altered.set(name, value);
        }
        let results =
            self.client.alter_configs([&altered], &self.options).await?;
        only(results)
    }
    // ANCHOR_END: configure

    async fn add_partitions(
        &self,
        topic: &TopicName,
        to: i32,
    ) -> Result<(), KafkaError> {
        // The declaration allows 1 to 100 000.
        let new = NewPartitions::new(topic.as_str(), to as usize);
        let results =
            self.client.create_partitions([&new], &self.options).await?;
        only(results)
    }

    /// A broker answers before every broker knows: a look too early would
    /// find the old state. One that does not answer has not told yet.
    async fn wait_until_seen(
        &self,
        declared: &Declared,
        applied: Vec<Applied>,
    ) -> Result<Vec<Applied>, AdminError> {
        let start = tokio::time::Instant::now();
        loop {
            let cause = match self.plan(declared).await {
                Ok(left) if left.is_empty() => return Ok(applied),
                Ok(_) => None,
                Err(AdminError::NoAnswer(cause)) => Some(cause),
                Err(AdminError::NotTold { code, .. }) => {
                    Some(KafkaError::AdminOp(code))
                }
                Err(_) => {
                    return Err(AdminError::NotSeen {
                        applied,
                        cause: None,
                    });
                }
            };
            if start.elapsed() > self.patience {
                return Err(AdminError::NotSeen { applied, cause });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Partitions and replicas of every topic.
    async fn counts(
        &self,
    ) -> Result<BTreeMap<String, (i32, i32)>, AdminError> {
        let (client, patience) = (Arc::clone(&self.client), self.patience);
        // Of all topics: asked for one by its name, a broker may create it.
        let look = move || client.inner().fetch_metadata(None, patience);
        let metadata = tokio::task::spawn_blocking(look)
            .await
            .map_err(|_| AdminError::Ending)?
            .map_err(AdminError::NoAnswer)?;
        let counts = metadata.topics().iter().map(|topic| {
            let replicas = topic
                .partitions()
                .iter()
                .map(|partition| partition.replicas().len() as i32);
            let replicas = replicas.min().unwrap_or_default();
            let partitions = topic.partitions().len() as i32;
            (topic.name().to_owned(), (partitions, replicas))
        });
        Ok(counts.collect())
    }
}

// ANCHOR: missed
/// How many records retention took from a group: those between the offset
/// that it asks for next and the start of the log.
pub fn missed(committed: i64, log_start: i64) -> i64 {
    (log_start - committed).max(0)
}
// ANCHOR_END: missed

fn settings(resource: ConfigResource) -> BTreeMap<String, Setting> {
    let entries = resource.entries.into_iter().filter_map(|entry| {
        let on_topic = matches!(entry.source, ConfigSource::DynamicTopic);
        Some((entry.name, Setting { value: entry.value?, on_topic }))
    });
    entries.collect()
}

/// The answer to a request with one resource.
fn only<T, N>(
    results: Vec<Result<T, (N, RDKafkaErrorCode)>>,
) -> Result<(), KafkaError> {
    results.into_iter().try_for_each(|result| match result {
        Ok(_) => Ok(()),
        Err((_, code)) => Err(KafkaError::AdminOp(code)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders() -> Declared {
        Declared::from_yaml(
            "topics: [{ name: orders, partitions: 1, replication_factor: 1 }]",
        )
        .unwrap()
    }

    /// The brokers took the changes and are gone before they tell of them: what was applied is not lost.
    #[tokio::test]
    async fn what_was_applied_is_told_though_nobody_answers() {
        // It takes connections, and nobody reads what comes.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut config = ClientConfig::new();
        let address = silent.local_addr().unwrap().to_string();
        config.set("bootstrap.servers", address);
        let patience = Duration::from_millis(200);
        let admin = Admin::with_patience(&config, patience).unwrap();
        let declared = orders();
        let topic = &declared.topics[0];
        let applied = vec![Applied {
            topic: topic.name.clone(),
            change: Change::Create(topic.clone()),
        }];

        match admin.wait_until_seen(&declared, applied.clone()).await {
            Err(AdminError::NotSeen { applied: told, cause }) => {
                assert_eq!(told, applied);
                assert!(cause.is_some(), "nobody answered");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_a_missing_right_asks_for_a_right() {
        let told = |code| {
            let topic = orders().topics.remove(0).name;
            AdminError::NotTold { topic, code }.to_string()
        };
        let denied = told(RDKafkaErrorCode::TopicAuthorizationFailed);
        assert!(denied.ends_with("DescribeConfigs"), "{denied}");
        let other = told(RDKafkaErrorCode::CoordinatorLoadInProgress);
        assert!(!other.contains("ACL"), "{other}");
    }
}
