//! Partitions added under keyed data: `cargo xtask run topics moved`
//!
//! Six orders are placed. The topic gets three more partitions, and the same six orders are cancelled. Two packers
//! share the partitions; the one with the new ones is quicker.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, bail};
use rdkafka::consumer::{Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{
    ClientConfig, ClientContext, Message, Offset, TopicPartitionList,
};
use testbed::eventually;
use topics::{Admin, Allow, Declared, Partitioner, TopicName, moves};
use tracing::info;

const ORDERS: usize = 6;
const BEFORE: u32 = 3;
const AFTER: u32 = 6;
const PATIENCE: Duration = Duration::from_secs(60);

/// `recv()` hands out what goes wrong, so that the client need not log it as well: here, that a log ends.
struct Quiet;
impl ConsumerContext for Quiet {}
impl ClientContext for Quiet {
    fn error(&self, _: KafkaError, _: &str) {}
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let brokers = std::env::var("KAFKA_BROKERS")
        .context("no KAFKA_BROKERS: try `cargo xtask run topics moved`")?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    let producer: FutureProducer = config.create()?;
    tokio::select! {
        done = story(&config, &producer) => done?,
        _ = tokio::signal::ctrl_c() => {
            info!(target: "run", process = "shop", "stopped");
        }
    }
    producer.flush(PATIENCE)?;
    Ok(())
}

async fn story(
    config: &ClientConfig,
    producer: &FutureProducer,
) -> anyhow::Result<()> {
    let keys: Vec<String> =
        (1..=ORDERS).map(|n| format!("order-{n}")).collect();
    for key in &keys {
        checkout(producer, key, "placed").await?;
    }
    add_partitions(config).await?;
    know_all(producer).await?;
    for key in &keys {
        checkout(producer, key, "cancelled").await?;
    }
    let keys = keys.iter().map(String::as_str);
    let moved = moves(Partitioner::ConsistentRandom, keys, BEFORE, AFTER);

    let mut packing = Packing::default();
    packing.read("packer-2", config, BEFORE..AFTER).await?;
    packing.read("packer-1", config, 0..BEFORE).await?;
    let (packed, too_late) = (packing.packed.len(), packing.too_late);
    info!(target: "run", process = "shop", orders = ORDERS, moved = moved.len(), packed, too_late, "outcome");
    Ok(())
}

/// Declares the topic as it is, but for its partitions, and applies that.
async fn add_partitions(config: &ClientConfig) -> anyhow::Result<()> {
    let admin = Admin::new(config)?;
    let orders =
        TopicName::try_from("orders").map_err(anyhow::Error::msg)?;
    let actual = admin.read([&orders]).await?;
    let actual = actual.get(&orders).context("no topic orders")?;
    let replicas = actual.replication_factor;
    let declared = Declared::from_yaml(&format!(
        "topics: [{{ name: orders, partitions: {AFTER}, replication_factor: {replicas} }}]"
    ))?;
    let yes = Allow { moved_keys: true, deleted_data: false };
    admin.apply(&declared, yes).await?;
    info!(target: "run", process = "admin", topic = "orders", partitions = AFTER, "added");
    Ok(())
}

/// A producer goes on with the old number until it asks the brokers again. Asking is what makes it know.
async fn know_all(producer: &FutureProducer) -> anyhow::Result<()> {
    let what = format!("the producer knows {AFTER} partitions");
    eventually(PATIENCE, &what, async || {
        let look =
            || producer.client().fetch_metadata(Some("orders"), PATIENCE);
        let metadata = tokio::task::block_in_place(look)
            .map_err(|error| error.to_string())?;
        let topics = metadata.topics().iter();
        let led = topics
            .flat_map(|topic| topic.partitions())
            .filter(|partition| partition.leader() >= 0)
            .count();
        if led == AFTER as usize { Ok(()) } else { Err(led.to_string()) }
    })
    .await?;
    Ok(())
}

async fn checkout(
    producer: &FutureProducer,
    key: &str,
    event: &str,
) -> anyhow::Result<()> {
    let record = FutureRecord::to("orders").key(key).payload(event);
    let sent = producer.send(record, None).await.map_err(|(e, _)| e)?;
    let (partition, offset) = (sent.partition, sent.offset);
    info!(target: "run", process = "checkout", topic = "orders", partition, offset, key, event, "acknowledged");
    Ok(())
}

/// What packing has done: an order is packed when it is placed, and left alone when it is cancelled before that.
#[derive(Default)]
struct Packing {
    packed: BTreeSet<String>,
    /// Cancellations of orders that nobody had packed yet: there was nothing to cancel.
    unknown: BTreeSet<String>,
    /// Orders packed though their cancellation had been read.
    too_late: usize,
}

impl Packing {
    /// Reads some partitions to their ends.
    async fn read(
        &mut self,
        packer: &str,
        config: &ClientConfig,
        partitions: std::ops::Range<u32>,
    ) -> anyhow::Result<()> {
        let consumer: StreamConsumer<Quiet> = config
            .clone()
            .set("group.id", "packer")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .create_with_context(Quiet)?;
        let mut open = partitions.len();
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            let partition = i32::try_from(partition)?;
            list.add_partition_offset(
                "orders",
                partition,
                Offset::Beginning,
            )?;
        }
        consumer.assign(&list)?;
        while open > 0 {
            let record = match consumer.recv().await {
                Err(KafkaError::PartitionEOF(_)) => {
                    open -= 1;
                    continue;
                }
                record => record?,
            };
            let (partition, offset) = (record.partition(), record.offset());
            let text = |bytes: Option<&[u8]>| {
                String::from_utf8_lossy(bytes.unwrap_or_default())
                    .into_owned()
            };
            let (key, event) = (text(record.key()), text(record.payload()));
            info!(target: "run", process = packer, topic = "orders", partition, offset, key, event, "consumed");
            self.handle(key, &event)?;
        }
        Ok(())
    }

    // ANCHOR: handle
    fn handle(&mut self, key: String, event: &str) -> anyhow::Result<()> {
        match event {
            "placed" => {
                // Its cancellation was read before it: too early to help.
                self.too_late += usize::from(self.unknown.contains(&key));
                self.packed.insert(key);
            }
            "cancelled" if self.packed.remove(&key) => {} // unpacked
            "cancelled" => {
                self.unknown.insert(key);
            }
            other => bail!("what is {other:?}?"),
        }
        Ok(())
    }
    // ANCHOR_END: handle
}
