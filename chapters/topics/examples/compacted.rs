//! Compaction keeps the last value of each key: `cargo xtask run topics compacted`
//!
//! A broker of its own, told to compact at once. Prices change, one is withdrawn by a tombstone, and the topic's
//! policy changes from `delete` to `compact`.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::consumer::{Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{
    ClientConfig, ClientContext, Message, Offset, TopicPartitionList,
};
use testbed::local::{LocalCluster, LocalOptions};
use testbed::{Cluster, eventually};
use tokio::signal::unix::{SignalKind, signal};
use topics::{Admin, Allow, Declared, Stored, survivors};
use tracing::info;

const PATIENCE: Duration = Duration::from_secs(60);

/// Time between two prices, in the records' own clock.
const HOUR_MS: i64 = 3_600_000;

/// What the shop sends: an item and its price in cents; no price means that it is sold no more.
const PRICES: [(&str, Option<&str>); 8] = [
    ("mug", Some("900")),
    ("tea", Some("400")),
    ("mug", Some("1000")),
    ("pot", Some("2500")),
    ("tea", Some("500")),
    ("mug", Some("1100")),
    ("pot", None),
    ("tea", Some("600")),
];

/// `recv()` hands out what goes wrong, so that the client need not log it as well: here, that a log ends.
struct Quiet;
impl ConsumerContext for Quiet {}
impl ClientContext for Quiet {
    fn error(&self, _: KafkaError, _: &str) {}
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // ANCHOR: broker
    // Kafka looks every 15 s whether a log is to be compacted.
    let options =
        LocalOptions::new(1).property("log.cleaner.backoff.ms", 100);
    // ANCHOR_END: broker
    let cluster: Cluster = tokio::select! {
        local = LocalCluster::start(options) => local?.into(),
        _ = interrupt.recv() => return Ok(()),
    };
    let config = cluster.client_config();
    let producer: FutureProducer = config.create()?;
    let done = tokio::select! {
        done = story(&config, &producer) => done,
        _ = interrupt.recv() => {
            info!(target: "run", process = "shop", "stopped");
            Ok(())
        }
    };
    producer.flush(Duration::from_secs(10))?;
    done
}

async fn story(
    config: &ClientConfig,
    producer: &FutureProducer,
) -> anyhow::Result<()> {
    let admin = Admin::new(config)?;
    let yes = Allow { deleted_data: true, ..Allow::default() };
    let topic = include_str!("../fixtures/prices.yaml");
    admin.apply(&Declared::from_yaml(topic)?, yes).await?;

    let mut log = Log::new(producer)?;
    for (item, price) in PRICES {
        log.send(item, price).await?;
    }
    // From `delete` to `compact`: the first cleaning sees all of them.
    let compacted = topic.replace(": delete", ": compact");
    admin.apply(&Declared::from_yaml(&compacted)?, yes).await?;
    // One record a segment: the last record stands in the active one.
    let first = log.cleaned(config, survivors(&log.stored, 7)).await?;

    // A new price closes that segment, and the log is cleaned again. The
    // tombstone has been seen by a cleaning and goes now.
    log.send("mug", Some("1200")).await?;
    let mut left = survivors(&log.stored, 8);
    left.retain(|offset| {
        !log.stored.iter().any(|one| one.offset == *offset && one.tombstone)
    });
    let second = log.cleaned(config, left).await?;
    let (sent, left) = (log.sent, log.stored.len());
    info!(target: "run", process = "shop", sent, first, second, left, "outcome");
    Ok(())
}

/// The partition as the program knows it.
struct Log<'a> {
    producer: &'a FutureProducer,
    /// What has not been compacted away.
    stored: Vec<Stored>,
    sent: i64,
    /// The time of the first price, in ms since 1970.
    start: i64,
}

impl<'a> Log<'a> {
    fn new(producer: &'a FutureProducer) -> anyhow::Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let start = i64::try_from(now.as_millis())? - 24 * HOUR_MS;
        Ok(Log { producer, stored: Vec::new(), sent: 0, start })
    }

    // ANCHOR: send
    /// Sends a price an hour after the one before. The topic's segments
    /// are half an hour long, so each record begins a new one.
    async fn send(
        &mut self,
        key: &str,
        price: Option<&str>,
    ) -> anyhow::Result<()> {
        let mut record: FutureRecord<'_, str, str> =
            FutureRecord::to("prices").key(key);
        record.payload = price; // None: a tombstone
        record.timestamp = Some(self.start + self.sent * HOUR_MS);
        let sent = self.producer.send(record, None).await;
        let sent = sent.map_err(|(error, _)| error)?;
        let (partition, offset) = (sent.partition, sent.offset);
        let price = price.unwrap_or("none");
        info!(
            target: "run", process = "shop", topic = "prices",
            partition, offset, key, price, "acknowledged"
        );
        self.sent += 1;
        let (key, tombstone) = (key.to_owned(), price == "none");
        self.stored.push(Stored { offset, key, tombstone });
        Ok(())
    }
    // ANCHOR_END: send

    /// Waits until the log holds just these offsets, and says which records are gone. How many that are.
    async fn cleaned(
        &mut self,
        config: &ClientConfig,
        left: Vec<i64>,
    ) -> anyhow::Result<usize> {
        let what = format!("a log of the offsets {left:?}");
        eventually(PATIENCE, &what, async || match read(config).await {
            Ok(found) if found == left => Ok(()),
            Ok(found) => Err(format!("{found:?}")),
            Err(error) => Err(error.to_string()),
        })
        .await?;
        let left: BTreeSet<i64> = left.into_iter().collect();
        let (kept, gone): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.stored)
                .into_iter()
                .partition(|record| left.contains(&record.offset));
        self.stored = kept;
        for Stored { offset, key, .. } in &gone {
            info!(target: "run", process = "broker", topic = "prices", partition = 0, offset, key, "cleaned");
        }
        Ok(gone.len())
    }
}

/// The offsets of the partition, from its beginning to its end.
async fn read(config: &ClientConfig) -> anyhow::Result<Vec<i64>> {
    let consumer: StreamConsumer<Quiet> = config
        .clone()
        .set("group.id", "looks")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create_with_context(Quiet)?;
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("prices", 0, Offset::Beginning)?;
    consumer.assign(&list)?;
    let mut offsets = Vec::new();
    loop {
        match consumer.recv().await {
            Err(KafkaError::PartitionEOF(_)) => return Ok(offsets),
            record => offsets.push(record?.offset()),
        }
    }
}
