//! The official image, as testcontainers wants to know it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use testcontainers::Image;
use testcontainers::core::{ContainerPort, WaitFor};

use crate::version::KAFKA;

/// The image of Apache Kafka by the Kafka project: not Bitnami's, which is gone since 2025.
const NAME: &str = "apache/kafka";

/// Where the broker listens for clients, inside the container: the port that the image exposes.
pub(super) const CLIENT_PORT: ContainerPort = ContainerPort::Tcp(9092);

/// One KRaft node, broker and controller.
#[derive(Clone)]
pub struct Kafka {
    variables: BTreeMap<String, String>,
}

/// As for the options: names only.
impl std::fmt::Debug for Kafka {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kafka")
            .field("variables", &self.variables.keys())
            .finish()
    }
}

impl Kafka {
    /// A node that tells clients to come to `advertised`, with these properties on top.
    pub(super) fn new(
        advertised: &str,
        properties: &BTreeMap<String, String>,
    ) -> Kafka {
        let advertised =
            format!("PLAINTEXT://{advertised},INTERNAL://127.0.0.1:19092");
        // With a single KAFKA_ variable the image forgets its defaults: this is the full set.
        let own = [
            ("process.roles", "broker,controller"),
            ("node.id", "1"),
            ("controller.quorum.voters", "1@127.0.0.1:9093"),
            ("controller.listener.names", "CONTROLLER"),
            // A broker dials itself too (a transaction's markers, for one), and inside the container
            // the address that clients use leads nowhere.
            (
                "listeners",
                "PLAINTEXT://:9092,INTERNAL://127.0.0.1:19092,CONTROLLER://127.0.0.1:9093",
            ),
            ("advertised.listeners", &advertised),
            ("inter.broker.listener.name", "INTERNAL"),
            (
                "listener.security.protocol.map",
                "PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
            ),
            ("offsets.topic.replication.factor", "1"),
            ("offsets.topic.num.partitions", "1"),
            ("transaction.state.log.replication.factor", "1"),
            ("transaction.state.log.min.isr", "1"),
            ("transaction.state.log.num.partitions", "1"),
            ("share.coordinator.state.topic.replication.factor", "1"),
            ("share.coordinator.state.topic.min.isr", "1"),
            // A group of a test has the members that it has: nobody else is waited for.
            ("group.initial.rebalance.delay.ms", "0"),
        ];
        let own =
            own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = own
            .into_iter()
            .chain(properties.clone())
            .map(|(name, value)| (variable(&name), value))
            .chain([(
                "CLUSTER_ID".to_owned(),
                "dGVzdGJlZC1kb2NrZXItMQ".to_owned(),
            )])
            .collect();
        Kafka { variables }
    }

    /// Name and tag.
    pub(super) fn descriptor(&self) -> String {
        format!("{NAME}:{KAFKA}")
    }
}

/// A property's name as the image reads it from the environment: `.` as `_`, `-` as `___`, and a
/// `_` of its own as `__`.
fn variable(property: &str) -> String {
    let spelt =
        property.replace('_', "__").replace('-', "___").replace('.', "_");
    format!("KAFKA_{}", spelt.to_uppercase())
}

impl Image for Kafka {
    fn name(&self) -> &str {
        NAME
    }

    fn tag(&self) -> &str {
        KAFKA
    }

    /// None: whether the broker answers a client is what counts, and that is asked afterwards.
    fn ready_conditions(&self) -> Vec<WaitFor> {
        Vec::new()
    }

    fn env_vars(
        &self,
    ) -> impl IntoIterator<
        Item = (impl Into<Cow<'_, str>>, impl Into<Cow<'_, str>>),
    > {
        &self.variables
    }

    fn expose_ports(&self) -> &[ContainerPort] {
        &[CLIENT_PORT]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_spelt_as_the_image_reads_them() {
        assert_eq!(
            variable("offsets.topic.num.partitions"),
            "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS"
        );
        assert_eq!(variable("a_b-c.d"), "KAFKA_A__B___C_D");
    }

    #[test]
    fn a_property_of_the_caller_wins() {
        let properties = [("node.id".to_owned(), "7".to_owned())].into();
        let kafka = Kafka::new("127.0.0.1:4444", &properties);
        assert_eq!(kafka.variables["KAFKA_NODE_ID"], "7");
        assert!(
            kafka.variables["KAFKA_ADVERTISED_LISTENERS"]
                .starts_with("PLAINTEXT://127.0.0.1:4444,")
        );
    }
}
