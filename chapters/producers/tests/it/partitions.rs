//! Our hashes beside librdkafka's own, our partitioners inside its producers, and Java's class asked again.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use producers::partition::{
    HotKeys, Partitioned, Partitioner, Rule, Spread, Sticky, Weighted,
    crc32, partition_for_key, partitioned_config,
};
use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{
    BaseRecord, FutureProducer, FutureRecord, Producer, ProducerContext,
    ThreadedProducer,
};
use testbed::{Cluster, TestTopic, cluster};

/// Longer than anything here takes, so that a hanging test ends with a message.
const PATIENCE: Duration = Duration::from_secs(60);
const TWELVE: NonZeroU32 = NonZeroU32::new(12).unwrap();

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The keys of `interop/keys.tsv`; `None` is no key.
fn keys() -> Vec<Option<Vec<u8>>> {
    let hex = |text: &str| -> Vec<u8> {
        let byte = |at| {
            u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap_or(0)
        };
        (0..text.len() / 2).map(byte).collect()
    };
    let rows = include_str!("../../interop/keys.tsv").lines().skip(1);
    rows.map(|row| row.split('\t').next().unwrap_or_default())
        .map(|key| (key != "null").then(|| hex(key)))
        .collect()
}

/// Sends every key with this partitioner of librdkafka; where each ended, by the broker's answer.
async fn sent_with(
    cluster: &Cluster,
    partitioner: Option<&str>,
    keys: &[Option<Vec<u8>>],
) -> Result<Vec<u32>> {
    let topic = TestTopic::new(cluster, "keys", 12).await?;
    let mut config = cluster.client_config();
    if let Some(partitioner) = partitioner {
        config.set("partitioner", partitioner);
    }
    let producer: FutureProducer = config.create()?;
    let mut waiting = Vec::new();
    for key in keys {
        let mut record: FutureRecord<'_, [u8], str> =
            FutureRecord::to(topic.name()).payload("");
        record.key = key.as_deref();
        waiting.push(
            producer.send_result(record).map_err(|(error, _)| error)?,
        );
    }
    let mut places = Vec::new();
    for answer in waiting {
        let delivered = tokio::time::timeout(PATIENCE, answer)
            .await??
            .map_err(|(error, _)| error)?;
        places.push(u32::try_from(delivered.partition)?);
    }
    Ok(places)
}

/// claim: librdkafka-can-hash-as-java
///
/// With `partitioner=murmur2_random` each of the golden keys goes where our murmur2, and so Java's, puts it.
#[tokio::test]
async fn librdkafka_hashes_as_java_when_told_to() -> Result {
    let keys = keys();
    let places =
        sent_with(&cluster("").await?, Some("murmur2_random"), &keys)
            .await?;
    let mut compared = 0;
    for (key, place) in keys.iter().zip(places) {
        let Some(key) = key else { continue };
        assert_eq!(place, partition_for_key(key, TWELVE), "{key:?}");
        compared += 1;
    }
    assert_eq!(compared, 541, "an empty key is a key here");
    Ok(())
}

/// claim: librdkafkas-default-is-crc32
///
/// Nothing is set: each key goes where CRC-32 puts it, and most are elsewhere than Java's client would have them.
#[tokio::test]
async fn librdkafkas_default_is_crc32() -> Result {
    let keys = keys();
    let places = sent_with(&cluster("").await?, None, &keys).await?;
    let (mut compared, mut as_java) = (0, 0);
    for (key, place) in keys.iter().zip(places) {
        // An empty key counts as none.
        let Some(key) = key.as_ref().filter(|key| !key.is_empty()) else {
            continue;
        };
        assert_eq!(place, crc32(key) % TWELVE, "{key:?}");
        compared += 1;
        as_java += u32::from(place == partition_for_key(key, TWELVE));
    }
    assert_eq!(compared, 540);
    assert!(as_java < 540 / 6, "{as_java} agree; chance is a twelfth");
    Ok(())
}

/// Where deliveries ended.
#[derive(Clone, Default)]
struct Places(Arc<std::sync::Mutex<BTreeMap<i32, u64>>>, Arc<AtomicUsize>);

impl ClientContext for Places {}
impl ProducerContext for Places {
    type DeliveryOpaque = ();
    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(record) => {
                if let Ok(mut places) = self.0.lock() {
                    *places.entry(record.partition()).or_default() += 1;
                }
            }
            Err(_) => {
                self.1.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Sends these keys through a producer that has our partitioner inside.
async fn sent_through<P>(
    partitioner: P,
    keys: &[Option<Vec<u8>>],
) -> Result<BTreeMap<i32, u64>>
where
    P: Partitioner + Send + 'static,
{
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "keys", 12).await?;
    let config = partitioned_config(&cluster.client_config());
    let places = Places::default();
    let context = Partitioned::new(partitioner, places.clone());
    let producer: ThreadedProducer<_, _> =
        ThreadedProducer::from_config_and_context(&config, context)?;
    for key in keys {
        let mut record: BaseRecord<'_, [u8], str> =
            BaseRecord::to(topic.name()).payload("");
        record.key = key.as_deref();
        producer.send(record).map_err(|(error, _)| error)?;
    }
    producer.flush(PATIENCE)?;
    assert_eq!(places.1.load(Ordering::Relaxed), 0, "none failed");
    let places = places.0.lock().map_err(|_| "poisoned")?.clone();
    Ok(places)
}

/// claim: our-partitioners-decide-inside-rdkafka
///
/// Weights decide inside rdkafka's producer, for records without a key too.
#[tokio::test]
async fn our_partitioners_decide_inside_rdkafka() -> Result {
    let mut weights = vec![0; 12];
    (weights[3], weights[7]) = (1, 3);
    let mut keys = keys();
    keys.extend(vec![None; 60]);
    let places = sent_through(Weighted::new(weights, 5)?, &keys).await?;

    assert_eq!(places.keys().collect::<Vec<_>>(), [&3, &7]);
    assert_eq!(places.values().sum::<u64>(), 602);
    assert!(places[&7] > 2 * places[&3], "{places:?}");
    Ok(())
}

/// A hot key by name: its records stand in as many partitions as it was given, the other keys in their own.
#[tokio::test]
async fn a_hot_key_is_spread_by_rdkafka() -> Result {
    let sticky = Sticky::new(Rule::Time(Duration::from_millis(10)), 1);
    let hot = HotKeys::Named(vec![b"seller-0".to_vec()]);
    let ways = NonZeroU32::new(4).ok_or("zero")?;
    let spread = Spread::new(hot, ways, sticky);
    let expected = spread.partitions_of(b"seller-0", TWELVE);
    let keys = vec![Some(b"seller-0".to_vec()); 100];
    let places = sent_through(spread, &keys).await?;

    let mut expected: Vec<i32> =
        expected.into_iter().map(|p| p as i32).collect();
    expected.sort_unstable();
    assert_eq!(places.keys().copied().collect::<Vec<_>>(), expected);
    assert!(places.values().all(|n| *n == 25), "{places:?}");
    Ok(())
}
