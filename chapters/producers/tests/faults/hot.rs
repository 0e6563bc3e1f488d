//! One key has nearly half of all records: `cargo xtask run producers hot`
//!
//! A thousand offers in the shop's marketplace, keyed by their seller; one seller has 400 of them. They are sent
//! three times: hashed as they come, to twice as many partitions, and with the hot seller spread over four.
#![forbid(unsafe_code)]

use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::Context;
use producers::partition::{
    Balance, HotKeys, Murmur2, Partitioner, Record, Rule, SpaceSaving,
    SplitMix64, Spread, Sticky,
};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use tracing::info;

const OFFERS: u32 = 1_000;
const SIX: NonZeroU32 = NonZeroU32::new(6).unwrap();
const TWELVE: NonZeroU32 = NonZeroU32::new(12).unwrap();
const WAYS: NonZeroU32 = NonZeroU32::new(4).unwrap();

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let brokers = std::env::var("KAFKA_BROKERS").context(
        "KAFKA_BROKERS is not set: run this through `cargo xtask run`",
    )?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    tokio::select! {
        biased;
        signal = tokio::signal::ctrl_c() => {
            signal?;
            info!(target: "run", process = "shop", "stopped");
        }
        done = shop(&config) => done?,
    }
    Ok(())
}

/// Four of ten offers are of seller-0, the others of 200 sellers.
fn sellers() -> Vec<String> {
    let mut random = SplitMix64::new(1031);
    let mut draw =
        |end| NonZeroU32::new(end).map_or(0, |end| random.below(end));
    (0..OFFERS)
        .map(|_| if draw(10) < 4 { 0 } else { 1 + draw(200) })
        .map(|n| format!("seller-{n}"))
        .collect()
}

async fn shop(config: &ClientConfig) -> anyhow::Result<()> {
    let producer: FutureProducer = config.create()?;
    let sellers = sellers();
    let mut counter = SpaceSaving::new(WAYS);
    for seller in &sellers {
        counter.count(seller.as_bytes());
    }
    let hot: Vec<Vec<u8>> =
        counter.hot(20).into_iter().map(|(key, _)| key.to_vec()).collect();
    for key in &hot {
        let key = String::from_utf8_lossy(key);
        info!(target: "run", process = "counter", %key, "hot");
    }
    let sticky = || Sticky::new(Rule::Bytes(16_384), 0);
    let hashed =
        send(&producer, "offers", SIX, Murmur2::new(sticky()), &sellers)
            .await?;
    let doubled = send(
        &producer,
        "offers-12",
        TWELVE,
        Murmur2::new(sticky()),
        &sellers,
    )
    .await?;
    let spread = Spread::new(HotKeys::Named(hot), WAYS, sticky());
    let spread = send(&producer, "offers", SIX, spread, &sellers).await?;
    let fullest = |balance: &Balance| {
        balance.counts().iter().copied().max().unwrap_or(0)
    };
    let (hashed, doubled, spread) =
        (fullest(&hashed), fullest(&doubled), fullest(&spread));
    info!(target: "run", process = "shop", offers = OFFERS, hashed, doubled, spread, "outcome");
    Ok(())
}

/// Sends each offer to the partition that `partitioner` chooses; how many each partition got, by the broker's answers.
async fn send(
    producer: &FutureProducer,
    topic: &str,
    partitions: NonZeroU32,
    mut partitioner: impl Partitioner,
    sellers: &[String],
) -> anyhow::Result<Balance> {
    let mut waiting = Vec::new();
    for seller in sellers {
        // ANCHOR: choose
        let record = Record::keyed(seller.as_bytes());
        let partition = partitioner.partition(record, partitions);
        let record = FutureRecord::to(topic)
            .key(seller)
            .payload("mug")
            .partition(i32::try_from(partition)?);
        // ANCHOR_END: choose
        waiting.push(
            producer.send_result(record).map_err(|(error, _)| error)?,
        );
    }
    let mut balance = Balance::new(partitions.get());
    for answer in waiting {
        let delivered =
            tokio::time::timeout(Duration::from_secs(60), answer)
                .await??
                .map_err(|(error, _)| error)?;
        balance.count(u32::try_from(delivered.partition)?);
    }
    for (partition, records) in balance.counts().iter().enumerate() {
        info!(target: "run", process = "shop", topic, partition, records, "counted");
    }
    Ok(balance)
}
