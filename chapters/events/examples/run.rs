//! A seeded day in the shop: `cargo xtask run events`
//!
//! Users register, order and pay. Each event is checked, encoded, keyed and sent; then each is read back, decoded
//! and checked again. Three payloads that no reader may accept are sent too. The last line counts:
//! what was sent, read and refused, and whether the payments of each order add up.
//!
//! `-- --seed 8` makes another day, `-- --users 5` a longer one.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use events::{
    Event, Factory, Ledger, Record, SUNDAY, ShopEvent, fixtures,
    from_message, topics,
};
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{ClientConfig, Message};
use tokio::time::timeout;
use tracing::info;

/// A record that does not come within this time does not come: the topic was deleted, or the broker died.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a record stands: topic, partition, offset.
type Place = (String, i32, i64);

struct Arguments {
    seed: u64,
    users: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => run(&arguments).await,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    match outcome {
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
    let mut arguments = Arguments { seed: 1031, users: 3 };
    while let Some(word) = words.next() {
        let number =
            words.next().and_then(|number| number.parse::<u32>().ok());
        match (word.as_str(), number) {
            ("--seed", Some(seed)) => arguments.seed = seed.into(),
            // A day is held in memory; ten thousand users are some 30 MB.
            ("--users", Some(users @ 1..=10_000)) => {
                arguments.users = users as usize
            }
            _ => {
                return Err(format!(
                    "what is {word:?}? Say --seed NUMBER or --users 1..10000"
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
    config.set("bootstrap.servers", brokers);
    let producer: FutureProducer = config.create()?;
    // A new group begins at the oldest record: the day is sent before the ledger first asks.
    config.set("group.id", "ledger").set("auto.offset.reset", "earliest");
    let consumer: StreamConsumer = config.create()?;
    let stopped = tokio::select! {
        biased; // listens to Ctrl-C before the first record is sent
        signal = tokio::signal::ctrl_c() => signal.map(|()| true).map_err(Into::into),
        done = day(arguments, &producer, &consumer) => done.map(|()| false),
    }?;
    producer.flush(Duration::from_secs(10))?; // sends what is queued
    drop(consumer); // commits, and leaves the group at once
    if stopped {
        info!(target: "run", process = "shop", "stopped");
    }
    Ok(())
}

async fn day(
    arguments: &Arguments,
    producer: &FutureProducer,
    consumer: &StreamConsumer,
) -> anyhow::Result<()> {
    let (seed, users) = (arguments.seed, arguments.users);
    info!(target: "run", process = "shop", seed, users, "started");
    let mut factory = Factory::new(seed, SUNDAY);
    let mut unread = HashSet::new();
    // ANCHOR: send
    for event in factory.day(users) {
        let record = event.to_record()?;
        let r#type = event.data.type_name();
        unread.insert(send(producer, &record, r#type).await?);
    }
    // ANCHOR_END: send
    for bad in fixtures::bad_payloads(&mut factory) {
        let record = FutureRecord::to(bad.topic)
            .key(bad.key.as_str())
            .payload(&bad.json);
        let (partition, offset) = deliver(producer, record).await?;
        let (topic, wrong, key) = (bad.topic, bad.name, bad.key.as_str());
        info!(target: "run", process = "newcomer", topic, partition, offset, key, wrong, "acknowledged");
        unread.insert((topic.to_owned(), partition, offset));
    }
    let sent = unread.len();

    let (mut ledger, mut read, mut refused) = (Ledger::default(), 0, 0);
    consumer.subscribe(&[
        topics::USERS,
        topics::ORDERS,
        topics::PAYMENTS,
    ])?;
    while !unread.is_empty() {
        let Ok(message) = timeout(PATIENCE, consumer.recv()).await else {
            bail!(
                "{} of {sent} records did not arrive in {PATIENCE:?}",
                unread.len()
            );
        };
        let message = message?;
        let (topic, partition, offset) =
            (message.topic(), message.partition(), message.offset());
        if !unread.remove(&(topic.to_owned(), partition, offset)) {
            continue; // of an earlier day, on a broker that was kept
        }
        // ANCHOR: read
        match from_message::<ShopEvent>(&message) {
            Ok(event) => {
                read += 1;
                ledger.tell(&event.data)?;
                let r#type = event.data.type_name();
                info!(
                    target: "run", process = "ledger",
                    topic, partition, offset, r#type, "processed"
                );
            }
            Err(refusal) => {
                refused += 1;
                let reason = refusal.error.to_string();
                info!(
                    target: "run", process = "ledger",
                    topic, partition, offset, reason, "skipped"
                );
            }
        }
        // ANCHOR_END: read
    }
    let (orders, settled) = (ledger.orders().count(), ledger.settled());
    info!(target: "run", process = "shop", sent, read, refused, orders, settled, "outcome");
    Ok(())
}

/// Sends a record, waits until the broker has it, and says where it stands.
async fn send(
    producer: &FutureProducer,
    record: &Record,
    r#type: &str,
) -> anyhow::Result<Place> {
    let (partition, offset) =
        deliver(producer, record.future_record()).await?;
    let (topic, key) = (record.topic(), record.key().as_str());
    info!(target: "run", process = "shop", topic, partition, offset, key, r#type, "acknowledged");
    Ok((topic.to_owned(), partition, offset))
}

async fn deliver<P: rdkafka::message::ToBytes + ?Sized>(
    producer: &FutureProducer,
    record: FutureRecord<'_, str, P>,
) -> Result<(i32, i64), KafkaError> {
    let delivered = producer
        .send(record, PATIENCE)
        .await
        .map_err(|(error, _)| error)?;
    Ok((delivered.partition, delivered.offset))
}
