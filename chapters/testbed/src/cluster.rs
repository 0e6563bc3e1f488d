//! A cluster, whoever runs it: how to reach it, what it gives, and what ends it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use serde::{Deserialize, Serialize};

use crate::embedded::Embedded;
use crate::external;
use crate::kind::{BrokerChoice, Kind, NoBroker, choose};
use crate::machine::Machine;
use crate::needs::{Capabilities, Need, Needs, UnknownNeed};

/// The environment variable in which `testbed exec` hands its cluster to the program it runs.
pub const CLUSTER_VARIABLE: &str = "TESTBED_CLUSTER";

/// How to reach a cluster, and what it gives; as JSON in [`CLUSTER_VARIABLE`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Who runs it.
    pub kind: Kind,
    /// Its Kafka version, where that is known.
    pub version: Option<String>,
    /// Bootstrap servers, as `host:port,host:port`.
    pub bootstrap: String,
    /// What it gives.
    pub capabilities: Capabilities,
    /// Further librdkafka properties that a client needs to get in, such as `security.protocol`.
    pub properties: BTreeMap<String, String>,
}

/// Names the properties and hides their values: some are passwords.
impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("kind", &self.kind)
            .field("version", &self.version)
            .field("bootstrap", &self.bootstrap)
            .field("capabilities", &self.capabilities)
            .field(
                "properties",
                &self.properties.keys().collect::<Vec<_>>(),
            )
            .finish()
    }
}

impl Connection {
    /// A client configuration with `bootstrap.servers` and the properties that this cluster asks for.
    pub fn client_config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        config
    }
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// No kind of broker serves, or the one that was named does not.
    #[error(transparent)]
    NoBroker(#[from] NoBroker),
    /// A word in a list of needs is unknown.
    #[error(transparent)]
    UnknownNeed(#[from] UnknownNeed),
    /// The cluster is there and lacks something that only shows when it is asked.
    #[error(
        "the cluster at {bootstrap} lacks what this needs: {missing}. Use another with --broker"
    )]
    Lacks {
        /// Where it is.
        bootstrap: String,
        /// What it lacks.
        missing: Needs,
    },
    /// [`CLUSTER_VARIABLE`] holds something else than a [`Connection`].
    #[error(
        "{CLUSTER_VARIABLE} is not what `testbed exec` sets: unset it, or run through `testbed exec`"
    )]
    Variable(#[source] serde_json::Error),
    /// This build of the crate lacks the kind that was chosen.
    #[error("this build has no {} broker: build testbed with --features {kind}", kind.label())]
    NotBuilt {
        /// The kind that was chosen.
        kind: Kind,
    },
    /// librdkafka could not start the mock cluster.
    #[error("the built-in broker does not start")]
    Embedded(#[source] KafkaError),
    /// The local cluster does not start.
    #[cfg(feature = "local")]
    #[error("the local Kafka does not start")]
    Local(#[from] crate::local::LocalError),
    /// The container does not start.
    #[cfg(feature = "docker")]
    #[error("Kafka in Docker does not start")]
    Docker(#[from] crate::docker::DockerError),
    /// The cluster that was named does not answer.
    #[error("your cluster cannot be used")]
    External(#[from] external::ExternalError),
}

/// What ends the cluster when the last handle is dropped.
#[derive(Clone)]
enum Owner {
    /// Somebody else: `testbed exec`, or the reader.
    Nobody,
    Embedded(Arc<Embedded>),
    #[cfg(feature = "local")]
    Local(Arc<crate::local::LocalCluster>),
    #[cfg(feature = "docker")]
    Docker(Arc<crate::docker::DockerCluster>),
}

/// A handle on a cluster. The cluster ends with the last handle, unless somebody else owns it.
#[derive(Clone)]
pub struct Cluster {
    connection: Connection,
    owner: Owner,
}

/// [`Connection`]'s fields and methods are the cluster's too.
impl std::ops::Deref for Cluster {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Cluster {
    /// Starts (or, for [`Kind::External`], asks) a cluster that meets `needs`.
    ///
    /// # Errors
    ///
    /// [`ClusterError`]: what is missing, and what mends it.
    pub async fn start(
        choice: &BrokerChoice,
        needs: &Needs,
    ) -> Result<Cluster, ClusterError> {
        let kind = choose_here(choice, needs).await?;
        let servers = match choice {
            BrokerChoice::External(servers) => servers.clone(),
            _ => None,
        };
        Cluster::start_as(kind, servers, needs).await
    }

    /// Starts a cluster of a kind that was chosen already; `servers` are the bootstrap servers of
    /// [`Kind::External`], else those of `KAFKA_BROKERS`.
    ///
    /// # Errors
    ///
    /// [`ClusterError`]: what is missing, and what mends it.
    pub async fn start_as(
        kind: Kind,
        servers: Option<String>,
        needs: &Needs,
    ) -> Result<Cluster, ClusterError> {
        let cluster = match kind {
            Kind::Embedded => Embedded::start(needs.brokers())
                .map_err(ClusterError::Embedded)?
                .into(),
            #[cfg(feature = "local")]
            Kind::Local => {
                let options =
                    crate::local::LocalOptions::new(needs.brokers());
                crate::local::LocalCluster::start(options).await?.into()
            }
            #[cfg(feature = "docker")]
            Kind::Docker => {
                crate::docker::DockerCluster::start(Default::default())
                    .await?
                    .into()
            }
            Kind::External => {
                let settings =
                    external::Settings::from_environment(servers)
                        .map_err(external::ExternalError::from)?;
                let connection = external::ask(settings).await?;
                Cluster { connection, owner: Owner::Nobody }
            }
            #[allow(
                unreachable_patterns,
                reason = "reached where a feature is off"
            )]
            kind => return Err(ClusterError::NotBuilt { kind }),
        };
        let missing = cluster.capabilities.missing(needs);
        if !missing.is_empty() {
            return Err(ClusterError::Lacks {
                bootstrap: cluster.bootstrap.clone(),
                missing,
            });
        }
        Ok(cluster)
    }

    /// The mock cluster behind this handle, for faults that it can inject.
    pub fn as_embedded(&self) -> Option<&Embedded> {
        match &self.owner {
            Owner::Embedded(embedded) => Some(embedded),
            _ => None,
        }
    }

    /// The local cluster behind this handle, for its brokers to be killed, paused and restarted.
    #[cfg(feature = "local")]
    pub fn as_local(&self) -> Option<&crate::local::LocalCluster> {
        match &self.owner {
            Owner::Local(local) => Some(local),
            _ => None,
        }
    }

    /// The container behind this handle.
    #[cfg(feature = "docker")]
    pub fn as_docker(&self) -> Option<&crate::docker::DockerCluster> {
        match &self.owner {
            Owner::Docker(docker) => Some(docker),
            _ => None,
        }
    }
}

impl From<Embedded> for Cluster {
    fn from(embedded: Embedded) -> Self {
        Cluster {
            connection: embedded.connection().clone(),
            owner: Owner::Embedded(Arc::new(embedded)),
        }
    }
}

#[cfg(feature = "local")]
impl From<crate::local::LocalCluster> for Cluster {
    fn from(local: crate::local::LocalCluster) -> Self {
        Cluster {
            connection: local.connection().clone(),
            owner: Owner::Local(Arc::new(local)),
        }
    }
}

#[cfg(feature = "docker")]
impl From<crate::docker::DockerCluster> for Cluster {
    fn from(docker: crate::docker::DockerCluster) -> Self {
        Cluster {
            connection: docker.connection().clone(),
            owner: Owner::Docker(Arc::new(docker)),
        }
    }
}

/// Decides, as [`choose`] does, for this machine; looks at it, where that decides, on a thread that
/// may wait for Java and for a Docker engine.
///
/// # Errors
///
/// [`NoBroker`] says what is missing and which command mends it.
///
/// # Cancellation
///
/// The look, which takes some seconds at most, goes on; it changes nothing.
pub async fn choose_here(
    choice: &BrokerChoice,
    needs: &Needs,
) -> Result<Kind, NoBroker> {
    let (asked, of) = (choice.clone(), needs.clone());
    let look = move || choose(&asked, &of, Machine::probe);
    match tokio::task::spawn_blocking(look).await {
        Ok(kind) => kind,
        // A runtime that shuts down takes no more work: then it has none to be held up either.
        Err(_) => choose(choice, needs, Machine::probe),
    }
}

/// The cluster of the running test, for needs such as `""` or `"brokers=3, txn"`.
///
/// In this order: the cluster of `testbed exec`, if it serves; a built-in broker of this test's
/// own; a Kafka, local or else in Docker, that the tests of this process share. So tests run the
/// same way under `cargo xtask test`, plain `cargo test` and an editor, only not equally fast.
///
/// # Errors
///
/// [`ClusterError`]: what is missing, and what mends it.
pub async fn cluster(needs: &str) -> Result<Cluster, ClusterError> {
    let needs: Needs = needs.parse()?;
    if let Ok(json) = std::env::var(CLUSTER_VARIABLE) {
        let connection: Connection =
            serde_json::from_str(&json).map_err(ClusterError::Variable)?;
        // Only the process that holds a mock cluster can create topics in it, so that a test
        // under `--broker embedded` starts its own.
        if connection.kind != Kind::Embedded
            && connection.capabilities.serve(&needs)
        {
            return Ok(Cluster { connection, owner: Owner::Nobody });
        }
    }
    if Kind::Embedded.capabilities().serve(&needs) {
        return Ok(Embedded::start(needs.brokers())
            .map_err(ClusterError::Embedded)?
            .into());
    }
    shared(&needs).await
}

/// The real Kafka that the tests of this process share, started by the first that asks.
///
/// A static is never dropped: the guardian ends the brokers when the process does.
async fn shared(needs: &Needs) -> Result<Cluster, ClusterError> {
    static ONE: tokio::sync::OnceCell<Cluster> =
        tokio::sync::OnceCell::const_new();
    static THREE: tokio::sync::OnceCell<Cluster> =
        tokio::sync::OnceCell::const_new();
    let cell = if needs.brokers() > 1 { &THREE } else { &ONE };
    // Three for who asks for two: whoever comes next may ask for three.
    let brokers = if needs.brokers() > 1 { 3 } else { 1 };
    let asked: Needs =
        needs.iter().chain([Need::Brokers(brokers)]).collect();
    let cluster = cell
        .get_or_try_init(|| Cluster::start(&BrokerChoice::Auto, &asked))
        .await?;
    let missing = cluster.capabilities.missing(needs);
    if missing.is_empty() {
        return Ok(cluster.clone());
    }
    Err(ClusterError::Lacks {
        bootstrap: cluster.bootstrap.clone(),
        missing,
    })
}

/// How long an admin request may take before it counts as failed.
pub(crate) const ADMIN_PATIENCE: Duration = Duration::from_secs(15);
