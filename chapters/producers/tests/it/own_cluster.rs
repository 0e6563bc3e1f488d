//! Acknowledgements cut off by a proxy before a real Kafka.

use producers::Record;
use testbed::local::{LocalCluster, LocalOptions};
use testbed::proxy::{Proxy, Then};
use testbed::{Cluster, TopicSpec};
use tokio::time::timeout;

use crate::common::{PATIENCE, Result, command, config, start, stored};

/// Produce, in the protocol's table of API keys.
const PRODUCE: i16 = 0;

/// claim: producers-a-lost-answer-doubles-records
///
/// 1,000 orders, 1,000 acknowledged, ten answers lost on the way: without idempotence the log holds each batch
/// twice whose answer was lost, with it each record once.
#[tokio::test]
async fn lost_acknowledgements_double_records_unless_they_are_numbered()
-> Result {
    let mut program = command("producers_cut", "unused")?;
    let output = timeout(PATIENCE * 2, program.output()).await??;
    let printed = String::from_utf8(output.stdout)?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{said}");

    let all_acknowledged =
        printed.lines().filter(|line| line.contains("acknowledged=1000"));
    assert_eq!(all_acknowledged.count(), 2, "{printed}");
    let last = printed.lines().last().unwrap_or_default();
    assert!(
        last.ends_with("sent=1000  plain=1100  numbered=1000"),
        "{printed}"
    );
    Ok(())
}

/// claim: producers-numbered-records-keep-their-order
///
/// Five requests may be without answer when an answer is cut off, five times over: with idempotence all that were
/// without answer are sent again, and the log holds each record once, in the order in which it was sent.
#[tokio::test]
async fn numbered_records_stand_in_order_after_retries() -> Result {
    const ORDERS: usize = 100;
    let proxy = Proxy::start().await?;
    let options =
        LocalOptions::new(1).advertised(1, proxy.address().to_string());
    let kafka = LocalCluster::start(options).await?;
    proxy.set_upstream(kafka.broker(1)?.address().parse()?);
    let cluster: Cluster = kafka.into();
    cluster.create_topic(&"orders:1".parse::<TopicSpec>()?).await?;
    let mut config = config(&cluster);
    config.extra.insert("batch.num.messages".into(), "1".into());
    for (key, ms) in [
        ("reconnect.backoff.ms", "50"),
        ("reconnect.backoff.max.ms", "100"),
    ] {
        config.extra.insert(key.into(), ms.into());
    }
    let (producer, outcomes) = start(&config)?;
    for round in 0..5 {
        proxy.at_answer(PRODUCE, Then::Cut);
        for token in round * ORDERS / 5..(round + 1) * ORDERS / 5 {
            producer.send(Record::new("orders", b"2 mugs", token)).await?;
        }
        producer.flush().await?;
    }

    let mut log = Vec::new();
    for outcome in outcomes.all() {
        log.push((outcome.result?.offset, outcome.token));
    }
    log.sort_unstable();
    let tokens: Vec<_> = log.iter().map(|(_, token)| *token).collect();
    assert_eq!(tokens, (0..ORDERS).collect::<Vec<_>>());
    assert_eq!(stored(&cluster, "orders")?, ORDERS as i64);
    Ok(())
}
