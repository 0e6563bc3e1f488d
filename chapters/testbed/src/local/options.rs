//! What a local cluster can be told.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::error::LocalError;
use super::install::Tools;

/// How Java compiles the broker's code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Jit {
    /// Only the quick compiler and the serial collector: the least CPU until the broker answers.
    #[default]
    Quick,
    /// As in production: for benchmarks of throughput. The heap is 1 GiB unless it is set.
    Full,
}

/// One address that clients can use, on each broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its name, in capitals: `PLAINTEXT`, `SASL_SSL`, …
    pub name: String,
    /// `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`.
    pub protocol: String,
}

/// How a [`LocalCluster`](super::LocalCluster) is started.
#[derive(Clone)]
pub struct LocalOptions {
    pub(crate) brokers: u32,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) client_properties: BTreeMap<String, String>,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) advertised: BTreeMap<u32, String>,
    pub(crate) client_ports: BTreeMap<u32, u16>,
    pub(crate) controller_ports: Vec<u16>,
    pub(crate) heap_mib: Option<u32>,
    pub(crate) jit: Jit,
    pub(crate) test_timeouts: bool,
    pub(crate) keep: bool,
    pub(crate) patience: Duration,
    pub(crate) tools: Option<Tools>,
    pub(crate) java_flags: Vec<String>,
    pub(crate) archive: bool,
}

/// Names properties and Java's flags and hides their values: some are passwords.
impl fmt::Debug for LocalOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |properties: &BTreeMap<String, String>| {
            properties.keys().cloned().collect::<Vec<_>>()
        };
        let flags = self.java_flags.iter();
        let flags = flags.map(|flag| flag.split('=').next());
        f.debug_struct("LocalOptions")
            .field("brokers", &self.brokers)
            .field("properties", &names(&self.properties))
            .field("client_properties", &names(&self.client_properties))
            .field("listeners", &self.listeners)
            .field("advertised", &self.advertised)
            .field("client_ports", &self.client_ports)
            .field("controller_ports", &self.controller_ports)
            .field("heap_mib", &self.heap_mib)
            .field("jit", &self.jit)
            .field("test_timeouts", &self.test_timeouts)
            .field("keep", &self.keep)
            .field("patience", &self.patience)
            .field("tools", &self.tools)
            .field("java_flags", &flags.flatten().collect::<Vec<_>>())
            .field("archive", &self.archive)
            .finish()
    }
}

impl LocalOptions {
    /// This many brokers, numbered from 1, each of them a controller too; everything else as it
    /// suits tests.
    ///
    /// One and three are what this is measured with; 0 counts as 1.
    pub fn new(brokers: u32) -> LocalOptions {
        LocalOptions {
            brokers: brokers.max(1),
            properties: BTreeMap::new(),
            client_properties: BTreeMap::new(),
            listeners: vec![Listener {
                name: "PLAINTEXT".into(),
                protocol: "PLAINTEXT".into(),
            }],
            advertised: BTreeMap::new(),
            client_ports: BTreeMap::new(),
            controller_ports: Vec::new(),
            heap_mib: None,
            jit: Jit::Quick,
            test_timeouts: true,
            keep: false,
            // A node answers in a second; this is for a machine that does ten other things.
            patience: Duration::from_secs(60),
            tools: None,
            java_flags: Vec::new(),
            archive: true,
        }
    }

    /// Sets a property of every broker, as in `server.properties`. It wins over what this crate sets.
    ///
    /// For listeners use [`listener`](Self::listener), which also finds their ports.
    pub fn property(
        mut self,
        name: impl Into<String>,
        value: impl ToString,
    ) -> Self {
        self.properties.insert(name.into(), value.to_string());
        self
    }

    /// Adds a listener for clients, on a port of its own. Its settings are properties such as
    /// `listener.name.sasl_ssl.plain.sasl.jaas.config`.
    pub fn listener(
        mut self,
        name: impl Into<String>,
        protocol: impl Into<String>,
    ) -> Self {
        self.listeners.push(Listener {
            name: name.into(),
            protocol: protocol.into(),
        });
        self
    }

    /// Takes these listeners and no other; the first is the one that the cluster's connection names.
    pub fn listeners(
        mut self,
        listeners: impl IntoIterator<Item = Listener>,
    ) -> Self {
        self.listeners = listeners.into_iter().collect();
        self
    }

    /// Sets a librdkafka property that clients of the first listener need, such as
    /// `security.protocol`; it comes with the cluster's connection.
    pub fn client_property(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.client_properties.insert(name.into(), value.into());
        self
    }

    /// Lets broker `id` tell clients of the first listener that it is at `address` (`host:port`):
    /// for a proxy in front of it. Brokers among themselves are not affected.
    pub fn advertised(
        mut self,
        id: u32,
        address: impl Into<String>,
    ) -> Self {
        self.advertised.insert(id, address.into());
        self
    }

    /// Fixes the port of broker `id`'s first listener. Otherwise the system gives a free one.
    pub fn port(mut self, id: u32, port: u16) -> Self {
        self.client_ports.insert(id, port);
        self
    }

    /// The heap of each broker in MiB: 256, or 1024 with [`Jit::Full`], unless it is set.
    pub fn heap_mib(mut self, mib: u32) -> Self {
        self.heap_mib = Some(mib);
        self
    }

    /// How Java compiles.
    pub fn jit(mut self, jit: Jit) -> Self {
        self.jit = jit;
        self
    }

    /// Short time-outs, so that a test sees a failure soon: for brokers (2 s instead of Kafka's 9 s)
    /// and for members of groups that join with `group.protocol=consumer` (1 s instead of 45 s). On
    /// unless it is switched off.
    ///
    /// A classic member chooses its `session.timeout.ms` itself, 45 s unless it is set; the brokers
    /// then allow it to be as short as 0.5 s, instead of 6 s.
    pub fn test_timeouts(mut self, short: bool) -> Self {
        self.test_timeouts = short;
        self
    }

    /// Keeps the brokers' folders, with logs and data, when the cluster ends.
    pub fn keep(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// How long a start, a restart or a clean stop may take: 60 s unless it is set.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The Java, Maven and cache folder to use: those of the environment unless it is set.
    pub fn tools(mut self, tools: Tools) -> Self {
        self.tools = Some(tools);
        self
    }

    /// The controllers' ports at the first try; for the test that finds one taken.
    #[doc(hidden)]
    pub fn first_controller_ports(
        mut self,
        ports: impl IntoIterator<Item = u16>,
    ) -> Self {
        self.controller_ports = ports.into_iter().collect();
        self
    }

    /// A flag for every broker's JVM, such as `-Xlog:gc:file=gc.log`.
    pub fn java_flag(mut self, flag: impl Into<String>) -> Self {
        self.java_flags.push(flag.into());
        self
    }

    /// Starts without the class archive, which costs a second more.
    pub fn without_archive(mut self) -> Self {
        self.archive = false;
        self
    }

    /// Checks what can be checked before anything is started.
    pub(crate) fn validate(&self) -> Result<(), LocalError> {
        let wrong = |text: String| Err(LocalError::Options(text));
        if self.listeners.is_empty() {
            return wrong(
                "a broker needs at least one listener for clients"
                    .to_owned(),
            );
        }
        for (at, listener) in self.listeners.iter().enumerate() {
            let name = listener.name.as_str();
            if !name.chars().all(|c| {
                c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'
            }) || name.is_empty()
            {
                return wrong(format!(
                    "listener {name:?}: use capitals, digits and _"
                ));
            }
            if matches!(
                name,
                super::settings::INTERNAL | super::settings::CONTROLLER
            ) {
                return wrong(format!(
                    "listener {name} is the brokers' own: choose another name"
                ));
            }
            if self.listeners[..at].iter().any(|other| other.name == name) {
                return wrong(format!("listener {name} is there twice"));
            }
            if !matches!(
                listener.protocol.as_str(),
                "PLAINTEXT" | "SSL" | "SASL_PLAINTEXT" | "SASL_SSL"
            ) {
                return wrong(format!(
                    "listener {name}: {:?} is none of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL",
                    listener.protocol
                ));
            }
        }
        for id in self.advertised.keys().chain(self.client_ports.keys()) {
            if !(1..=self.brokers).contains(id) {
                return Err(LocalError::NoSuchBroker {
                    id: *id,
                    brokers: self.brokers,
                });
            }
        }
        if self.properties.contains_key("") {
            return wrong("a property has no name".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(options: LocalOptions) -> String {
        options.validate().unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_are_valid() {
        assert!(LocalOptions::new(0).validate().is_ok());
        assert!(LocalOptions::new(3).validate().is_ok());
    }

    #[test]
    fn what_is_printed_names_properties_and_hides_their_values() {
        let name = "listener.name.sasl_ssl.plain.sasl.jaas.config";
        let options = LocalOptions::new(1)
            .property(name, "password=\"mug-secret\"")
            .client_property("sasl.password", "mug-secret")
            .java_flag("-Djavax.net.ssl.trustStorePassword=mug-secret");
        let printed = format!("{options:?}{options:#?}");
        assert!(!printed.contains("mug-secret"), "{printed}");
        for shown in [name, "sasl.password", "trustStorePassword"] {
            assert!(printed.contains(shown), "{shown}: {printed}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused_before_anything_starts() {
        let one = || LocalOptions::new(1);
        assert_eq!(
            refused(one().listeners([])),
            "a broker needs at least one listener for clients"
        );
        assert!(
            refused(one().listener("sasl", "SASL_SSL"))
                .contains("use capitals")
        );
        assert!(
            refused(one().listener("INTERNAL", "SSL"))
                .contains("the brokers' own")
        );
        assert!(
            refused(one().listener("PLAINTEXT", "SSL")).contains("twice")
        );
        assert!(
            refused(one().listener("TLS", "TLS"))
                .contains("none of PLAINTEXT, SSL")
        );
        assert!(
            refused(one().advertised(2, "localhost:1"))
                .contains("no broker 2")
        );
        assert_eq!(
            refused(one().property("", "b")),
            "a property has no name"
        );
    }
}
