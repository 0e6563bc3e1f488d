//! TLS with certificates made on the spot: who is let in, and with which words the others are not.
//!
//! These tests need OpenSSL and Java; they are in a module of this name so that a runner can leave
//! them out where one is missing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use testbed::certificates::{Authority, Request};
use testbed::external::{ExternalError, Settings, ask};
use testbed::local::{Listener, LocalCluster, LocalOptions};
use testbed::needs::Need;
use testbed::{Cluster, Connection, TestTopic, unique_name};
use tokio::time::timeout;

use crate::Result;

const PATIENCE: Duration = Duration::from_secs(30);

/// What librdkafka says of every broker certificate that it does not accept.
const UNVERIFIED: &str =
    "certificate verify failed: broker certificate could not be verified";

/// What a client with these properties is told at these servers.
async fn ask_with(
    servers: &str,
    properties: &BTreeMap<String, String>,
) -> std::result::Result<Connection, ExternalError> {
    let settings = properties
        .iter()
        .fold(Settings::new(servers)?, |settings, (name, value)| {
            settings.with_property(name, value)
        });
    ask(settings.with_deadline(PATIENCE)).await
}

/// What the client says when it is not let in.
async fn refusal(
    servers: &str,
    properties: &BTreeMap<String, String>,
) -> Result<String> {
    match ask_with(servers, properties).await {
        Err(ExternalError::NotLetIn { said, .. }) => Ok(said.join("\n")),
        Err(error) => {
            Err(format!("refused, but otherwise: {error}").into())
        }
        Ok(_) => Err("it was let in".into()),
    }
}

/// A listener `name` for TLS, with the keystore in these files.
fn listener(
    options: LocalOptions,
    name: &str,
    properties: &BTreeMap<String, String>,
) -> LocalOptions {
    let prefix = format!("listener.name.{}", name.to_lowercase());
    properties.iter().fold(
        options.listener(name, "SSL"),
        |options, (property, value)| {
            options.property(format!("{prefix}.{property}"), value)
        },
    )
}

/// A broker whose first listener shows a good certificate, and further ones that show bad ones.
struct Shop {
    cluster: LocalCluster,
    authority: Authority,
    /// What a client needs that trusts the shop's authority.
    trusting: BTreeMap<String, String>,
}

impl Shop {
    async fn start(folder: &Path) -> Result<Shop> {
        let authority = Authority::new("shop")?;
        let files = |request: Request, name: &str| {
            authority.issue(&request)?.write(folder, name)
        };
        let good = files(Request::broker(), "broker")?.broker_properties();
        let expired = files(Request::broker().expired(), "expired")?
            .broker_properties();
        let elsewhere =
            files(Request::broker().hosts(["kafka.example"]), "elsewhere")?
                .broker_properties();
        let trusting = authority.client_properties(folder, "authority")?;

        let first =
            Listener { name: "GOOD".into(), protocol: "SSL".into() };
        let mut options = LocalOptions::new(1).listeners([first]);
        for (property, value) in &good {
            options = options
                .property(format!("listener.name.good.{property}"), value);
        }
        for (name, value) in &trusting {
            options = options.client_property(name, value);
        }
        options = listener(options, "EXPIRED", &expired);
        options = listener(options, "ELSEWHERE", &elsewhere);
        options = listener(options, "MUTUAL", &good);
        options = options
            .property("listener.name.mutual.ssl.client.auth", "required");
        Ok(Shop {
            cluster: LocalCluster::start(options).await?,
            authority,
            trusting,
        })
    }

    fn at(&self, listener: &str) -> String {
        self.cluster.bootstrap_of(listener)
    }
}

/// On a Kafka of its own, with a listener for each certificate.
mod own_cluster {
    use super::*;
    use crate::own_cluster::alone;

    /// One broker, four listeners: the good client produces and reads, and each bad certificate is
    /// refused by the side that must refuse it, with words that say why.
    #[tokio::test]
    async fn each_bad_certificate_is_refused_in_its_own_words() -> Result {
        let _alone = alone().await;
        let folder = tempfile::tempdir()?;
        let shop = Shop::start(folder.path()).await?;

        let trusting = &shop.trusting;
        let connection = ask_with(&shop.at("GOOD"), trusting).await?;
        assert!(
            connection
                .capabilities
                .serve(&[Need::Tls, Need::Admin].into_iter().collect())
        );

        // A broker whose authority the client does not know, one whose certificate ran out yesterday,
        // one that shows the certificate of another host: librdkafka says the same of all three.
        let stranger = Authority::new("stranger")?;
        let trusts_stranger =
            stranger.client_properties(folder.path(), "stranger")?;
        for (listener, properties) in [
            ("GOOD", &trusts_stranger),
            ("EXPIRED", trusting),
            ("ELSEWHERE", trusting),
        ] {
            let said = refusal(&shop.at(listener), properties).await?;
            assert!(said.contains(UNVERIFIED), "{listener}: {said}");
        }
        // That it was these and nothing else shows when just that check is left out.
        let without = |name: &str, value: &str| {
            let mut properties = trusting.clone();
            properties.insert(name.to_owned(), value.to_owned());
            properties
        };
        let any_host =
            without("ssl.endpoint.identification.algorithm", "none");
        ask_with(&shop.at("ELSEWHERE"), &any_host).await?;
        let said = refusal(&shop.at("EXPIRED"), &any_host).await?;
        assert!(said.contains(UNVERIFIED), "{said}");
        ask_with(
            &shop.at("EXPIRED"),
            &without("enable.ssl.certificate.verification", "false"),
        )
        .await?;

        // A client that shows none where one is asked for, a bad one, and a good one.
        let said = refusal(&shop.at("MUTUAL"), trusting).await?;
        // Number 42 (bad certificate) from Java 17, 116 (certificate required) from newer ones.
        assert!(
            said.contains("SSL alert number")
                && said.contains("certificate"),
            "{said}"
        );
        let late = shop
            .authority
            .issue(&Request::client("checkout").expired())?
            .write(folder.path(), "late")?;
        let said =
            refusal(&shop.at("MUTUAL"), &late.client_properties()).await?;
        assert!(
            said.contains("SSL alert number")
                && said.contains("certificate"),
            "{said}"
        );
        let checkout = shop
            .authority
            .issue(&Request::client("checkout"))?
            .write(folder.path(), "checkout")?;
        ask_with(&shop.at("MUTUAL"), &checkout.client_properties()).await?;

        // And a client without TLS is told that it asks for it.
        let plain = ask(Settings::new(&shop.at("GOOD"))?
            .with_deadline(Duration::from_secs(2)))
        .await;
        let said = plain.expect_err("TLS is asked for").to_string();
        assert!(said.contains("KAFKA_PROPERTIES"), "{said}");

        let cluster = Cluster::from(shop.cluster);
        let orders = TestTopic::new(&cluster, "orders", 1).await?;
        let producer: FutureProducer = cluster.client_config().create()?;
        let order =
            FutureRecord::to(orders.name()).key("17").payload("2 mugs");
        producer.send(order, None).await.map_err(|(error, _)| error)?;
        let packing: StreamConsumer = cluster
            .client_config()
            .set("group.id", unique_name("packing"))
            .set("auto.offset.reset", "earliest")
            .create()?;
        packing.subscribe(&[orders.name()])?;
        let record = timeout(PATIENCE, packing.recv()).await??;
        assert_eq!(record.payload(), Some(b"2 mugs".as_slice()));
        Ok(())
    }
}
