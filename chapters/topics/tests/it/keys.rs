//! Keys and their partitions, as librdkafka chooses them.

use rdkafka::producer::{FutureProducer, FutureRecord};
use testbed::{TestTopic, cluster};
use topics::Partitioner;

use crate::common::Result;

/// claim: topics-key-decides-partition
///
/// What this crate counts is what librdkafka does, with both hashes and for keys of all lengths: short,
/// long, of no whole number of words, not ASCII.
#[tokio::test]
async fn a_key_goes_where_this_crate_says() -> Result {
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 7).await?;
    let mut keys: Vec<String> =
        (0..40).map(|n| format!("order-{}", n * 37)).collect();
    keys.extend((1..20).map(|length| "x".repeat(length)));
    keys.extend(["grüße", "注文", "🫖"].map(str::to_owned));

    for (name, partitioner) in [
        ("consistent_random", Partitioner::ConsistentRandom),
        ("murmur2_random", Partitioner::Murmur2Random),
    ] {
        let producer: FutureProducer =
            cluster.client_config().set("partitioner", name).create()?;
        let sends = keys.iter().map(|key| {
            let record =
                FutureRecord::to(topic.name()).key(key).payload("");
            (key, producer.send_result(record))
        });
        let sends: Vec<_> = sends.collect();
        for (key, send) in sends {
            let sent = send.map_err(|(error, _)| error)?.await?;
            let sent = sent.map_err(|(error, _)| error)?;
            let counted = partitioner.partition(key.as_bytes(), 7);
            assert_eq!(
                counted,
                u32::try_from(sent.partition).ok(),
                "{name}: {key}"
            );
        }
    }
    Ok(())
}

/// The default of librdkafka is the one that this crate calls so.
#[tokio::test]
async fn librdkafkas_default_is_consistent_random() -> Result {
    let cluster = cluster("").await?;
    let topic = TestTopic::new(&cluster, "orders", 7).await?;
    let producer: FutureProducer = cluster.client_config().create()?;
    for n in 0..20 {
        let key = format!("order-{n}");
        let record = FutureRecord::to(topic.name()).key(&key).payload("");
        let sent = producer.send(record, None).await.map_err(|(e, _)| e)?;
        let counted =
            Partitioner::ConsistentRandom.partition(key.as_bytes(), 7);
        assert_eq!(counted, u32::try_from(sent.partition).ok(), "{key}");
    }
    Ok(())
}
