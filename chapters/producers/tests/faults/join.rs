//! Two hashes for one key: `cargo xtask run producers join`
//!
//! Checkout sends orders and payments sends payments, both under the order's id, into topics of equally many
//! partitions. Checkout hashes as Kafka's Java client does; payments has librdkafka's default. Packing joins
//! partition n of the one topic with partition n of the other, as every stream processor does.
//!
//! `-- --mended` gives both the same partitioner, `-- --orders 1200` sends more.
#![forbid(unsafe_code)]

use std::collections::{HashMap, HashSet};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use tracing::info;

/// Longer than anything here takes: then the broker is gone.
const PATIENCE: Duration = Duration::from_secs(60);
const TOPICS: [&str; 2] = ["orders", "payments"];

struct Arguments {
    orders: usize,
    mended: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(
    mut words: impl Iterator<Item = String>,
) -> Result<Arguments, String> {
    let mut arguments = Arguments { orders: 12, mended: false };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--mended" => arguments.mended = true,
            "--orders" => {
                let number = words.next().and_then(|n| n.parse().ok());
                arguments.orders = number
                    .filter(|n| (1..=10_000).contains(n))
                    .ok_or("say --orders 1..10000")?;
            }
            other => {
                return Err(format!(
                    "what is {other:?}? Say --mended or --orders 1..10000"
                ));
            }
        }
    }
    Ok(arguments)
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    logging::init()?;
    let brokers = std::env::var("KAFKA_BROKERS").context(
        "KAFKA_BROKERS is not set: run this through `cargo xtask run`",
    )?;
    let mut config = ClientConfig::new();
    // Each record is awaited, so there is nothing to linger for.
    config.set("bootstrap.servers", brokers).set("linger.ms", "0");
    tokio::select! {
        biased; // listens to Ctrl-C before the first record is sent
        signal = tokio::signal::ctrl_c() => {
            signal?;
            info!(target: "run", process = "shop", "stopped");
            Ok(())
        }
        done = shop(arguments, &config) => done,
    }
}

async fn shop(
    arguments: &Arguments,
    config: &ClientConfig,
) -> anyhow::Result<()> {
    // ANCHOR: two_hashes
    let checkout: FutureProducer = config
        .clone()
        .set("partitioner", "murmur2_random") // as the Java client
        .create()?;
    let mut payments = config.clone();
    if arguments.mended {
        payments.set("partitioner", "murmur2_random");
    }
    let payments: FutureProducer = payments.create()?;
    // ANCHOR_END: two_hashes
    for n in 1..=arguments.orders {
        let key = format!("order-{n}");
        send(&checkout, "checkout", "orders", &key).await?;
        send(&payments, "payments", "payments", &key).await?;
    }
    let joined = join(config, arguments.orders).await?;
    let (orders, unpaid) = (arguments.orders, arguments.orders - joined);
    info!(target: "run", process = "packing", orders, payments = orders, joined, unpaid, "outcome");
    Ok(())
}

async fn send(
    producer: &FutureProducer,
    process: &str,
    topic: &str,
    key: &str,
) -> anyhow::Result<()> {
    let record = FutureRecord::to(topic).key(key).payload("29.15 EUR");
    let sent = producer
        .send(record, PATIENCE)
        .await
        .map_err(|(error, _)| error)?;
    let (partition, offset) = (sent.partition, sent.offset);
    info!(target: "run", process, topic, partition, offset, key, "acknowledged");
    Ok(())
}

/// Reads both topics to their ends, each partition by a worker that has nothing but this partition of both.
async fn join(
    config: &ClientConfig,
    orders: usize,
) -> anyhow::Result<usize> {
    let consumer: StreamConsumer =
        config.clone().set("group.id", "packing").create()?;
    let partitions = assign_all(&consumer)?;
    let mut workers = vec![Worker::default(); partitions];
    let mut read = 0;
    while read < 2 * orders {
        let Ok(record) =
            tokio::time::timeout(PATIENCE, consumer.recv()).await
        else {
            bail!("{read} of {} records in {PATIENCE:?}", 2 * orders);
        };
        let record = record?;
        let key = record.key_view::<str>().context("no key")??;
        let worker = usize::try_from(record.partition())
            .ok()
            .and_then(|n| workers.get_mut(n))
            .context("a partition that was not there")?;
        worker.read(record.topic(), key);
        read += 1;
    }
    let mut joined = 0;
    for n in 1..=orders {
        let key = format!("order-{n}");
        for (partition, worker) in workers.iter().enumerate() {
            match worker.has(&key) {
                Some(true) => {
                    joined += 1;
                    info!(target: "run", process = "packing", topic = "orders", partition, key, "packed");
                }
                Some(false) => {
                    info!(target: "run", process = "packing", topic = "orders", partition, key, "unpaid")
                }
                None => {}
            }
        }
    }
    Ok(joined)
}

// ANCHOR: worker
/// Joins partition n of orders with partition n of payments, and sees
/// nothing else.
#[derive(Clone, Default)]
struct Worker {
    orders: HashSet<String>,
    payments: HashMap<String, u32>,
}

impl Worker {
    fn read(&mut self, topic: &str, key: &str) {
        if topic == "orders" {
            self.orders.insert(key.to_owned());
        } else {
            *self.payments.entry(key.to_owned()).or_default() += 1;
        }
    }

    /// Whether this worker's order is paid; nothing if it is not its order.
    fn has(&self, key: &str) -> Option<bool> {
        self.orders.contains(key).then(|| self.payments.contains_key(key))
    }
}
// ANCHOR_END: worker

/// Gives the consumer every partition of both topics, from the beginning; how many partitions each has.
fn assign_all(consumer: &StreamConsumer) -> anyhow::Result<usize> {
    let mut all = TopicPartitionList::new();
    let mut partitions = 0;
    for topic in TOPICS {
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
        let found = metadata
            .topics()
            .first()
            .with_context(|| format!("there is no topic {topic}"))?;
        partitions = found.partitions().len();
        for partition in found.partitions() {
            all.add_partition_offset(
                topic,
                partition.id(),
                Offset::Beginning,
            )?;
        }
    }
    consumer.assign(&all)?;
    Ok(partitions)
}
