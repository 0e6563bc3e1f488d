//! The audit asks a live cluster, and says what is wrong where it cannot.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use replication::{Loss, Producer, Topic, audit, live};
use testbed::{Cluster, TestTopic, TopicSpec, cluster};

use crate::Result;

const PATIENCE: Duration = Duration::from_secs(30);

async fn topic(
    cluster: &Cluster,
    config: &[(&str, &str)],
) -> Result<TestTopic> {
    let mut spec: TopicSpec = "orders:2".parse()?;
    let owned = |(name, value): &(&str, &str)| {
        ((*name).to_owned(), (*value).to_owned())
    };
    spec.config = config.iter().map(owned).collect();
    Ok(TestTopic::with(cluster, spec).await?)
}

/// Runs the program that Cargo has built beside this test.
fn run(cluster: &Cluster, arguments: &[&str]) -> Result<Output> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(Path::parent);
    let folder =
        folder.ok_or_else(|| anyhow::anyhow!("no target folder"))?;
    Ok(Command::new(folder.join("examples/replication_audit"))
        .args(arguments)
        .env("KAFKA_BROKERS", &cluster.bootstrap)
        .env("RUST_BACKTRACE", "0")
        .env("NO_COLOR", "1")
        .output()?)
}

/// What the topic says, what the brokers say for it, and Kafka's default, all come from the cluster.
#[tokio::test]
async fn a_topics_settings_are_asked_of_the_cluster() -> Result {
    let cluster = cluster("admin").await?;
    let brokers = (cluster.capabilities.brokers as usize).min(3);
    let config = [
        ("unclean.leader.election.enable", "true"),
        ("flush.messages", "1"),
        ("min.insync.replicas", "1"),
    ];
    let orders = topic(&cluster, &config).await?;
    let found =
        live::topic(&cluster.client_config(), orders.name(), PATIENCE)
            .await?;
    let expected = Topic {
        replicas: brokers,
        in_sync: brokers,
        min_in_sync: 1,
        unclean: true,
        flush_messages: 1,
        ..Topic::default()
    };
    assert_eq!(found, expected);
    let producer = Producer::of(replication::Client::Java);
    let worst = audit(&producer, &found).one.loss;
    assert!(worst > Loss::Nothing, "{worst:?}");
    Ok(())
}

/// claim: the-audit-asks-a-live-cluster
///
/// The command prints a verdict for each failure, and its exit code says whether one failure can lose something.
#[tokio::test]
async fn the_command_says_what_a_topic_can_lose() -> Result {
    let cluster = cluster("admin").await?;
    let orders = topic(&cluster, &[("min.insync.replicas", "1")]).await?;
    let output = run(&cluster, &[orders.name(), "--set", "acks=0"])?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for wanted in
        ["one failure", "two failures", "power cut", "lost", "acks=0"]
    {
        assert!(said.contains(wanted), "no {wanted}: {said}");
    }
    Ok(())
}

/// A topic that is not there is not made by asking, and each mistake says what to do.
#[tokio::test]
async fn what_cannot_be_audited_is_said() -> Result {
    let cluster = cluster("admin").await?;
    let name = testbed::unique_name("nobody");
    let config = cluster.client_config();
    for _ in 0..2 {
        let error =
            live::topic(&config, &name, PATIENCE).await.unwrap_err();
        assert!(
            matches!(error, live::LiveError::NoTopic { .. }),
            "{error:?}"
        );
    }
    for (arguments, wanted) in [
        (vec![name.as_str()], "there is no topic"),
        (
            vec!["orders", "--set", "acks=2"],
            "acks=2: write 0, 1, all or -1",
        ),
        (vec!["orders", "--set", "acks"], "write name=value"),
        (
            vec![
                "orders",
                "--set",
                "acks=1",
                "--set",
                "enable.idempotence=true",
            ],
            "exclude each other: set acks=all",
        ),
        (vec!["orders", "--producer", "/no/such/file"], "cannot be read"),
        (vec!["orders", "--client", "go"], "librdkafka or java"),
    ] {
        let output = run(&cluster, &arguments)?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    }
    Ok(())
}
