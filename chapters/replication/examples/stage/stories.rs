//! The stories of this chapter: what is sent, which broker dies, and what is left.

use std::collections::BTreeSet;

use rdkafka::producer::{FutureProducer, FutureRecord};
use tracing::info;

use super::{Stage, View};

/// What a story came to, in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub sent: usize,
    pub acknowledged: usize,
    /// Of those acknowledged, how many can be read at the end.
    pub survived: usize,
}

impl Told {
    pub fn lost(&self) -> usize {
        self.acknowledged - self.survived
    }
}

/// Which replicas a topic has, and what holds for it.
pub const THREE: &[i32] = &[1, 2, 3];

/// Broker 3 has no replica: with the one that is left it keeps the cluster's
/// controllers a majority, so that there is somebody to elect a leader.
const TWO: &[i32] = &[1, 2];

pub const CAREFUL: &[(&str, &str)] = &[("min.insync.replicas", "2")];
const LOOSE: &[(&str, &str)] = &[("min.insync.replicas", "1")];
const UNCLEAN: &[(&str, &str)] = &[
    ("min.insync.replicas", "1"),
    ("unclean.leader.election.enable", "true"),
];

// ANCHOR: survive
/// The leader dies between two halves, and nothing is lost.
pub async fn survive(stage: &Stage, topic: &str) -> anyhow::Result<Told> {
    stage.create(topic, THREE, CAREFUL).await?;
    let checkout = stage.producer("all")?;
    let mut orders = Orders::new(topic);
    orders.send_five(stage, &checkout).await?;

    stage.kill(1).await?;
    let led_by_2 = |view: &View| view.leader == Some(2) && view.is_level(5);
    stage.tell(topic, "another leader", led_by_2).await?;
    orders.send_five(stage, &checkout).await?;

    stage.restart(1).await?;
    let all = |view: &View| view.in_sync.len() == 3 && view.is_level(10);
    stage.tell(topic, "three in sync", all).await?;
    orders.count(stage).await
}
// ANCHOR_END: survive

// ANCHOR: ahead
/// The leader acknowledges what only it has, and dies.
pub async fn ahead(stage: &Stage, topic: &str) -> anyhow::Result<Told> {
    stage.create(topic, THREE, CAREFUL).await?;
    let checkout = stage.producer("1")?;
    let mut orders = Orders::new(topic);
    orders.send_five(stage, &checkout).await?;

    stage.freeze(2).await?;
    stage.freeze(3).await?;
    for _ in 0..5 {
        orders.send(&checkout).await?;
    }
    let ahead = |view: &View| view.ends.get(&1) == Some(&10);
    stage.tell(topic, "five on the leader alone", ahead).await?;
    stage.kill(1).await?;
    stage.thaw(2)?;
    stage.thaw(3)?;
    let led_by_2 = |view: &View| {
        view.leader == Some(2) && view.in_sync == [2, 3].into()
    };
    stage
        .tell(topic, "another leader", |v| led_by_2(v) && v.is_level(6))
        .await?;

    stage.restart(1).await?;
    let all = |view: &View| view.in_sync.len() == 3 && view.is_level(6);
    stage.tell(topic, "three in sync", all).await?;
    orders.count(stage).await
}
// ANCHOR_END: ahead

/// With `min.insync.replicas=1` the leader alone is "all". It dies.
pub async fn alone(stage: &Stage, topic: &str) -> anyhow::Result<Told> {
    let orders = left_alone(stage, topic, LOOSE).await?;
    stage.tell(topic, "nobody leads", |view| view.leader.is_none()).await?;
    stage.restart(1).await?;
    let done = |view: &View| {
        view.leader == Some(1)
            && view.in_sync.len() == 2
            && view.is_level(6)
    };
    stage.tell(topic, "the old leader", done).await?;
    orders.count(stage).await
}

/// The same, but whoever is alive may lead.
pub async fn unclean(stage: &Stage, topic: &str) -> anyhow::Result<Told> {
    let orders = left_alone(stage, topic, UNCLEAN).await?;
    let stale = |view: &View| view.leader == Some(2) && view.is_level(3);
    stage.tell(topic, "a leader that lacks records", stale).await?;
    stage.restart(1).await?;
    let done = |view: &View| view.in_sync.len() == 2 && view.is_level(3);
    stage.tell(topic, "the old leader follows", done).await?;
    orders.count(stage).await
}

/// Three orders on both replicas, three on the leader alone; then the leader
/// dies, and the other replica is back.
async fn left_alone(
    stage: &Stage,
    topic: &str,
    config: &[(&str, &str)],
) -> anyhow::Result<Orders> {
    stage.create(topic, TWO, config).await?;
    let checkout = stage.producer("all")?;
    let mut orders = Orders::new(topic);
    stage.tell(topic, "a leader", |view| view.is_level(0)).await?;
    for _ in 0..3 {
        let end = orders.send(&checkout).await? + 1;
        stage
            .tell(topic, "a copy on both", |view| view.is_level(end))
            .await?;
    }

    stage.kill(2).await?;
    let one = |view: &View| view.in_sync == [1].into();
    stage.tell(topic, "one in sync", one).await?;
    for _ in 0..3 {
        let end = orders.send(&checkout).await? + 1;
        stage
            .tell(topic, "on the leader", |view| view.is_level(end))
            .await?;
    }

    stage.kill(1).await?;
    stage.restart(2).await?;
    Ok(orders)
}

/// One replica: its broker dies, and its disk with it. The next order stands
/// where the first stood.
pub async fn single(stage: &Stage, topic: &str) -> anyhow::Result<Told> {
    stage.create(topic, &[1], &[]).await?;
    let checkout = stage.producer("all")?;
    let mut orders = Orders::new(topic);
    stage.tell(topic, "a leader", |view| view.is_level(0)).await?;
    for _ in 0..5 {
        let end = orders.send(&checkout).await? + 1;
        stage.tell(topic, "one copy", |view| view.is_level(end)).await?;
    }
    stage.kill(1).await?;
    stage.tell(topic, "nobody leads", |view| view.leader.is_none()).await?;
    stage.wipe(1, topic).await?;
    stage.restart(1).await?;
    stage.tell(topic, "an empty log", |view| view.is_level(0)).await?;
    let end = orders.send(&checkout).await? + 1;
    stage.tell(topic, "one copy", |view| view.is_level(end)).await?;
    orders.count(stage).await
}

/// The orders of one story.
struct Orders {
    topic: String,
    sent: usize,
    acknowledged: BTreeSet<String>,
}

impl Orders {
    fn new(topic: &str) -> Self {
        let topic = topic.to_owned();
        Self { topic, sent: 0, acknowledged: BTreeSet::new() }
    }

    /// Five orders, each on every in-sync replica before the next is sent.
    async fn send_five(
        &mut self,
        stage: &Stage,
        producer: &FutureProducer,
    ) -> anyhow::Result<()> {
        for _ in 0..5 {
            let end = self.send(producer).await? + 1;
            let level = |view: &View| view.is_level(end);
            stage.tell(&self.topic, "a copy on each", level).await?;
        }
        Ok(())
    }

    /// Sends the next order, and waits for its acknowledgement, over an election if need be.
    async fn send(
        &mut self,
        producer: &FutureProducer,
    ) -> anyhow::Result<i64> {
        self.sent += 1;
        let (key, topic) =
            (format!("order-{}", self.sent), self.topic.as_str());
        let (process, partition) = ("checkout", 0);
        info!(target: "run", process, topic, partition, key, "produced");
        let record = FutureRecord::to(topic).key(&key).payload("2 mugs");
        let sent = producer.send(record, None).await;
        let sent = sent.map_err(|(error, _)| error)?;
        let (partition, offset) = (sent.partition, sent.offset);
        info!(target: "run", process, topic, partition, offset, key, "acknowledged");
        self.acknowledged.insert(key);
        Ok(offset)
    }

    /// Reads everything, and says what is left of what was acknowledged.
    async fn count(self, stage: &Stage) -> anyhow::Result<Told> {
        let topic = self.topic.as_str();
        let read = stage.read(topic).await?;
        for (offset, key) in &read {
            info!(target: "run", process = "packing", topic, partition = 0, offset, key, "consumed");
        }
        let there: BTreeSet<String> =
            read.into_iter().map(|(_, key)| key).collect();
        let told = Told {
            sent: self.sent,
            acknowledged: self.acknowledged.len(),
            survived: self.acknowledged.intersection(&there).count(),
        };
        let Told { sent, acknowledged, survived } = told;
        info!(target: "run", process = "packing", sent, acknowledged, survived, lost = told.lost(), "outcome");
        Ok(told)
    }
}
