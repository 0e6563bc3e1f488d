//! Runs and tests with a Kafka of their own: compaction, retention, more partitions, a killed broker.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use testbed::local::{LocalCluster, LocalOptions};
use testbed::{Cluster, TopicSpec, eventually};
use tokio::sync::{Mutex, MutexGuard};
use topics::{
    Admin, AdminError, Allow, Declared, Partitioner, TopicName, moves,
};

use crate::common::{
    PATIENCE, Result, command, has_moments, int, lines, outcome, text, told,
};

/// One cluster at a time: under `cargo test` the tests of a binary run side by side.
async fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::const_new(());
    ONE.lock().await
}

async fn kafka() -> Result<Cluster> {
    Ok(LocalCluster::start(LocalOptions::new(1)).await?.into())
}

/// claim: topics-added-partitions-move-keys
///
/// Orders are placed in three partitions and cancelled in six. Those that this crate says move do move, no other
/// does, and each of them is packed after its cancellation was read.
#[tokio::test]
async fn added_partitions_move_keys() -> Result {
    let _alone = alone().await;
    let cluster = kafka().await?;
    cluster.create_topic(&"orders:3".parse::<TopicSpec>()?).await?;
    let run =
        told(command("topics_moved", Some(&cluster.bootstrap))).await?;

    has_moments(&run, "moved")?;
    let at = |event: &str, key: &str| {
        lines(&run, "acknowledged")
            .find(|line| {
                text(line, "event") == event && text(line, "key") == key
            })
            .map(|line| int(line, "partition"))
    };
    let keys: Vec<String> = (1..=6).map(|n| format!("order-{n}")).collect();
    let moved = moves(
        Partitioner::ConsistentRandom,
        keys.iter().map(String::as_str),
        3,
        6,
    );
    assert!(!moved.is_empty() && moved.len() < keys.len());
    for key in &keys {
        let (placed, cancelled) = (at("placed", key), at("cancelled", key));
        match moved.iter().find(|one| one.key == key) {
            Some(one) => assert_eq!(
                (placed, cancelled),
                (Some(one.from.into()), Some(one.to.into())),
            ),
            None => assert_eq!(placed, cancelled, "{key} stays"),
        }
    }
    assert_eq!(outcome(&run, "moved")?, moved.len() as i64);
    assert_eq!(outcome(&run, "too_late")?, moved.len() as i64);
    Ok(())
}

/// claim: topics-compaction-keeps-the-last
///
/// Of eight prices four are left, the last of each key below the active segment and the active one, at the offsets
/// that they had; the second cleaning takes the tombstone too.
#[tokio::test]
async fn compaction_keeps_the_last_of_each_key() -> Result {
    let _alone = alone().await;
    let run = told(command("topics_compacted", None)).await?;

    has_moments(&run, "compacted")?;
    let cleaned: Vec<i64> =
        lines(&run, "cleaned").map(|line| int(line, "offset")).collect();
    assert_eq!(cleaned, [0, 1, 2, 3, 4, 6]);
    assert_eq!((outcome(&run, "first")?, outcome(&run, "second")?), (4, 2));
    assert_eq!(outcome(&run, "left")?, 3);
    Ok(())
}

/// claim: topics-retention-waits-for-nobody
///
/// Three groups have committed 3 when retention deletes everything below 10. `earliest` goes on at 10 and `latest` at
/// the end, both with a warning of librdkafka and without an error; `error` stops.
#[tokio::test]
async fn retention_waits_for_no_consumer() -> Result {
    let _alone = alone().await;
    let run = told(command("topics_overtaken", None)).await?;

    has_moments(&run, "overtaken")?;
    assert_eq!(outcome(&run, "log_start")?, 10);
    assert_eq!(outcome(&run, "support_missed")?, 7);
    assert_eq!(outcome(&run, "statistics_missed")?, 22);
    let resets: Vec<_> = lines(&run, "reset")
        .map(|line| {
            assert_eq!(text(line, "reason"), "Offset out of range");
            (line.process(), int(line, "from"), text(line, "to"))
        })
        .collect();
    assert_eq!(
        resets,
        [
            (Some("support"), 3, "log start"),
            (Some("statistics"), 3, "log end"),
        ]
    );
    let failed: Vec<_> = lines(&run, "failed").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(text(failed[0], "error_code"), "AutoOffsetReset");
    Ok(())
}

/// claim: topics-half-an-apply-is-no-apply
///
/// The broker is killed while sixty topics are being created. The answer is an error that lists what was made, not
/// a success; once the broker runs again, the plan holds what is left, and applying again makes it.
#[tokio::test]
async fn a_broker_killed_in_an_apply_is_mended_by_applying_again() -> Result
{
    let _alone = alone().await;
    let cluster = kafka().await?;
    let mut config = cluster.client_config();
    config
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "200");
    let yaml: String = (0..60)
        .map(|n| format!("- {{ name: orders-{n}, partitions: 2, replication_factor: 1 }}\n"))
        .collect();
    let declared = Declared::from_yaml(&format!("topics:\n{yaml}"))?;
    let admin = Admin::with_patience(&config, Duration::from_secs(5))?;

    let applying = tokio::spawn({
        let (admin, declared) = (admin.clone(), declared.clone());
        async move { admin.apply(&declared, Allow::default()).await }
    });
    let looker: BaseConsumer = config.create()?;
    eventually(PATIENCE, "some topics are there", async || {
        let look = || looker.fetch_metadata(None, Duration::from_secs(5));
        let found = look().map_err(|error| error.to_string())?;
        let made = found
            .topics()
            .iter()
            .filter(|topic| topic.name().starts_with("orders-"));
        match made.count() {
            made if made >= 5 => Ok(()),
            made => Err(format!("{made} are")),
        }
    })
    .await?;
    let broker = cluster.as_local().ok_or("not local")?.broker(1)?;
    broker.kill().await?;

    let applied = match applying.await? {
        Err(AdminError::Failed { applied, .. }) => applied,
        other => panic!("killed in the middle, and it said {other:?}"),
    };
    assert!(applied.len() < 60);

    broker.restart().await?;
    let names: Vec<&TopicName> =
        applied.iter().map(|one| &one.topic).collect();
    let left =
        eventually(PATIENCE, "the broker answers again", async || {
            admin.plan(&declared).await.map_err(|error| error.to_string())
        })
        .await?;
    assert!(!left.is_empty(), "some were not made");
    for topic in &left.topics {
        assert!(
            topic.changes.is_empty() || !names.contains(&&topic.name),
            "{} was said to be made",
            topic.name
        );
    }
    admin.apply(&declared, Allow::default()).await?;
    assert!(admin.plan(&declared).await?.is_empty());
    Ok(())
}
