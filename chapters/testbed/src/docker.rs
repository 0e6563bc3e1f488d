//! Apache Kafka in a container: one node, in KRaft mode, through testcontainers.
//!
//! The image is the official `apache/kafka` at [`KAFKA`], never `latest`.
//! A client dials the address that a broker advertises, so the port on this machine is chosen
//! first, told to the broker, and then mapped; should somebody take it meanwhile, the start is
//! tried again with another.
//!
//! Nothing stays behind: [`DockerCluster::stop`] and dropping remove the container with its
//! volumes; if our process is killed, a guardian does (a shell that waits for the end of a pipe
//! that only we hold, and then calls the `docker` program). Where there is no `docker` program,
//! the next start removes the containers whose owners are gone: see [`sweep`].

mod guardian;
mod image;
mod owner;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as EngineError;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder,
};
use testcontainers::core::client::docker_client_instance;
use testcontainers::core::error::TestcontainersError;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, ImageExt};
use tokio::time::timeout;

use self::guardian::Guardian;
use self::image::{CLIENT_PORT, Kafka};
pub use self::owner::LABEL;
use self::owner::Owner;

use crate::cluster::Connection;
use crate::eventually::{TimedOut, eventually};
use crate::kind::Kind;
use crate::version::KAFKA;

/// How long the engine may take to say that it is there.
const ENGINE: Duration = Duration::from_secs(5);

/// How long removing a container may take before we leave it to the guardian.
const REMOVAL: Duration = Duration::from_secs(30);

/// How often a start is tried when the chosen port was taken meanwhile.
const TRIES: u32 = 5;

/// How many of the broker's last lines an error shows.
const TAIL: usize = 20;

/// How a [`DockerCluster`] is started.
#[derive(Debug, Clone)]
pub struct DockerOptions {
    /// Kafka properties, as in `server.properties`, on top of what one node needs.
    pub properties: BTreeMap<String, String>,
    /// How long it may take from the container's creation until the broker answers. The pull of the
    /// image, minutes on a slow line, is not part of it.
    pub patience: Duration,
}

impl Default for DockerOptions {
    /// No further properties, and two minutes: a start takes five seconds on a quiet machine.
    fn default() -> Self {
        DockerOptions {
            properties: BTreeMap::new(),
            patience: Duration::from_secs(120),
        }
    }
}

/// Why there is no Kafka in Docker.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DockerError {
    /// No engine answers.
    #[error(
        "no Docker engine answers at {host}. Start Docker Desktop, or: sudo systemctl start docker. If it \
         runs elsewhere, set DOCKER_HOST; or use --broker local, which needs Java instead"
    )]
    NoEngine {
        /// Where we asked.
        host: String,
        /// What happened.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine speaks an older API than testcontainers.
    #[error(
        "the Docker engine at {host} is too old for this client ({message}). Update Docker"
    )]
    EngineTooOld {
        /// Where it is.
        host: String,
        /// What it said.
        message: String,
    },
    /// The image cannot be had.
    #[error(
        "the image {image} cannot be pulled. Check the network, or load it by hand: docker pull {image}"
    )]
    NoImage {
        /// Name and tag.
        image: String,
        /// What happened.
        #[source]
        cause: TestcontainersError,
    },
    /// The container does not run.
    #[error("the container of {image} does not start")]
    Container {
        /// Name and tag.
        image: String,
        /// What happened.
        #[source]
        cause: TestcontainersError,
    },
    /// No free port, or every one that was free was taken before the container had it.
    #[error("no free port was found for the container")]
    Port(#[source] std::io::Error),
    /// The broker ended, or never answered.
    #[error(
        "Kafka in its container does not answer: {why}. Its last lines:\n{log}"
    )]
    NotReady {
        /// What was seen.
        why: String,
        /// The end of the broker's output.
        log: String,
    },
    /// The container was not removed.
    #[error("the container {id} is not removed. Try: docker rm -f -v {id}")]
    NotRemoved {
        /// The container's name.
        id: String,
        /// What happened.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// One Kafka node in a container. It is removed when this value is dropped, which blocks until it
/// is gone (about half a second).
pub struct DockerCluster {
    connection: Connection,
    /// `None` once it is removed.
    container: Option<ContainerAsync<Kafka>>,
    guardian: Guardian,
}

impl std::fmt::Debug for DockerCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (connection, name) =
            (&self.connection, self.guardian.container());
        f.debug_struct("DockerCluster")
            .field("connection", connection)
            .field("name", &name)
            .finish()
    }
}

impl DockerCluster {
    /// Removes what killed processes left behind, pulls the image if it is not here, starts a
    /// container, and waits until the broker answers a client.
    ///
    /// # Errors
    ///
    /// [`DockerError`] says what is missing and what to do.
    ///
    /// # Cancellation
    ///
    /// Dropping the future removes the container, by its guardian.
    pub async fn start(
        options: DockerOptions,
    ) -> Result<DockerCluster, DockerError> {
        let engine = engine().await?;
        match sweep().await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(
                removed,
                "removed containers whose owners are gone"
            ),
            // Somebody else's leftovers are no reason not to start.
            Err(error) => {
                tracing::warn!(%error, "leftover containers were not looked for")
            }
        }
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::try_start(&engine, &options).await {
                Err(DockerError::Container { cause, .. })
                    if tries < TRIES && is_port_taken(&cause) => {}
                result => return result,
            }
        }
    }

    async fn try_start(
        engine: &Docker,
        options: &DockerOptions,
    ) -> Result<DockerCluster, DockerError> {
        let host = Host::of(
            &host_variable(),
            std::env::var("TESTCONTAINERS_HOST_OVERRIDE").ok(),
        );
        let port = free_port().map_err(DockerError::Port)?;
        let bootstrap = format!("{}:{port}", host.name);
        let owner = Owner::this_process();
        let mut guardian = Guardian::start(owner.container_name());
        let name = guardian.container().to_owned();
        let image = Kafka::new(&bootstrap, &options.properties);
        let descriptor = image.descriptor();
        let bind = host.bind;
        let request: ContainerRequest<Kafka> = image
            .with_container_name(&name)
            .with_labels(owner.labels())
            .with_mapped_port(port, CLIENT_PORT)
            .with_startup_timeout(options.patience)
            // Else Docker would publish the port on every address of this machine.
            .with_host_config_modifier(move |config| {
                for bindings in config
                    .port_bindings
                    .iter_mut()
                    .flatten()
                    .flat_map(|(_, b)| b)
                {
                    bindings.iter_mut().for_each(|binding| {
                        binding.host_ip = Some(bind.to_string())
                    });
                }
            });
        let container = match request.start().await {
            Ok(container) => container,
            Err(cause) => {
                // testcontainers leaves a container that it created and could not start.
                let _ = remove(engine, &name).await;
                guardian.dismiss();
                return Err(not_started(descriptor, cause));
            }
        };
        let connection = Connection {
            kind: Kind::Docker,
            version: Some(KAFKA.to_owned()),
            bootstrap,
            capabilities: Kind::Docker.capabilities(),
            properties: BTreeMap::new(),
        };
        // From here on dropping the value removes the container.
        let cluster = DockerCluster {
            connection,
            container: Some(container),
            guardian,
        };
        if let Err(timed_out) = cluster.ready(options.patience).await {
            let log = tail(engine, &name).await;
            return Err(DockerError::NotReady { why: timed_out.last, log });
        }
        Ok(cluster)
    }

    /// How clients reach it, and what it gives.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Bootstrap servers, as `host:port`.
    pub fn bootstrap(&self) -> &str {
        &self.connection.bootstrap
    }

    /// A client configuration with `bootstrap.servers`.
    pub fn client_config(&self) -> ClientConfig {
        self.connection.client_config()
    }

    /// The container's name, for `docker logs`.
    pub fn container(&self) -> &str {
        self.guardian.container()
    }

    /// Removes the container and its volumes, and waits until they are gone.
    ///
    /// # Errors
    ///
    /// [`DockerError::NotRemoved`]; the guardian then tries once more.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves the removal to the guardian.
    pub async fn stop(mut self) -> Result<(), DockerError> {
        let Some(container) = self.container.take() else { return Ok(()) };
        let id = self.guardian.container().to_owned();
        match timeout(REMOVAL, container.rm()).await {
            Ok(Ok(())) => {
                self.guardian.dismiss();
                Ok(())
            }
            Ok(Err(cause)) => {
                Err(DockerError::NotRemoved { id, cause: cause.into() })
            }
            Err(late) => {
                Err(DockerError::NotRemoved { id, cause: late.into() })
            }
        }
    }

    /// Waits until a client of this machine is told of the broker at the address that it dialled.
    async fn ready(&self, patience: Duration) -> Result<(), TimedOut> {
        /// How long one look takes at most, before the next is a fresh one.
        const LOOK: Duration = Duration::from_secs(1);

        let config = self.client_config();
        let bootstrap = self.bootstrap().to_owned();
        eventually(patience, "Kafka in its container answers", async || {
            if let Some(container) = &self.container
                && let Ok(false) = container.is_running().await
            {
                return Ok(Err("its container has ended".to_owned()));
            }
            let (config, bootstrap) = (config.clone(), bootstrap.clone());
            let look = move || {
                let client: BaseConsumer =
                    config.create().map_err(|error| error.to_string())?;
                let metadata = client
                    .fetch_metadata(None, LOOK)
                    .map_err(|error| error.to_string())?;
                let address =
                    |broker: &rdkafka::metadata::MetadataBroker| {
                        format!("{}:{}", broker.host(), broker.port())
                    };
                let brokers: Vec<String> =
                    metadata.brokers().iter().map(address).collect();
                if brokers == [bootstrap] {
                    Ok(())
                } else {
                    Err(format!("it names {brokers:?}"))
                }
            };
            match tokio::task::spawn_blocking(look).await {
                Ok(answer) => answer.map(Ok),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
        .and_then(|ended| {
            let what = "Kafka in its container answers".to_owned();
            ended.map_err(|last| TimedOut { what, last, waited_ms: 0 })
        })
    }
}

impl Drop for DockerCluster {
    fn drop(&mut self) {
        let Some(container) = self.container.take() else { return };
        // On a thread and a runtime of its own: this may be a runtime's only thread, or one
        // without a runtime, where testcontainers' own clean-up panics.
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .ok()?;
            runtime
                .block_on(async { timeout(REMOVAL, container.rm()).await })
                .ok()?
                .ok()
        });
        if let Ok(Some(())) = removal.join() {
            self.guardian.dismiss();
        } else {
            tracing::warn!(
                container = self.guardian.container(),
                "left to its guardian to remove"
            );
        }
    }
}

/// Removes the containers of this crate whose owning processes on this machine are gone, and says
/// how many.
///
/// A container carries its owner's process id, when that process started, and which machine (and
/// process id namespace) it is on: so neither a reused process id nor an engine that several
/// machines share is mistaken.
///
/// # Errors
///
/// [`DockerError::NoEngine`], [`DockerError::NotRemoved`].
pub async fn sweep() -> Result<u32, DockerError> {
    let engine = engine().await?;
    let filters = [("label", vec![LABEL])].into();
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&filters)
        .build();
    let containers =
        engine.list_containers(Some(options)).await.map_err(no_engine)?;
    let mut removed = 0;
    for container in containers {
        let orphaned = container
            .labels
            .as_ref()
            .and_then(Owner::of)
            .is_some_and(|owner| owner.is_gone());
        if let (true, Some(id)) = (orphaned, container.id) {
            removed += u32::from(remove(&engine, &id).await?);
        }
    }
    Ok(removed)
}

/// The engine, if it answers and is new enough.
async fn engine() -> Result<Docker, DockerError> {
    let engine = docker_client_instance().await.map_err(|cause| {
        DockerError::NoEngine { host: host_variable(), cause: cause.into() }
    })?;
    // Not a ping: an old engine answers that in any version of the API.
    match timeout(ENGINE, engine.version()).await {
        Ok(Ok(_)) => Ok(engine),
        Ok(Err(cause)) => Err(no_engine(cause)),
        Err(late) => Err(DockerError::NoEngine {
            host: host_variable(),
            cause: late.into(),
        }),
    }
}

fn no_engine(cause: EngineError) -> DockerError {
    let host = host_variable();
    match cause {
        EngineError::DockerResponseServerError {
            status_code: 400,
            message,
        } => DockerError::EngineTooOld { host, message },
        cause => DockerError::NoEngine { host, cause: cause.into() },
    }
}

/// What `DOCKER_HOST` says, or in words that nothing does.
fn host_variable() -> String {
    std::env::var("DOCKER_HOST").unwrap_or_else(|_| {
        "the usual socket (DOCKER_HOST is not set)".to_owned()
    })
}

/// Removes a container by name or id; false if it was not there.
async fn remove(engine: &Docker, id: &str) -> Result<bool, DockerError> {
    let options =
        RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    let not_removed =
        |cause| DockerError::NotRemoved { id: id.to_owned(), cause };
    match timeout(REMOVAL, engine.remove_container(id, Some(options))).await
    {
        Ok(Ok(())) => Ok(true),
        // Gone, or being removed by somebody else who swept at the same time.
        Ok(Err(EngineError::DockerResponseServerError {
            status_code: 404 | 409,
            ..
        })) => Ok(false),
        Ok(Err(cause)) => Err(not_removed(cause.into())),
        Err(late) => Err(not_removed(late.into())),
    }
}

fn not_started(image: String, cause: TestcontainersError) -> DockerError {
    use testcontainers::core::error::{
        ClientError, TestcontainersError as Testcontainers,
    };

    if let Testcontainers::Client(ClientError::PullImage { .. }) = cause {
        return DockerError::NoImage { image, cause };
    }
    DockerError::Container { image, cause }
}

/// Docker's two ways to say it, and those of rootless engines.
fn is_port_taken(cause: &TestcontainersError) -> bool {
    let text = cause.to_string();
    [
        "port is already allocated",
        "address already in use",
        "ports are not available",
    ]
    .iter()
    .any(|phrase| text.contains(phrase))
}

/// The last lines of a container's output.
async fn tail(engine: &Docker, name: &str) -> String {
    use futures::StreamExt;

    let options = LogsOptionsBuilder::new()
        .stdout(true)
        .stderr(true)
        .tail(&TAIL.to_string())
        .build();
    let lines: Vec<String> = engine
        .logs(name, Some(options))
        .filter_map(|line| async { line.ok().map(|line| line.to_string()) })
        .collect()
        .await;
    lines.concat()
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Where clients of this process reach a published port.
#[derive(Debug, PartialEq, Eq)]
struct Host {
    name: String,
    /// The address on the engine's machine at which the port is published.
    bind: Ipv4Addr,
}

impl Host {
    /// An engine on this machine publishes on loopback. One elsewhere (`tcp://` or `ssh://` with a
    /// name in it), or one behind the override that testcontainers defines, publishes everywhere.
    ///
    /// testcontainers' own guess takes a machine with `/.dockerenv` for a container beside ours,
    /// and its gateway's address for ours.
    fn of(docker_host: &str, host_override: Option<String>) -> Host {
        let elsewhere = docker_host
            .split_once("://")
            .filter(|(scheme, _)| !matches!(*scheme, "unix" | "npipe"))
            .and_then(|(_, rest)| rest.split('/').next())
            .map(|address| {
                address
                    .rsplit_once('@')
                    .map_or(address, |(_, address)| address)
            })
            .map(|address| {
                address
                    .rsplit_once(':')
                    .map_or(address, |(name, _)| name)
                    .to_owned()
            })
            .filter(|name| {
                !matches!(
                    name.as_str(),
                    "127.0.0.1" | "localhost" | "[::1]"
                )
            });
        match host_override.filter(|name| !name.is_empty()).or(elsewhere) {
            Some(name) => Host { name, bind: Ipv4Addr::UNSPECIFIED },
            None => Host {
                name: Ipv4Addr::LOCALHOST.to_string(),
                bind: Ipv4Addr::LOCALHOST,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_here_is_reached_on_loopback_only() {
        for here in [
            "unix:///var/run/docker.sock",
            "tcp://127.0.0.1:2375",
            "tcp://localhost:2375",
            "unset",
        ] {
            let host = Host::of(here, None);
            assert_eq!(
                (host.name.as_str(), host.bind),
                ("127.0.0.1", Ipv4Addr::LOCALHOST),
                "{here}"
            );
        }
    }

    #[test]
    fn an_engine_elsewhere_is_reached_by_its_name() {
        for (elsewhere, name) in [
            ("tcp://docker.example:2376", "docker.example"),
            ("ssh://checkout@docker.example", "docker.example"),
            ("https://10.0.0.7:2376/", "10.0.0.7"),
        ] {
            assert_eq!(
                Host::of(elsewhere, None),
                Host { name: name.into(), bind: Ipv4Addr::UNSPECIFIED }
            );
        }
        let overridden = Host::of(
            "unix:///var/run/docker.sock",
            Some("host.docker.internal".into()),
        );
        assert_eq!(overridden.name, "host.docker.internal");
    }
}
