//! What is asked of the engine itself, beside starting a container.

use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as EngineError;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder, StatsOptionsBuilder,
};
use testcontainers::core::client::docker_client_instance;
use tokio::time::timeout;

use super::REMOVAL;
use super::error::{DockerError, no_engine};
use super::owner::{LABEL, Owner};
use crate::machine::engine::docker_host;

/// How long the engine may take to say that it is there.
const ENGINE: Duration = Duration::from_secs(5);

/// How many of the broker's last lines an error shows.
const TAIL: usize = 20;

/// The engine, if it answers and is new enough.
pub(super) async fn engine() -> Result<Docker, DockerError> {
    let host = docker_host();
    if host.starts_with("ssh://") {
        return Err(DockerError::UnsupportedHost { host });
    }
    let engine = docker_client_instance().await.map_err(|cause| {
        DockerError::NoEngine { host: docker_host(), cause: cause.into() }
    })?;
    // Not a ping: an old engine answers that in any version of the API.
    match timeout(ENGINE, engine.version()).await {
        Ok(Ok(_)) => Ok(engine),
        Ok(Err(cause)) => Err(no_engine(cause)),
        Err(late) => Err(DockerError::NoEngine {
            host: docker_host(),
            cause: late.into(),
        }),
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
/// [`DockerError::NoEngine`], [`DockerError::UnsupportedHost`], [`DockerError::EngineTooOld`],
/// [`DockerError::NotRemoved`].
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

/// Removes a container by name or id; false if it was not there.
pub(super) async fn remove(
    engine: &Docker,
    id: &str,
) -> Result<bool, DockerError> {
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

/// The CPU seconds of a container since it was started, and its memory in bytes, as `docker stats`
/// counts it: without the files that the kernel only caches. `None` where the engine does not say.
pub(super) async fn usage(
    engine: &Docker,
    name: &str,
) -> Option<(f64, u64)> {
    use futures::StreamExt;

    let options =
        StatsOptionsBuilder::new().stream(false).one_shot(true).build();
    let mut stats = Box::pin(engine.stats(name, Some(options)));
    let answer =
        timeout(ENGINE, stats.next()).await.ok().flatten()?.ok()?;
    let nanoseconds = answer.cpu_stats?.cpu_usage?.total_usage?;
    let memory = answer.memory_stats?;
    let cached = memory
        .stats
        .and_then(|stats| stats.get("inactive_file").copied())
        .unwrap_or(0);
    Some((nanoseconds as f64 / 1e9, memory.usage?.saturating_sub(cached)))
}

/// The last lines of a container's output.
pub(super) async fn tail(engine: &Docker, name: &str) -> String {
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
