//! What can go wrong between us and a Kafka in Docker.

use std::error::Error;
use std::io;

use testcontainers::bollard::errors::Error as EngineError;
use testcontainers::core::error::{ClientError, TestcontainersError};

use crate::machine::JOIN_DOCKER;
use crate::machine::engine::{docker_host, unsupported_docker_host};

/// Why there is no Kafka in Docker.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DockerError {
    /// No engine answers.
    #[error(
        "no Docker engine answers at {host}. {}. If it runs elsewhere, set DOCKER_HOST; or use --broker local, \
         which needs Java instead", remedy(cause.as_ref())
    )]
    NoEngine {
        /// Where we asked.
        host: String,
        /// What happened.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// `DOCKER_HOST` names an engine in a way that this client cannot dial.
    #[error("{}", unsupported_docker_host(host))]
    UnsupportedHost {
        /// What `DOCKER_HOST` says.
        host: String,
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
    Port(#[source] io::Error),
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
        cause: Box<dyn Error + Send + Sync>,
    },
}

pub(super) fn no_engine(cause: EngineError) -> DockerError {
    let host = docker_host();
    match cause {
        EngineError::DockerResponseServerError {
            status_code: 400,
            message,
        } => DockerError::EngineTooOld { host, message },
        cause => DockerError::NoEngine { host, cause: cause.into() },
    }
}

/// An engine that refuses this user runs already.
fn remedy(cause: &(dyn Error + 'static)) -> String {
    let is_denied = |one: &(dyn Error + 'static)| {
        one.downcast_ref::<io::Error>().is_some_and(|error| {
            error.kind() == io::ErrorKind::PermissionDenied
        })
    };
    if anyhow::Chain::new(cause).any(is_denied) {
        format!("This user may not open its socket: {JOIN_DOCKER}")
    } else {
        "Start Docker Desktop, or: sudo systemctl start docker".to_owned()
    }
}

pub(super) fn not_started(
    image: String,
    cause: TestcontainersError,
) -> DockerError {
    if let TestcontainersError::Client(ClientError::PullImage { .. }) =
        cause
    {
        return DockerError::NoImage { image, cause };
    }
    DockerError::Container { image, cause }
}

/// Docker's two ways to say it, and those of rootless engines.
pub(super) fn is_port_taken(cause: &TestcontainersError) -> bool {
    let text = cause.to_string();
    [
        "port is already allocated",
        "address already in use",
        "ports are not available",
    ]
    .iter()
    .any(|phrase| text.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_let_in_is_not_told_to_start_the_engine() {
        let said = |kind: io::ErrorKind| {
            // A client wraps what the system says.
            let cause = anyhow::Error::from(io::Error::from(kind));
            let cause = cause.context("connect").into();
            let host = "unix:///var/run/docker.sock".to_owned();
            DockerError::NoEngine { host, cause }.to_string()
        };
        let denied = said(io::ErrorKind::PermissionDenied);
        assert!(denied.contains("sudo usermod -aG docker"), "{denied}");
        assert!(!denied.contains("systemctl"), "{denied}");
        let nobody = said(io::ErrorKind::ConnectionRefused);
        assert!(nobody.contains("sudo systemctl start docker"), "{nobody}");
    }
}
