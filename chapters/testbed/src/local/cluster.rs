//! A cluster of local brokers: started together, asked together, ended together.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::time::Instant;

use super::archive;
use super::broker::{Broker, Plan, TRIES};
use super::cancel::{Cancel, Waiting};
use super::error::LocalError;
use super::folder::{self, Folder};
use super::install::{Kafka, Tools};
use super::java::Java;
use super::options::LocalOptions;
use super::question::{PartitionView, ask, load_groups};
use super::settings::{HOST, INTERNAL};
use crate::cluster::Connection;
use crate::eventually::eventually;
use crate::kind::Kind;
use crate::needs::{Capabilities, Need};
use crate::version::KAFKA;

/// How long a start waits for the coordinator of groups. It takes 0.2 s; where an authorizer forbids
/// it, or a property makes it impossible, the cluster is of use all the same.
const GROUPS: Duration = Duration::from_secs(10);

/// How long one question may take.
const QUESTION: Duration = Duration::from_secs(5);

/// Apache Kafka on this machine. It ends when this value is dropped, or its process ends.
///
/// Dropping it kills the brokers and blocks until their folders are gone, usually for less than
/// 100 ms.
#[derive(Debug)]
pub struct LocalCluster {
    connection: Connection,
    brokers: Vec<Broker>,
    // After the brokers: by then their guardians have removed it.
    folder: Folder,
}

impl LocalCluster {
    /// Fetches Kafka if it is not there yet, starts the brokers, and waits until each of them
    /// names all of them.
    ///
    /// # Errors
    ///
    /// [`LocalError`] says what is missing or what the broker said, and what to do.
    ///
    /// # Cancellation
    ///
    /// Dropping the future ends what was started, as with [`install`](super::install()).
    pub async fn start(
        options: LocalOptions,
    ) -> Result<LocalCluster, LocalError> {
        options.validate()?;
        let tools = match &options.tools {
            Some(tools) => tools.clone(),
            None => Tools::from_environment()?,
        };
        let (tools, options) = (&tools, &options);
        repaired(tools, || async move {
            let ready = prepare(tools, options.archive).await?;
            Self::start_with(options, ready).await
        })
        .await
    }

    /// Starts the brokers of an installation; again with other ports if one was taken meanwhile.
    pub(super) async fn start_with(
        options: &LocalOptions,
        ready: Ready,
    ) -> Result<LocalCluster, LocalError> {
        let mut chosen = options.controller_ports.clone();
        let mut tries = 0;
        loop {
            tries += 1;
            if chosen.is_empty() {
                chosen = free_ports(options.brokers)?;
            }
            let controllers = std::mem::take(&mut chosen);
            match Self::try_start(
                options.clone(),
                ready.clone(),
                controllers,
            )
            .await
            {
                // A port that the caller chose stays taken.
                Err(LocalError::PortTaken { address })
                    if tries < TRIES
                        && !options
                            .client_ports
                            .values()
                            .any(|port| is(&address, *port)) =>
                {
                    tracing::debug!(
                        address,
                        "taken between choosing and using it: once more"
                    );
                }
                result => return result,
            }
        }
    }

    async fn try_start(
        options: LocalOptions,
        ready: Ready,
        controllers: Vec<u16>,
    ) -> Result<LocalCluster, LocalError> {
        let folder = Folder::create(&std::env::temp_dir(), options.keep)?;
        let plan = Arc::new(Plan { ready, options, controllers });
        let options = &plan.options;
        let brokers = (1..=options.brokers)
            .map(|id| Broker::create(id, folder.path(), Arc::clone(&plan)))
            .collect::<Result<_, _>>()?;
        let folder = if options.keep { folder.keep() } else { folder };
        let connection = Connection {
            kind: Kind::Local,
            version: Some(KAFKA.to_owned()),
            bootstrap: String::new(),
            capabilities: capabilities(options),
            properties: options.client_properties.clone(),
        };
        // From here on dropping the value ends what was started.
        let mut cluster = LocalCluster { connection, brokers, folder };
        let deadline = Instant::now() + options.patience;
        for broker in &cluster.brokers {
            broker.spawn()?;
        }
        try_join_all(
            cluster.brokers.iter().map(|broker| broker.listening(deadline)),
        )
        .await?;
        let all: Vec<u32> =
            cluster.brokers.iter().map(Broker::id).collect();
        try_join_all(
            cluster
                .brokers
                .iter()
                .map(|broker| broker.ready(&all, deadline)),
        )
        .await?;
        if let Err(error) = load_groups(
            cluster.internal(),
            GROUPS.min(deadline - Instant::now()),
        )
        .await
        {
            tracing::debug!(%error, "the first group of this cluster will wait for its coordinator");
        }
        let addresses: Vec<String> =
            cluster.brokers.iter().map(Broker::advertised).collect();
        cluster.connection.bootstrap = addresses.join(",");
        Ok(cluster)
    }

    /// How clients reach it, and what it gives.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// A client configuration for the first listener.
    pub fn client_config(&self) -> ClientConfig {
        self.connection.client_config()
    }

    /// Bootstrap servers of another listener; empty if there is none of this name.
    pub fn bootstrap_of(&self, listener: &str) -> String {
        let addresses: Vec<String> = self
            .brokers
            .iter()
            .filter_map(|broker| broker.address_of(listener))
            .collect();
        addresses.join(",")
    }

    /// Its brokers, by number.
    pub fn brokers(&self) -> &[Broker] {
        &self.brokers
    }

    /// The broker of this number.
    ///
    /// # Errors
    ///
    /// [`LocalError::NoSuchBroker`].
    pub fn broker(&self, id: u32) -> Result<&Broker, LocalError> {
        let missing = LocalError::NoSuchBroker {
            id,
            brokers: self.brokers.len() as u32,
        };
        self.brokers.iter().find(|broker| broker.id() == id).ok_or(missing)
    }

    /// The folder that holds a folder for each broker.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file that each broker logs to.
    pub fn log_files(&self) -> Vec<PathBuf> {
        self.brokers.iter().map(Broker::log_file).collect()
    }

    /// The number of the broker that leads a partition, as a running broker tells it.
    ///
    /// # Errors
    ///
    /// [`LocalError::NoLeader`] while there is none; [`LocalError::Ask`] if nobody answers.
    ///
    /// # Cancellation
    ///
    /// Safe: it only asks.
    pub async fn leader(
        &self,
        topic: &str,
        partition: i32,
    ) -> Result<u32, LocalError> {
        let no_leader =
            LocalError::NoLeader { topic: topic.to_owned(), partition };
        self.partition(topic, partition).await?.leader.ok_or(no_leader)
    }

    /// The numbers of the brokers whose replica of a partition is in sync, in rising order.
    ///
    /// # Errors
    ///
    /// [`LocalError::NoPartition`], or [`LocalError::Ask`] if nobody answers.
    ///
    /// # Cancellation
    ///
    /// Safe: it only asks.
    pub async fn in_sync_replicas(
        &self,
        topic: &str,
        partition: i32,
    ) -> Result<Vec<u32>, LocalError> {
        let mut replicas = self.partition(topic, partition).await?.in_sync;
        replicas.sort_unstable();
        Ok(replicas)
    }

    /// Waits until exactly `count` replicas of a partition are in sync; gives their brokers.
    ///
    /// # Errors
    ///
    /// [`LocalError::TimedOut`] with what was seen last.
    ///
    /// # Cancellation
    ///
    /// Safe: it only asks.
    pub async fn wait_for_in_sync(
        &self,
        topic: &str,
        partition: i32,
        count: usize,
        deadline: Duration,
    ) -> Result<Vec<u32>, LocalError> {
        let what =
            format!("{count} replicas of {topic}-{partition} in sync");
        let replicas = eventually(deadline, &what, async || {
            match self.in_sync_replicas(topic, partition).await {
                Ok(replicas) if replicas.len() == count => Ok(replicas),
                Ok(replicas) => Err(format!("in sync: {replicas:?}")),
                Err(error) => Err(error.to_string()),
            }
        });
        Ok(replicas.await?)
    }

    /// Waits until a partition has a leader other than `not`; gives its number.
    ///
    /// # Errors
    ///
    /// [`LocalError::TimedOut`] with what was seen last.
    ///
    /// # Cancellation
    ///
    /// Safe: it only asks.
    pub async fn wait_for_leader(
        &self,
        topic: &str,
        partition: i32,
        not: Option<u32>,
        deadline: Duration,
    ) -> Result<u32, LocalError> {
        let what = match not {
            Some(not) => {
                format!("another leader of {topic}-{partition} than {not}")
            }
            None => format!("a leader of {topic}-{partition}"),
        };
        let leader = eventually(deadline, &what, async || {
            match self.leader(topic, partition).await {
                Ok(leader) if Some(leader) != not => Ok(leader),
                Ok(leader) => Err(format!("it is {leader}")),
                Err(error) => Err(error.to_string()),
            }
        });
        Ok(leader.await?)
    }

    /// Ends the brokers and removes their folders; the same as dropping it, without blocking.
    ///
    /// Brokers whose folders are kept are stopped in the orderly way first, so that their logs are
    /// whole; others are killed.
    ///
    /// # Errors
    ///
    /// [`LocalError::Shutdown`] if the runtime ends meanwhile: then the brokers end with it.
    ///
    /// # Cancellation
    ///
    /// The brokers end all the same, at the latest when this value is dropped.
    pub async fn stop(&self) -> Result<(), LocalError> {
        if self.folder.is_kept() {
            // A broker that is down, or that finds no quorum to hand over to, is killed below.
            let stops = self.brokers.iter().map(Broker::stop);
            let _ = tokio::time::timeout(
                Duration::from_secs(15),
                futures::future::join_all(stops),
            )
            .await;
        }
        let processes: Vec<_> =
            self.brokers.iter().filter_map(Broker::take).collect();
        for process in &processes {
            process.begin_end();
        }
        tokio::task::spawn_blocking(move || drop(processes))
            .await
            .map_err(|_| LocalError::Shutdown)
    }

    /// The brokers' own addresses, of those that can answer now.
    fn internal(&self) -> String {
        let awake = self.brokers.iter().filter(|broker| broker.answers());
        awake
            .filter_map(|broker| broker.address_of(INTERNAL))
            .collect::<Vec<_>>()
            .join(",")
    }

    async fn partition(
        &self,
        topic: &str,
        partition: i32,
    ) -> Result<PartitionView, LocalError> {
        let bootstrap = self.internal();
        let failed =
            |source| LocalError::Ask { topic: topic.to_owned(), source };
        if bootstrap.is_empty() {
            return Err(failed(KafkaError::MetadataFetch(
                RDKafkaErrorCode::AllBrokersDown,
            )));
        }
        let view = ask(bootstrap, Some(topic.to_owned()), QUESTION)
            .await
            .map_err(failed)?;
        let missing =
            LocalError::NoPartition { topic: topic.to_owned(), partition };
        view.partitions
            .into_iter()
            .find(|found| found.id == partition)
            .ok_or(missing)
    }
}

impl Drop for LocalCluster {
    fn drop(&mut self) {
        // All at once, then each is waited for.
        self.brokers.iter().for_each(Broker::begin_end);
    }
}

/// What a start needs, found or fetched.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    pub java: Java,
    pub kafka: Kafka,
    pub archive: Option<PathBuf>,
}

/// Finds Java and Kafka; fetches Kafka, and makes the class archive, if need be.
pub(super) async fn prepare(
    tools: &Tools,
    archive: bool,
) -> Result<Ready, LocalError> {
    let (java, kafka) = blocking(tools, |tools| {
        folder::sweep_once(&std::env::temp_dir());
        let java = Java::ask(&tools.java)?;
        let kafka = tools.install(&java)?;
        Ok((java, kafka))
    })
    .await?;
    let archive = if archive {
        archive::ready(tools, &java, &kafka).await?
    } else {
        None
    };
    Ok(Ready { java, kafka, archive })
}

/// Does `work`, in which a broker starts; once more where that broker ended and Kafka is found to be
/// damaged and fetched again.
///
/// Damage that keeps a file's length shows only so, as a class that cannot be loaded.
pub(super) async fn repaired<
    T,
    F: Future<Output = Result<T, LocalError>>,
>(
    tools: &Tools,
    work: impl Fn() -> F,
) -> Result<T, LocalError> {
    let first = work().await;
    if !matches!(first, Err(LocalError::Ended { .. })) {
        return first;
    }
    match repair(tools).await {
        Ok(true) => work().await,
        // It says why the broker ended, and what to do.
        Err(damaged @ LocalError::Damaged { .. }) => Err(damaged),
        // What kept us from looking is not why the broker ended.
        Ok(false) | Err(_) => first,
    }
}

/// Fetches Kafka again if it is damaged; true if it was.
async fn repair(tools: &Tools) -> Result<bool, LocalError> {
    blocking(tools, |tools| tools.repair(&Java::ask(&tools.java)?)).await
}

fn is(address: &str, port: u16) -> bool {
    address
        .rsplit_once(':')
        .is_some_and(|(_, found)| found == port.to_string())
}

/// Runs what blocks where it may; dropping the future cancels it.
pub(super) async fn blocking<T: Send + 'static>(
    tools: &Tools,
    work: impl FnOnce(&Tools) -> Result<T, LocalError> + Send + 'static,
) -> Result<T, LocalError> {
    // Another start with the same tools goes on.
    let cancel = Cancel::default();
    let tools = Tools { cancel: cancel.clone(), ..tools.clone() };
    let _waiting = Waiting(cancel);
    tokio::task::spawn_blocking(move || work(&tools))
        .await
        .unwrap_or(Err(LocalError::Shutdown))
}

/// Ports that were free a moment ago: bound all at once, so that they differ, and released.
fn free_ports(count: u32) -> Result<Vec<u16>, LocalError> {
    let failed = || LocalError::file("find a free port on", HOST);
    let held: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((HOST, 0)))
        .collect::<Result<_, _>>()
        .map_err(failed())?;
    held.iter()
        .map(|listener| listener.local_addr().map(|address| address.port()))
        .collect::<Result<_, _>>()
        .map_err(failed())
}

/// What a cluster with these options gives.
fn capabilities(options: &LocalOptions) -> Capabilities {
    let usual = Kind::Local.capabilities();
    let protocols: BTreeMap<&str, ()> = options
        .listeners
        .iter()
        .map(|listener| (listener.protocol.as_str(), ()))
        .collect();
    let any = |part: &str| {
        protocols.keys().any(|protocol| protocol.contains(part))
    };
    let more = [
        (any("SASL"), Need::Sasl),
        (any("SSL"), Need::Tls),
        (
            options.properties.contains_key("authorizer.class.name"),
            Need::Acl,
        ),
    ];
    let more =
        more.into_iter().filter_map(|(has, need)| has.then_some(need));
    Capabilities::new(options.brokers, usual.gives.iter().chain(more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_listeners_and_properties_add_is_claimed() {
        let plain = capabilities(&LocalOptions::new(1));
        assert!(plain.serve(&"admin, kill, txn".parse().unwrap()));
        assert!(!plain.serve(&"brokers=3".parse().unwrap()));
        assert!(!plain.serve(&"tls".parse().unwrap()));
        let secure =
            LocalOptions::new(3).listener("SASL_SSL", "SASL_SSL").property(
                "authorizer.class.name",
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            );
        assert!(
            capabilities(&secure)
                .serve(&"brokers=3, sasl, tls, acl".parse().unwrap())
        );
    }

    #[test]
    fn free_ports_differ() {
        let mut ports = free_ports(3).unwrap();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 3);
    }
}
