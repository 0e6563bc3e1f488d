//! Three brokers and one partition, watched: who leads, who is in sync, where each replica's log ends, and the
//! high watermark. The stories and the table of this chapter are told on it.
// Each program that uses this module uses a part of it.
#![allow(dead_code)]

pub mod stories;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::FutureProducer;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use replication::segment::log_end;
use testbed::local::{LocalCluster, LocalOptions};
use testbed::{Cluster, eventually};
use tokio::task::spawn_blocking;
use tracing::info;

/// A failover takes 2 to 5 seconds here; a minute means that something is wrong.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// So soon a killed broker is noticed: a test's value.
pub const SOON: Duration = Duration::from_secs(2);

/// Longer than any freeze, on a busy machine too. Kafka's default is 9 s.
pub const LATE: Duration = Duration::from_secs(15);

/// How long one question may take.
const QUESTION: Duration = Duration::from_secs(5);

/// What is seen of a partition at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Who leads it.
    pub leader: Option<u32>,
    /// The brokers whose replica is in sync.
    pub in_sync: BTreeSet<u32>,
    /// Where the log of each broker's replica ends, read from its file.
    pub ends: BTreeMap<u32, i64>,
    /// The leader's high watermark; none while nobody leads, or the leader is dead.
    pub high_watermark: Option<i64>,
}

impl View {
    /// Whether every in-sync replica has all that the leader has, and the high watermark says so.
    pub fn is_level(&self, end: i64) -> bool {
        let all = |broker: &u32| self.ends.get(broker) == Some(&end);
        self.leader.is_some()
            && self.in_sync.iter().all(all)
            && self.high_watermark == Some(end)
    }
}

/// A cluster of three, and what was last told of a topic's partition 0.
pub struct Stage {
    cluster: Cluster,
    told: tokio::sync::Mutex<(String, View)>,
}

impl Stage {
    /// Starts three brokers.
    ///
    /// A replica that does not fetch stays in sync until its broker is given up: the lag that is allowed is longer
    /// than any story. A follower that has everything waits at the leader for more, and its question is not
    /// answered meanwhile: so it is known what a frozen follower still gets.
    ///
    /// A broker that is not heard of is given up after `session`. It is short where brokers are killed, and longer than
    /// the freeze where they are frozen: or those that go on would be given up first.
    pub async fn start(session: Duration) -> anyhow::Result<Self> {
        let session = session.as_millis();
        let options = LocalOptions::new(3)
            .property("broker.session.timeout.ms", session)
            .property("replica.lag.time.max.ms", 300_000)
            .property("replica.fetch.wait.max.ms", 5_000);
        let cluster = LocalCluster::start(options).await?.into();
        Ok(Self { cluster, told: Default::default() })
    }

    pub fn local(&self) -> anyhow::Result<&LocalCluster> {
        self.cluster.as_local().context("not a local cluster")
    }

    /// Creates a topic of one partition with these replicas; the first of them leads.
    pub async fn create(
        &self,
        topic: &str,
        replicas: &[i32],
        config: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        let admin: AdminClient<DefaultClientContext> =
            self.cluster.client_config().create()?;
        let assignment = [replicas];
        let replication = TopicReplication::Variable(&assignment);
        let mut new = NewTopic::new(topic, 1, replication);
        for (name, value) in config {
            new = new.set(name, value);
        }
        let options = AdminOptions::new()
            .request_timeout(Some(PATIENCE))
            .operation_timeout(Some(PATIENCE));
        for created in admin.create_topics([&new], &options).await? {
            created.map_err(|(topic, code)| {
                anyhow::anyhow!("topic {topic}: {code}")
            })?;
        }
        let all: BTreeSet<u32> =
            replicas.iter().map(|id| *id as u32).collect();
        let first = replicas[0] as u32;
        self.until(topic, "its first leader", |view| {
            view.leader == Some(first)
                && view.in_sync == all
                && view.ends.len() == all.len()
        })
        .await?;
        Ok(())
    }

    /// A client that looks again at once for a broker that went away; the default grows to 10 seconds.
    pub fn client(&self) -> ClientConfig {
        let mut config = self.cluster.client_config();
        config
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "200")
            .set("topic.metadata.refresh.fast.interval.ms", "100");
        config
    }

    /// A producer that waits for so much.
    pub fn producer(&self, acks: &str) -> anyhow::Result<FutureProducer> {
        let all = acks == "all";
        Ok(self
            .client()
            .set("acks", acks)
            .set("enable.idempotence", if all { "true" } else { "false" })
            .create()?)
    }

    /// What is to be seen of a topic's partition now.
    pub async fn view(&self, topic: &str) -> anyhow::Result<View> {
        let local = self.local()?;
        // Leader and in-sync replicas first, and the high watermark only of a leader that runs: the books name a
        // dead one until its session times out, and a question to that takes its whole time.
        let leader = local.leader(topic, 0).await.ok();
        let in_sync = local.in_sync_replicas(topic, 0).await?;
        let mut ends = BTreeMap::new();
        for broker in local.brokers() {
            if let Some(end) = end_of(broker.folder(), topic)? {
                ends.insert(broker.id(), end);
            }
        }
        let runs =
            |id: u32| local.broker(id).is_ok_and(|b| b.pid().is_some());
        let high_watermark = match leader.filter(|id| runs(*id)) {
            Some(_) => self.high_watermark(topic).await.ok(),
            None => None,
        };
        let in_sync = in_sync.into_iter().collect();
        Ok(View { leader, in_sync, ends, high_watermark })
    }

    async fn high_watermark(&self, topic: &str) -> anyhow::Result<i64> {
        let client: BaseConsumer = self.client().create()?;
        let topic = topic.to_owned();
        let ask = move || client.fetch_watermarks(&topic, 0, QUESTION);
        Ok(spawn_blocking(ask).await??.1)
    }

    /// Looks until the partition is as `wanted`.
    pub async fn until(
        &self,
        topic: &str,
        what: &str,
        wanted: impl Fn(&View) -> bool,
    ) -> anyhow::Result<View> {
        let what = format!("{topic}: {what}");
        let view = eventually(PATIENCE, &what, async || {
            match self.view(topic).await {
                Ok(view) if wanted(&view) => Ok(view),
                Ok(view) => Err(format!("{view:?}")),
                Err(error) => Err(format!("{error:#}")),
            }
        });
        Ok(view.await?)
    }

    /// Looks until a broker's replica ends there, in its file alone: no broker is asked.
    pub async fn until_end(
        &self,
        topic: &str,
        broker: u32,
        end: i64,
    ) -> anyhow::Result<()> {
        let folder = self.local()?.broker(broker)?.folder().to_owned();
        let what = format!("{topic} on broker {broker} ends at {end}");
        let reached = eventually(PATIENCE, &what, async || {
            match end_of(&folder, topic) {
                Ok(Some(at)) if at == end => Ok(()),
                Ok(at) => Err(format!("{at:?}")),
                Err(error) => Err(format!("{error:#}")),
            }
        });
        Ok(reached.await?)
    }

    /// Looks until the partition is as `wanted`, and writes a log line for
    /// everything that is another than at the last look.
    pub async fn tell(
        &self,
        topic: &str,
        what: &str,
        wanted: impl Fn(&View) -> bool,
    ) -> anyhow::Result<View> {
        let view = self.until(topic, what, wanted).await?;
        let mut told = self.told.lock().await;
        if told.0 != topic {
            *told = (topic.to_owned(), View::default());
        }
        let old = std::mem::replace(&mut told.1, view.clone());
        let (process, partition) = ("cluster", 0);
        if view.leader != old.leader {
            match view.leader {
                Some(leader) => {
                    // Unclean by the switch. Kafka calls it unclean too where the last leader leads again after
                    // nobody was in sync or eligible.
                    let known = old.in_sync.contains(&leader);
                    let unclean = !old.in_sync.is_empty() && !known;
                    info!(target: "run", process, topic, partition, leader, unclean, "elected");
                }
                None => {
                    info!(target: "run", process, topic, partition, "offline")
                }
            }
        }
        if view.in_sync != old.in_sync {
            let replicas = names(&view.in_sync);
            info!(target: "run", process, topic, partition, replicas, "in sync");
        }
        for (broker, end) in &view.ends {
            let before = old.ends.get(broker);
            if before == Some(end) {
                continue;
            }
            let log_end = *end;
            match before.filter(|before| *before > end) {
                Some(from) => {
                    info!(target: "run", process, topic, partition, broker, log_end, from, "truncated")
                }
                None => {
                    info!(target: "run", process, topic, partition, broker, log_end, "replicated")
                }
            }
        }
        if let Some(high_watermark) = view.high_watermark
            && old.high_watermark != view.high_watermark
        {
            info!(target: "run", process, topic, partition, high_watermark, "high watermark");
        }
        Ok(view)
    }

    pub async fn kill(&self, broker: u32) -> anyhow::Result<()> {
        self.local()?.broker(broker)?.kill().await?;
        info!(target: "run", process = "cluster", broker, "killed");
        Ok(())
    }

    pub async fn freeze(&self, broker: u32) -> anyhow::Result<()> {
        self.local()?.broker(broker)?.pause().await?;
        info!(target: "run", process = "cluster", broker, "frozen");
        Ok(())
    }

    pub fn thaw(&self, broker: u32) -> anyhow::Result<()> {
        self.local()?.broker(broker)?.resume()?;
        info!(target: "run", process = "cluster", broker, "thawed");
        Ok(())
    }

    pub async fn restart(&self, broker: u32) -> anyhow::Result<()> {
        self.local()?.broker(broker)?.restart().await?;
        info!(target: "run", process = "cluster", broker, "restarted");
        Ok(())
    }

    /// Takes a broker's disk away: its replica of this topic is gone.
    pub async fn wipe(
        &self,
        broker: u32,
        topic: &str,
    ) -> anyhow::Result<()> {
        let folder = self.local()?.broker(broker)?.folder().to_owned();
        std::fs::remove_dir_all(partition_folder(&folder, topic))?;
        // The log that comes next is a new one: it is not the old, cut back.
        self.told.lock().await.1.ends.remove(&broker);
        info!(target: "run", process = "cluster", topic, partition = 0, broker, "wiped");
        Ok(())
    }

    /// The keys of all records that a reader gets, each with its offset.
    pub async fn read(
        &self,
        topic: &str,
    ) -> anyhow::Result<Vec<(i64, String)>> {
        let consumer: BaseConsumer = self
            .client()
            .set("group.id", format!("{topic}-audit"))
            .create()?;
        let topic = topic.to_owned();
        spawn_blocking(move || read_all(&consumer, &topic)).await?
    }
}

fn read_all(
    consumer: &BaseConsumer,
    topic: &str,
) -> anyhow::Result<Vec<(i64, String)>> {
    let (low, high) = consumer.fetch_watermarks(topic, 0, PATIENCE)?;
    let mut place = TopicPartitionList::new();
    place.add_partition_offset(topic, 0, Offset::Offset(low))?;
    consumer.assign(&place)?;
    let mut found = Vec::new();
    let deadline = std::time::Instant::now() + PATIENCE;
    while found.last().map_or(low, |(at, _): &(i64, _)| at + 1) < high {
        anyhow::ensure!(
            std::time::Instant::now() < deadline,
            "{topic}: {} of {high} records came within {PATIENCE:?}",
            found.len()
        );
        // A dead broker is reported as an error, and the client goes on by itself.
        if let Some(Ok(record)) = consumer.poll(Duration::from_millis(100))
        {
            let key = record.key().unwrap_or_default();
            let key = String::from_utf8_lossy(key).into_owned();
            found.push((record.offset(), key));
        }
    }
    Ok(found)
}

fn names(brokers: &BTreeSet<u32>) -> String {
    let names: Vec<String> = brokers.iter().map(u32::to_string).collect();
    names.join(" ")
}

fn partition_folder(folder: &std::path::Path, topic: &str) -> PathBuf {
    folder.join("data").join(format!("{topic}-0"))
}

/// Where the log of a broker's replica ends: read from the newest segment
/// file in its folder, the way `kafka-dump-log.sh` does.
fn end_of(
    folder: &std::path::Path,
    topic: &str,
) -> anyhow::Result<Option<i64>> {
    let folder = partition_folder(folder, topic);
    let Ok(files) = std::fs::read_dir(&folder) else { return Ok(None) };
    let mut segments: Vec<PathBuf> =
        files.filter_map(|file| Some(file.ok()?.path())).collect();
    segments.retain(|path| path.extension().is_some_and(|x| x == "log"));
    segments.sort();
    let Some(newest) = segments.last() else { return Ok(None) };
    Ok(Some(log_end(&std::fs::read(newest)?)))
}
