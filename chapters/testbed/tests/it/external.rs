//! A cluster that the reader names: what it is asked, and what is said when it does not answer.

use std::time::{Duration, Instant};

use testbed::embedded::Embedded;
use testbed::external::{ExternalError, Settings, ask};
use testbed::kind::{BrokerChoice, Kind};
use testbed::needs::{Need, Needs};
use testbed::{Cluster, ClusterError};
use tokio::net::TcpListener;

use crate::Result;

/// An address where nobody listens.
async fn nobody() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?.to_string())
}

/// Nobody listens: one message, within the deadline, that says what was heard and what to check.
#[tokio::test]
async fn an_address_where_nobody_listens_is_one_message() -> Result {
    let address = nobody().await?;
    let settings =
        Settings::new(&address)?.with_deadline(Duration::from_secs(1));
    let start = Instant::now();
    let error = ask(settings).await.expect_err("nobody listens there");
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );
    assert!(matches!(error, ExternalError::NoAnswer { .. }), "{error:?}");
    let said = error.to_string();
    // Troubleshooting shows this file, a clause a line.
    let shown = said
        .replace(&address, "127.0.0.1:9092")
        .replace(" (", "\n  (")
        .replace("failed: ", "failed:\n   ")
        .replace(". Check", ".\n  Check")
        .replace("run, ", "run,\n  ")
        .replace("clients, ", "clients,\n  ")
        .replace("SASL, ", "SASL,\n  ");
    assert_eq!(shown + "\n", include_str!("output/no_answer.txt"));
    Ok(())
}

/// Somebody takes connections and says nothing, as behind a firewall that drops what we send.
#[tokio::test]
async fn a_silent_address_is_given_up_in_time() -> Result {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let settings = Settings::new(&listener.local_addr()?.to_string())?
        .with_deadline(Duration::from_secs(1));
    let start = Instant::now();
    let error = ask(settings).await.expect_err("nobody speaks there");
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );
    assert!(matches!(error, ExternalError::NoAnswer { .. }), "{error:?}");
    Ok(())
}

/// A built-in broker of another program is recognised, and believed to give no more than it does.
#[tokio::test]
async fn a_mock_gives_what_a_mock_gives() -> Result {
    let mock = Embedded::start(3)?;
    let connection =
        ask(Settings::new(&mock.connection().bootstrap)?).await?;
    assert_eq!(connection.kind, Kind::External);
    assert_eq!(connection.capabilities, mock.connection().capabilities);
    Ok(())
}

/// Needs are judged by what the cluster answered, and what it lacks is named.
#[tokio::test]
async fn what_a_cluster_lacks_is_named() -> Result {
    let mock = Embedded::start(1)?;
    let choice =
        BrokerChoice::External(Some(mock.connection().bootstrap.clone()));
    let needs: Needs = "brokers=3, txn, admin".parse()?;
    match Cluster::start(&choice, &needs).await {
        Err(ClusterError::Lacks { missing, .. }) => {
            assert_eq!(missing.to_string(), "brokers=3, admin")
        }
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("a mock answers no admin request".into()),
    }
    Ok(())
}

/// With clusters that are asked for real.
mod real_kafka {
    use super::*;
    use rdkafka::consumer::{BaseConsumer, Consumer};
    use testbed::{TestTopic, cluster, eventually};

    /// A plain Kafka gives all that needs no further configuration, and is not taken for more.
    #[tokio::test]
    async fn a_plain_kafka_is_judged_by_its_answers() -> Result {
        let real = cluster("admin").await?;
        let connection = ask(Settings::new(&real.bootstrap)?).await?;
        assert_eq!(
            connection.capabilities.brokers,
            real.capabilities.brokers
        );
        let wanted: Needs =
            "txn, admin, idempotence, isolation, timestamps, retention, compaction, volume, kip848"
                .parse()?;
        assert_eq!(
            connection.capabilities.missing(&wanted).to_string(),
            ""
        );
        for absent in
            [Need::Acl, Need::Tls, Need::Sasl, Need::Kill, Need::Registry]
        {
            assert!(
                !connection
                    .capabilities
                    .serve(&[absent].into_iter().collect()),
                "{absent}"
            );
        }
        Ok(())
    }

    /// A test's topic on somebody else's cluster goes with the test, also when it panics.
    #[tokio::test]
    async fn a_topic_is_cleaned_up_when_its_test_panics() -> Result {
        let real = cluster("admin").await?;
        let choice = BrokerChoice::External(Some(real.bootstrap.clone()));
        let yours = Cluster::start(&choice, &"admin".parse()?).await?;
        let topic = TestTopic::new(&yours, "orders", 1).await?;
        let name = topic.name().to_owned();
        let is_there = |name: &str| -> Result<bool> {
            let client: BaseConsumer = real.client_config().create()?;
            let all =
                client.fetch_metadata(None, Duration::from_secs(10))?;
            Ok(all.topics().iter().any(|topic| topic.name() == name))
        };
        assert!(is_there(&name)?);
        let panicked = tokio::task::spawn_blocking(move || {
            let _topic = topic;
            panic!("a test that fails (this line is expected)");
        })
        .await;
        assert!(panicked.is_err_and(|error| error.is_panic()));
        // The broker that says so may hear of the deletion later than the one that was asked for it.
        eventually(
            Duration::from_secs(30),
            "the topic is gone",
            async || match is_there(&name) {
                Ok(false) => Ok(()),
                Ok(true) => Err("it is there".to_owned()),
                Err(error) => Err(error.to_string()),
            },
        )
        .await?;
        Ok(())
    }
}

/// With clusters that are configured, or reached, in a way of their own.
mod own_cluster {
    use super::*;
    use crate::own_cluster::alone;
    use testbed::local::{LocalCluster, LocalOptions};

    /// An authorizer in the broker's configuration is `acl`.
    #[tokio::test]
    async fn an_authorizer_is_seen() -> Result {
        let _alone = alone().await;
        let options = LocalOptions::new(1)
            .property(
                "authorizer.class.name",
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            )
            .property("super.users", "User:ANONYMOUS");
        let cluster = LocalCluster::start(options).await?;
        let connection =
            ask(Settings::new(&cluster.connection().bootstrap)?).await?;
        assert!(connection.capabilities.serve(&"acl, admin".parse()?));
        Ok(())
    }

    /// The classic: the bootstrap server answers, and the address that the broker advertises leads
    /// nowhere. The message names the address.
    #[tokio::test]
    async fn an_advertised_address_that_leads_nowhere_is_named() -> Result {
        let _alone = alone().await;
        let nowhere = nobody().await?;
        let cluster = LocalCluster::start(
            LocalOptions::new(1).advertised(1, &nowhere),
        )
        .await?;
        let bootstrap = cluster.broker(1)?.address();
        let settings = Settings::new(&bootstrap)?
            .with_deadline(Duration::from_secs(2));
        let error = ask(settings)
            .await
            .expect_err("the advertised address leads nowhere");
        assert!(
            matches!(error, ExternalError::Unreachable { .. }),
            "{error:?}"
        );
        let said = error.to_string();
        assert!(
            said.contains(&nowhere)
                && said.contains("advertised.listeners"),
            "{said}"
        );
        Ok(())
    }
}
