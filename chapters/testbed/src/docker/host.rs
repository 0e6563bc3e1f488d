//! Where a port that the engine publishes is reached from here.

use std::net::Ipv4Addr;

/// Where clients of this process reach a published port.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) name: String,
    /// The address on the engine's machine at which the port is published.
    pub(super) bind: Ipv4Addr,
}

impl Host {
    /// An engine on this machine publishes on loopback. One elsewhere (`tcp://` with a name
    /// in it), or one behind the override that testcontainers defines, publishes everywhere.
    ///
    /// testcontainers' own guess takes a machine with `/.dockerenv` for a container beside ours,
    /// and its gateway's address for ours.
    pub(super) fn of(
        docker_host: &str,
        host_override: Option<String>,
    ) -> Host {
        let elsewhere = docker_host
            .split_once("://")
            .filter(|(scheme, _)| !matches!(*scheme, "unix" | "npipe"))
            .and_then(|(_, rest)| rest.split('/').next())
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
