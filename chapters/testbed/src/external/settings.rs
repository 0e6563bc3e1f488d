//! How to get into a cluster: bootstrap servers and librdkafka properties, from a flag, the
//! environment, or a file.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

/// How long a cluster may take to answer, unless it is said otherwise.
const DEADLINE: Duration = Duration::from_secs(10);

/// The property that names the bootstrap servers.
const SERVERS: &str = "bootstrap.servers";

/// A value that is never shown: `Debug` and `Display` give `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The value itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Secret(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What is wrong with how a cluster was named.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadSettings {
    /// No servers, nowhere.
    #[error(
        "no cluster is named: say --broker external=HOST:PORT, or set KAFKA_BROKERS=HOST:PORT, or \
         write bootstrap.servers=HOST:PORT into the file that KAFKA_PROPERTIES names"
    )]
    NoServers,
    /// A server that is not `host:port`.
    #[error(
        "{server:?} is no bootstrap server: write HOST:PORT, several with commas between"
    )]
    Server {
        /// As it was written.
        server: String,
    },
    /// The properties file is not to be read.
    #[error("the properties file {} cannot be read", path.display())]
    File {
        /// Its name.
        path: PathBuf,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
    /// A line of the properties file. Its text is not repeated: it may hold a password.
    #[error("{}, line {line}: {what}", path.display())]
    Line {
        /// The file's name.
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// librdkafka does not know the property, or does not take its value.
    #[error(
        "librdkafka does not take the property {name}: {what}{}",
        hint(name)
    )]
    Property {
        /// The property's name.
        name: String,
        /// librdkafka's reason, without the value.
        what: String,
    },
    /// librdkafka does not take the properties together.
    #[error("librdkafka does not take these properties: {what}")]
    Together {
        /// librdkafka's reason.
        what: String,
    },
}

/// What to write instead of a property that the Java client has and librdkafka has not.
fn hint(name: &str) -> &'static str {
    match name {
        "sasl.jaas.config" => {
            ". Write sasl.username and sasl.password instead"
        }
        "ssl.truststore.location" => {
            ". Write ssl.ca.location, a PEM file, instead"
        }
        "ssl.keystore.type" | "ssl.truststore.type" => {
            ". Leave it out: librdkafka reads PEM"
        }
        name if name.starts_with("ssl.") => {
            ". Is it spelt as in librdkafka's CONFIGURATION.md, and was testbed built with --features tls?"
        }
        _ => ". See librdkafka's CONFIGURATION.md",
    }
}

/// How to get into a cluster. Values of properties are not shown by `Debug`.
#[derive(Debug, Clone)]
pub struct Settings {
    bootstrap: String,
    properties: BTreeMap<String, Secret>,
    deadline: Duration,
}

impl Settings {
    /// These servers (`host:port`, several with commas between), without further properties.
    ///
    /// # Errors
    ///
    /// [`BadSettings::Server`], [`BadSettings::NoServers`].
    pub fn new(servers: &str) -> Result<Settings, BadSettings> {
        Ok(Settings {
            bootstrap: checked(servers)?,
            properties: BTreeMap::new(),
            deadline: DEADLINE,
        })
    }

    /// The cluster that the environment names. Servers are, in this order: `servers` (what a flag
    /// said), `KAFKA_BROKERS`, `bootstrap.servers` in the file that `KAFKA_PROPERTIES` names.
    /// All other properties come from that file.
    ///
    /// # Errors
    ///
    /// [`BadSettings`].
    pub fn from_environment(
        servers: Option<String>,
    ) -> Result<Settings, BadSettings> {
        Self::from_variables(servers, |name| std::env::var(name).ok())
    }

    fn from_variables(
        servers: Option<String>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Settings, BadSettings> {
        let set =
            |name| variable(name).filter(|value| !value.trim().is_empty());
        let mut properties = match set("KAFKA_PROPERTIES") {
            Some(path) => read(Path::new(&path))?,
            None => BTreeMap::new(),
        };
        let of_file =
            properties.remove(SERVERS).map(|Secret(servers)| servers);
        let servers = servers
            .or_else(|| set("KAFKA_BROKERS"))
            .or(of_file)
            .ok_or(BadSettings::NoServers)?;
        Ok(Settings { properties, ..Settings::new(&servers)? })
    }

    /// Everything from a properties file: lines `name=value`, blank ones, and comments after `#`.
    ///
    /// # Errors
    ///
    /// [`BadSettings`].
    pub fn from_file(path: &Path) -> Result<Settings, BadSettings> {
        let mut properties = read(path)?;
        let Secret(servers) =
            properties.remove(SERVERS).ok_or(BadSettings::NoServers)?;
        Ok(Settings { properties, ..Settings::new(&servers)? })
    }

    /// Adds a librdkafka property, or replaces it.
    #[must_use]
    pub fn with_property(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.properties.insert(name.into(), Secret(value.into()));
        self
    }

    /// How long the cluster may take to answer: 10 s unless it is set.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(super) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(super) fn property(&self, name: &str) -> Option<&str> {
        self.properties.get(name).map(Secret::expose)
    }

    pub(super) fn client_config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set(SERVERS, &self.bootstrap);
        for (name, value) in &self.properties {
            config.set(name, value.expose());
        }
        config
    }

    /// The properties with their values, for a [`Connection`](crate::Connection), which masks them.
    pub(super) fn exposed(&self) -> BTreeMap<String, String> {
        self.properties
            .iter()
            .map(|(name, value)| (name.clone(), value.expose().to_owned()))
            .collect()
    }

    /// The text without any value that is not to be shown.
    pub(super) fn masked(&self, text: &str) -> String {
        let secrets = self
            .properties
            .iter()
            .filter(|(name, value)| is_secret(name) && !value.0.is_empty());
        secrets.fold(text.to_owned(), |text, (_, value)| {
            text.replace(value.expose(), "***")
        })
    }

    /// librdkafka's refusal of the configuration, without the values that it repeats.
    pub(super) fn refused(&self, cause: KafkaError) -> BadSettings {
        match cause {
            KafkaError::ClientConfig(_, what, name, value) => {
                let what = if value.is_empty() {
                    what
                } else {
                    what.replace(&value, "***")
                };
                BadSettings::Property { name, what }
            }
            KafkaError::ClientCreation(what) => {
                BadSettings::Together { what: self.masked(&what) }
            }
            other => BadSettings::Together {
                what: self.masked(&other.to_string()),
            },
        }
    }
}

/// True for properties whose values nobody is to see.
fn is_secret(name: &str) -> bool {
    ["password", "secret", "key.pem", "jaas", "oauthbearer", "token"]
        .iter()
        .any(|part| name.contains(part))
}

/// The servers without blanks; each must be `host:port`, with or without `protocol://` before it.
fn checked(servers: &str) -> Result<String, BadSettings> {
    let each: Vec<&str> = servers
        .split(',')
        .map(str::trim)
        .filter(|server| !server.is_empty())
        .collect();
    if each.is_empty() {
        return Err(BadSettings::NoServers);
    }
    for server in &each {
        let address = server
            .split_once("://")
            .map_or(*server, |(_, address)| address);
        let is_server =
            address.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty()
                    && !host.contains(char::is_whitespace)
                    && port.parse::<u16>().is_ok_and(|port| port > 0)
            });
        if !is_server {
            return Err(BadSettings::Server {
                server: (*server).to_owned(),
            });
        }
    }
    Ok(each.join(","))
}

fn read(path: &Path) -> Result<BTreeMap<String, Secret>, BadSettings> {
    let text = std::fs::read_to_string(path).map_err(|cause| {
        BadSettings::File { path: path.to_owned(), cause }
    })?;
    parse(&text).map_err(|(line, what)| BadSettings::Line {
        path: path.to_owned(),
        line,
        what,
    })
}

/// Reads `name=value` lines. A bad one is named by its number and what is wrong with it.
fn parse(text: &str) -> Result<BTreeMap<String, Secret>, (usize, String)> {
    let mut properties = BTreeMap::new();
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let Some((name, value)) = text.split_once('=') else {
            return Err((
                line,
                "there is no = in it; write name=value".to_owned(),
            ));
        };
        let name = name.trim_end();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err((
                line,
                "what stands before the = is no property's name".to_owned(),
            ));
        }
        let value = Secret(value.trim_start().to_owned());
        if properties.insert(name.to_owned(), value).is_some() {
            return Err((line, format!("{name} is there twice")));
        }
    }
    Ok(properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_file_has_lines_blanks_and_comments() {
        let file = file(
            "# how to get in\n\nbootstrap.servers = a:9092, b:9092\r\nsasl.password= p=w#1 \n  \
             security.protocol=SASL_SSL\n",
        );
        let settings = Settings::from_file(file.path()).unwrap();
        assert_eq!(settings.bootstrap(), "a:9092,b:9092");
        // A value may hold the signs that separate and comment.
        assert_eq!(settings.property("sasl.password"), Some("p=w#1"));
        assert_eq!(
            settings.property("security.protocol"),
            Some("SASL_SSL")
        );
        assert_eq!(settings.exposed().len(), 2);
    }

    #[test]
    fn a_bad_line_is_named_and_not_repeated() {
        for (text, expected) in [
            (
                "a.b=1\n\nhunter2\n",
                "line 3: there is no = in it; write name=value",
            ),
            (
                "=hunter2\n",
                "line 1: what stands before the = is no property's name",
            ),
            (
                "my name=hunter2\n",
                "line 1: what stands before the = is no property's name",
            ),
            ("a=hunter2\n#\na=hunter3\n", "line 3: a is there twice"),
        ] {
            let file = file(text);
            let error =
                Settings::from_file(file.path()).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("{}, {expected}", file.path().display())
            );
            assert!(!error.contains("hunter"), "{error}");
        }
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_file() {
        let file = file("bootstrap.servers=file:1\nclient.id=checkout\n");
        let path = file.path().to_str().unwrap().to_owned();
        let servers = |flag: Option<&str>, variable: &str| {
            let get = |name: &str| match name {
                "KAFKA_PROPERTIES" => Some(path.clone()),
                "KAFKA_BROKERS" => Some(variable.to_owned()),
                _ => None,
            };
            let settings =
                Settings::from_variables(flag.map(str::to_owned), get)
                    .unwrap();
            assert_eq!(settings.property("client.id"), Some("checkout"));
            settings.bootstrap().to_owned()
        };
        assert_eq!(servers(Some("flag:1"), "variable:1"), "flag:1");
        assert_eq!(servers(None, "variable:1"), "variable:1");
        assert_eq!(servers(None, " "), "file:1");
    }

    #[test]
    fn no_servers_and_bad_servers_are_refused() {
        let none = Settings::from_variables(None, |_| None)
            .unwrap_err()
            .to_string();
        assert!(
            none.starts_with(
                "no cluster is named: say --broker external=HOST:PORT"
            ),
            "{none}"
        );
        for bad in [
            "broker",
            "broker:",
            ":9092",
            "broker:many",
            "broker:0",
            "two words:1",
            "a:1,b",
        ] {
            let error = Settings::new(bad).unwrap_err();
            assert!(
                matches!(error, BadSettings::Server { .. }),
                "{bad}: {error}"
            );
        }
        for good in
            ["a:1", "[::1]:9092", "SSL://a:1, b:2", "10.0.0.1:9092,"]
        {
            Settings::new(good).unwrap();
        }
        assert!(matches!(
            Settings::new(" , "),
            Err(BadSettings::NoServers)
        ));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Settings::from_file(Path::new("no/such.properties"))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the properties file no/such.properties cannot be read"
        );
    }

    #[test]
    fn values_are_never_shown() {
        let settings = Settings::new("a:1")
            .unwrap()
            .with_property("sasl.password", "hunter2");
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert_eq!(Secret::from("hunter2".to_owned()).to_string(), "***");
        assert_eq!(
            settings.masked("user hunter2 refused"),
            "user *** refused"
        );
    }

    #[test]
    fn librdkafkas_refusals_come_without_the_value() {
        let refusal = |name: &str, value: &str| {
            let settings =
                Settings::new("a:1").unwrap().with_property(name, value);
            let created: Result<rdkafka::consumer::BaseConsumer, _> =
                settings.client_config().create();
            settings
                .refused(created.err().expect("librdkafka refuses this"))
                .to_string()
        };
        let jaas = refusal("sasl.jaas.config", "user hunter2");
        assert!(
            jaas.starts_with(
                "librdkafka does not take the property sasl.jaas.config"
            ),
            "{jaas}"
        );
        assert!(
            jaas.ends_with("Write sasl.username and sasl.password instead"),
            "{jaas}"
        );
        let value = refusal("security.protocol", "hunter2");
        assert!(value.contains("security.protocol"), "{value}");
        assert!(
            !jaas.contains("hunter2") && !value.contains("hunter2"),
            "{jaas} {value}"
        );
    }
}
