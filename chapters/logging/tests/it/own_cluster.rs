//! The guided run on a real Kafka of its own, since the names of its topics stand in the program.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rdkafka::consumer::{Consumer, StreamConsumer};
use testbed::kind::BrokerChoice;
use testbed::needs::Needs;
use testbed::{Cluster, eventually};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use crate::PATIENCE;
use crate::guided_run::{
    create_topics, interrupt, last_story_line, outcome, program,
    recorded_on,
};

/// Three orders go through the shop, on Kafka itself. Then a second customer's day begins, and somebody presses
/// Ctrl-C while mail still waits: another member of its group holds a partition. The run says that it stops, ends
/// with 0, and has left the group: the other member gets all partitions at once, long before the session of a
/// lost member would end.
#[tokio::test]
async fn orders_are_followed_and_ctrl_c_leaves_the_group() -> Result<()> {
    let cluster =
        Cluster::start(&BrokerChoice::Local, &Needs::default()).await?;
    create_topics(&cluster).await?;
    let run = recorded_on(&cluster, &[]).await?;
    assert_eq!(
        outcome(&run),
        r#"{"process":"shop","orders":3,"mailed":3,"unbroken":3}"#
    );

    let other: StreamConsumer =
        cluster.client_config().set("group.id", "mail").create()?;
    other.subscribe(&["deliveries"])?;
    let other = Arc::new(other);
    let reading = Arc::clone(&other);
    let reader = tokio::spawn(async move {
        loop {
            // What is read does not matter, nor what goes wrong: polling keeps the membership.
            let _ = reading.recv().await;
        }
    });
    let holds = async |wanted: fn(usize) -> bool| {
        eventually(
            PATIENCE,
            "the partitions of the other member of mail",
            async || {
                let count = other
                    .assignment()
                    .map_err(|error| error.to_string())?
                    .count();
                if wanted(count) {
                    Ok(())
                } else {
                    Err(format!("it holds {count}"))
                }
            },
        )
        .await
    };
    holds(|count| count == 3).await?;
    let mut child = program(&cluster.bootstrap)?.spawn()?;
    let mut lines =
        BufReader::new(child.stdout.take().context("no stdout")?).lines();
    timeout(PATIENCE, lines.next_line()).await??.context("no line")?;
    holds(|count| count < 3).await?;

    interrupt(&child)?;

    assert_eq!(last_story_line(lines).await?.message, "stopped");
    assert!(timeout(PATIENCE, child.wait()).await??.success());
    let ended = Instant::now();
    holds(|count| count == 3).await?;
    assert!(
        ended.elapsed() < Duration::from_secs(20),
        "left by time-out: {:?}",
        ended.elapsed()
    );
    reader.abort();
    Ok(())
}
