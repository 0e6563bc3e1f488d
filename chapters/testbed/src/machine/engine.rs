//! The Docker engine: where it is, and what it answers over its socket.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the Docker engine is: what `DOCKER_HOST` says, else the first usual socket that is there.
pub(crate) fn docker_host() -> String {
    std::env::var("DOCKER_HOST").unwrap_or_else(|_| {
        let runtime =
            std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let socket = docker_socket(
            runtime.as_deref(),
            std::env::home_dir().as_deref(),
            Path::exists,
        );
        format!("unix://{}", socket.display())
    })
}

/// The places and the order are those of testcontainers, which starts the container: an engine that
/// it does not find is of no use here.
fn docker_socket(
    runtime: Option<&Path>,
    home: Option<&Path>,
    is_there: impl Fn(&Path) -> bool,
) -> PathBuf {
    let usual = PathBuf::from("/var/run/docker.sock");
    let others = [
        (runtime, ".docker/run/docker.sock"),
        (home, ".docker/run/docker.sock"),
        (home, ".docker/desktop/docker.sock"),
    ];
    let others = others
        .into_iter()
        .filter_map(|(folder, socket)| Some(folder?.join(socket)));
    std::iter::once(usual.clone())
        .chain(others)
        .find(|socket| is_there(socket))
        .unwrap_or(usual)
}

/// What to say of a `DOCKER_HOST` that cannot be dialled from here.
pub(crate) fn unsupported_docker_host(host: &str) -> String {
    let instead = match host.strip_prefix("ssh://") {
        Some(engine) => format!(
            ". Forward the engine's socket: ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock {engine}, \
             and set DOCKER_HOST=unix:///tmp/docker.sock"
        ),
        None => String::new(),
    };
    format!(
        "DOCKER_HOST={host} is not supported, only unix:// and tcp:// are{instead}"
    )
}

/// How long an engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why no Docker engine answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Silence {
    /// For a person.
    pub(super) reason: String,
    /// What the system says of the connection; `None` if there was nothing to connect to.
    pub(super) kind: Option<ErrorKind>,
}

impl Silence {
    fn because(reason: String) -> Silence {
        Silence { reason, kind: None }
    }
}

/// The version of the engine.
pub(super) fn version() -> Result<String, Silence> {
    let host = docker_host();
    let answer = get_from_docker(&host, "/version")?;
    version_in(&answer).ok_or_else(|| {
        Silence::because(format!(
            "what answers at {host} is not a Docker engine"
        ))
    })
}

/// The label that the containers of this crate carry; its value is the owner's process id.
pub const OWNER_LABEL: &str = "io.github.kafka-in-rust.testbed.owner";

/// The ids of the containers of this crate, with their owners' process ids; `None` where no engine
/// answers.
pub fn containers() -> Option<Vec<(String, u32)>> {
    // {"label":["…"]}, as a URL has it.
    let filter = format!("%7B%22label%22%3A%5B%22{OWNER_LABEL}%22%5D%7D");
    let path = format!("/containers/json?all=1&filters={filter}");
    containers_in(&get_from_docker(&docker_host(), &path).ok()?)
}

fn containers_in(answer: &str) -> Option<Vec<(String, u32)>> {
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let list = body.get(body.find('[')?..=body.rfind(']')?)?;
    let parsed: serde_json::Value = serde_json::from_str(list).ok()?;
    let container = |one: &serde_json::Value| {
        let owner = one.get("Labels")?.get(OWNER_LABEL)?.as_str()?;
        let id = one.get("Id")?.as_str()?;
        Some((id.to_owned(), owner.parse().ok()?))
    };
    Some(parsed.as_array()?.iter().filter_map(container).collect())
}

/// Asks the engine at this address over its HTTP API without TLS.
///
/// The socket is asked, and not the `docker` program, because only the engine is needed.
fn get_from_docker(host: &str, path: &str) -> Result<String, Silence> {
    let nobody = |error: io::Error| Silence {
        kind: Some(error.kind()),
        reason: format!("no Docker engine answers at {host}: {error}"),
    };
    if let Some(socket) = host.strip_prefix("unix://") {
        ask_by_path(socket, path).map_err(nobody)
    } else if let Some(address) = host.strip_prefix("tcp://") {
        let address =
            address.to_socket_addrs().map_err(nobody)?.next().ok_or_else(
                || {
                    Silence::because(format!(
                        "DOCKER_HOST={host} names no address"
                    ))
                },
            )?;
        let socket = TcpStream::connect_timeout(&address, PATIENCE)
            .map_err(nobody)?;
        socket.set_read_timeout(Some(PATIENCE)).map_err(nobody)?;
        ask(socket, path).map_err(nobody)
    } else {
        Err(Silence::because(unsupported_docker_host(host)))
    }
}

#[cfg(unix)]
fn ask_by_path(socket: &str, path: &str) -> io::Result<String> {
    let socket = std::os::unix::net::UnixStream::connect(socket)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    ask(socket, path)
}

/// Where no socket has a path, as in a browser, for which this module compiles too.
#[cfg(not(unix))]
fn ask_by_path(_: &str, _: &str) -> io::Result<String> {
    Err(ErrorKind::Unsupported.into())
}

fn ask(mut socket: impl Read + Write, path: &str) -> io::Result<String> {
    write!(socket, "GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n")?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The engine's version in its answer to `GET /version`.
fn version_in(answer: &str) -> Option<String> {
    let (_, body) = answer.split_once("\r\n\r\n")?;
    // An engine may answer in chunks even to HTTP/1.0: the JSON object is what counts.
    let object = body.get(body.find('{')?..=body.rfind('}')?)?;
    let parsed: serde_json::Value = serde_json::from_str(object).ok()?;
    Some(parsed.get("Version")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the user may do is told from the kind: its text is in the system's language.
    #[test]
    fn why_no_engine_answers_is_kept() {
        let kind =
            |host: &str| get_from_docker(host, "/").unwrap_err().kind;
        assert_eq!(
            kind("unix:///nowhere/docker.sock"),
            Some(ErrorKind::NotFound)
        );
        assert_eq!(kind("ssh://docker.example"), None);
    }

    #[test]
    fn the_engines_socket_is_looked_for_in_order() {
        let places = [
            "/var/run/docker.sock",
            "/run/user/7/.docker/run/docker.sock",
            "/people/checkout/.docker/run/docker.sock",
            "/people/checkout/.docker/desktop/docker.sock",
        ]
        .map(Path::new);
        let found = |there: &[&Path]| {
            docker_socket(
                Some(Path::new("/run/user/7")),
                Some(Path::new("/people/checkout")),
                |socket| there.contains(&socket),
            )
        };
        for first in 0..places.len() {
            assert_eq!(found(&places[first..]), places[first]);
        }
        assert_eq!(found(&[]), places[0], "what the message then names");
    }

    #[test]
    fn an_engine_over_ssh_is_told_what_to_do_instead() {
        let said = unsupported_docker_host("ssh://checkout@docker.example");
        assert!(
            said.starts_with(
                "DOCKER_HOST=ssh://checkout@docker.example is not supported"
            ) && said.contains(
                "ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock checkout@docker.example,"
            ),
            "{said}"
        );
        let said = unsupported_docker_host("npipe://engine");
        assert!(said.ends_with("only unix:// and tcp:// are"), "{said}");
    }

    #[test]
    fn an_engines_answers_are_read() {
        let answer = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"Version\":\"28.2.2\",\"Os\":\"linux\"}\n";
        assert_eq!(version_in(answer), Some("28.2.2".to_owned()));
        assert_eq!(version_in("HTTP/1.0 200 OK\r\n\r\nhello"), None);
        let list = format!(
            "HTTP/1.0 200 OK\r\n\r\n[{{\"Id\":\"a1\",\"Labels\":{{\"{OWNER_LABEL}\":\"7\"}}}}]\n"
        );
        assert_eq!(containers_in(&list), Some(vec![("a1".to_owned(), 7)]));
        let none = "HTTP/1.0 200 OK\r\n\r\n[]\n";
        assert_eq!(containers_in(none), Some(Vec::new()));
        assert_eq!(containers_in(answer), None);
        assert_eq!(version_in(""), None);
    }
}
