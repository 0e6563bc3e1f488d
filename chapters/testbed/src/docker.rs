//! Apache Kafka in a container: one node, in KRaft mode, through testcontainers.
//!
//! The image is the official `apache/kafka` at [`KAFKA`], never `latest`.
//! A client dials the address that a broker advertises, so the port on this machine is chosen
//! first, told to the broker, and then mapped; should somebody take it meanwhile, the start is
//! tried again with another.
//!
//! [`DockerCluster::stop`] and dropping remove the container with its volumes, and wait until it is
//! gone. If our process is killed, or a start is given up half-way, a guardian removes it: a shell
//! that waits for the end of a pipe that only we hold, and then calls the `docker` program. So that
//! holds only where there is one, and it reaches the engine. Elsewhere the container runs on until
//! the next start removes those whose owners are gone: see [`sweep`].

mod engine;
mod error;
mod guardian;
mod host;
mod image;
mod owner;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use testcontainers::bollard::Docker;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, ImageExt};
use tokio::time::timeout;

pub use self::engine::sweep;
use self::engine::{engine, remove, tail, usage};
pub use self::error::DockerError;
use self::error::{is_port_taken, not_started};
use self::guardian::Guardian;
use self::host::Host;
use self::image::{CLIENT_PORT, Kafka};
pub use self::owner::LABEL;
use self::owner::Owner;
use crate::cluster::Connection;
use crate::eventually::{TimedOut, eventually};
use crate::kind::Kind;
use crate::machine::engine::docker_host;
use crate::version::KAFKA;

/// How long removing a container may take before we leave it to the guardian.
const REMOVAL: Duration = Duration::from_secs(30);

/// How often a start is tried when the chosen port was taken meanwhile.
const TRIES: u32 = 5;

/// How a [`DockerCluster`] is started.
#[derive(Clone)]
pub struct DockerOptions {
    /// Kafka properties, as in `server.properties`, on top of what one node needs.
    pub properties: BTreeMap<String, String>,
    /// How long it may take from the container's creation until the broker answers. The pull of the
    /// image, minutes on a slow line, is not part of it.
    pub patience: Duration,
}

/// Names the properties and keeps their values back: a password may be among them.
impl std::fmt::Debug for DockerOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let DockerOptions { properties, patience } = self;
        f.debug_struct("DockerOptions")
            .field("properties", &properties.keys())
            .field("patience", patience)
            .finish()
    }
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
    /// Dropping the future leaves the container to its guardian, which needs the `docker` program
    /// and does not make the caller wait; without it the next start removes the container once this
    /// process has ended.
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
            &docker_host(),
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
                // One that is not there may still be on its way, if it was the answer that failed:
                // then, and where removing fails, the guardian goes on trying.
                if let Ok(true) = remove(engine, &name).await {
                    guardian.dismiss();
                }
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

    /// The CPU seconds that the container has used so far, and its memory in bytes without cached
    /// files; `None` where the engine does not say.
    pub async fn usage(&self) -> Option<(f64, u64)> {
        let engine = engine().await.ok()?;
        usage(&engine, self.container()).await
    }

    /// Removes the container and its volumes, and waits until they are gone.
    ///
    /// # Errors
    ///
    /// [`DockerError::NotRemoved`]; the guardian then goes on trying for some seconds.
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

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_propertys_value_is_not_shown() {
        let name = "listener.name.sasl.plain.sasl.jaas.config";
        let properties =
            [(name.to_owned(), "password=hush".to_owned())].into();
        let options =
            DockerOptions { properties, ..DockerOptions::default() };
        let shown = format!("{options:?}");
        assert!(shown.contains(name), "{shown}");
        assert!(!shown.contains("hush"), "{shown}");
        let kafka = Kafka::new("127.0.0.1:4444", &options.properties);
        let shown = format!("{kafka:?}");
        assert!(!shown.contains("hush"), "{shown}");
    }
}
