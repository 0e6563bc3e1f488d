//! A cluster that the reader names: how to get in, and what it gives.
//!
//! [`ask`] asks such a cluster what can be asked: how many brokers there are (Metadata), and what one
//! broker's configuration says about an authorizer and about group protocols (DescribeConfigs). What
//! it concludes beyond that is written there.

mod settings;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;

pub use self::settings::{BadSettings, Secret, Settings};

use crate::cluster::Connection;
use crate::kind::Kind;
use crate::needs::{Capabilities, Need};

/// What the ids of librdkafka's mock clusters begin with.
const MOCK: &str = "mockCluster";

/// How many of the client's complaints are kept for the error message.
const COMPLAINTS: usize = 3;

/// What librdkafka says where more waiting does not help. The error's code is not enough: not every
/// such line comes with one, and in TLS 1.3 a broker refuses a client's certificate only after the
/// handshake, by an alert.
const HOPELESS: [&str; 4] = [
    "certificate verify failed",
    "SSL alert number",
    "authentication error",
    "Authentication failed",
];

/// Why a cluster that was named cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExternalError {
    /// What was typed, or stands in the properties file, is wrong.
    #[error(transparent)]
    Settings(#[from] BadSettings),
    /// Nobody answers.
    #[error(
        "no Kafka answers at {bootstrap} within {waited:?}{}. Check that its brokers run, that this is \
         the port of a listener for clients, and, where it asks for TLS or SASL, that KAFKA_PROPERTIES \
         names a file with the properties to get in",
        heard(said)
    )]
    NoAnswer {
        /// Where we asked.
        bootstrap: String,
        /// How long we waited.
        waited: Duration,
        /// What the client said meanwhile.
        said: Vec<String>,
    },
    /// Somebody answers and does not let us in.
    #[error(
        "the cluster at {bootstrap} and this client do not agree{}. Check security.protocol, the \
         certificates, and user and password in the file that KAFKA_PROPERTIES names{}",
        heard(said),
        which_certificate(bootstrap, said)
    )]
    NotLetIn {
        /// Where we asked.
        bootstrap: String,
        /// What the client said.
        said: Vec<String>,
    },
    /// The bootstrap server answers, and the broker whose address it gives does not.
    #[error(
        "the cluster at {bootstrap} answers, but broker {id} does not within {waited:?} at {address}, the \
         address it advertises. Check that {address} can be reached from here (advertised.listeners)"
    )]
    Unreachable {
        /// Where we asked.
        bootstrap: String,
        /// The broker's id.
        id: i32,
        /// Where it says it is.
        address: String,
        /// How long we waited.
        waited: Duration,
    },
    /// librdkafka gave up for another reason.
    #[error("the client for {bootstrap} does not work")]
    Client {
        /// Where we asked.
        bootstrap: String,
        /// librdkafka's reason.
        #[source]
        cause: KafkaError,
    },
}

/// librdkafka says the same of an unknown authority, an expired certificate and another host's.
fn which_certificate(bootstrap: &str, said: &[String]) -> String {
    if said
        .iter()
        .any(|line| line.contains("certificate could not be verified"))
    {
        let server = bootstrap.split(',').next().unwrap_or(bootstrap);
        format!(
            ". What is wrong with the broker's certificate (authority, dates, host) is told by: \
             openssl s_client -connect {server}"
        )
    } else {
        String::new()
    }
}

fn heard(said: &[String]) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!(" ({})", said.join("; "))
    }
}

/// Asks a cluster what it gives, within the settings' deadline.
///
/// - A cluster that answers no admin request because it is librdkafka's mock gives what the
///   built-in broker gives.
/// - One that shows its configuration answers the admin API: `admin`. That was one request which
///   only reads; that we may also create topics is assumed, and where it is not so, creating the
///   first one says it. An authorizer in the configuration is `acl`, the group protocol `consumer`
///   is `kip848`, `share` is `share-groups`. (Since Kafka 4.1 share groups are a finalized feature
///   instead, about which librdkafka cannot ask: then they are not claimed.)
/// - One that forbids us to look has an authorizer, `acl`, and for us no `admin`.
/// - Both know DescribeConfigs, which came with Kafka 0.11 as transactions did. So `txn`,
///   `idempotence` and `isolation` are concluded from the version, not tried.
/// - One that answers the question with another error, or does not know it, may be anything that
///   speaks the protocol: nothing is concluded from that, so of what needs an answer it has none.
/// - Timestamps, retention, compaction and volume are believed of everyone who is no mock: every
///   Kafka that this client can speak with has them.
/// - `tls` and `sasl` are what the properties with which we got in say.
///
/// # Errors
///
/// [`ExternalError`]: nobody answers, we are not let in, or an advertised address leads nowhere.
///
/// # Cancellation
///
/// Dropping the future stops the asking; a thread ends by itself by the settings' deadline.
pub async fn ask(settings: Settings) -> Result<Connection, ExternalError> {
    let deadline = Instant::now() + settings.deadline();
    let (metadata, cluster_id) = first_answer(&settings, deadline).await?;
    let brokers =
        u32::try_from(metadata.brokers().len()).unwrap_or(u32::MAX);
    let capabilities = if cluster_id.is_some_and(|id| id.starts_with(MOCK))
    {
        Capabilities { brokers, ..Kind::Embedded.capabilities() }
    } else {
        let Some(broker) =
            metadata.brokers().iter().min_by_key(|broker| broker.id())
        else {
            return Err(no_answer(
                &settings,
                vec!["it knows of no broker".to_owned()],
            ));
        };
        let address = format!("{}:{}", broker.host(), broker.port());
        let answer =
            configuration(&settings, broker.id(), address, deadline)
                .await?;
        let protocol =
            settings.property("security.protocol").unwrap_or_default();
        Capabilities::new(brokers, gives(&answer, protocol))
    };
    Ok(Connection {
        kind: Kind::External,
        // No request asks for a broker's version.
        version: None,
        bootstrap: settings.bootstrap().to_owned(),
        capabilities,
        properties: settings.exposed(),
    })
}

/// What a broker said when it was asked for its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// Its properties; those that it keeps to itself are missing.
    Properties(BTreeMap<String, String>),
    /// We may not see them.
    Forbidden,
    /// It does not know the question, or answered with an error.
    Nothing,
}

/// What a cluster that answered so gives to a client with this `security.protocol`: see [`ask`].
fn gives(answer: &Answer, protocol: &str) -> Vec<Need> {
    let mut gives = vec![
        Need::Timestamps,
        Need::Retention,
        Need::Compaction,
        Need::Volume,
    ];
    if *answer != Answer::Nothing {
        gives.extend([Need::Txn, Need::Idempotence, Need::Isolation]);
    }
    match answer {
        Answer::Properties(properties) => {
            gives.push(Need::Admin);
            let property = |name: &str| {
                properties.get(name).map_or("", String::as_str)
            };
            if !property("authorizer.class.name").is_empty() {
                gives.push(Need::Acl);
            }
            let protocols =
                property("group.coordinator.rebalance.protocols");
            let speaks = |name: &str| {
                protocols.split(',').any(|word| word.trim() == name)
            };
            if speaks("consumer") {
                gives.push(Need::Kip848);
            }
            if speaks("share") {
                gives.push(Need::ShareGroups);
            }
        }
        Answer::Forbidden => gives.push(Need::Acl),
        Answer::Nothing => {}
    }
    let protocol = protocol.to_ascii_uppercase();
    if protocol.ends_with("SSL") {
        gives.push(Need::Tls);
    }
    if protocol.starts_with("SASL") {
        gives.push(Need::Sasl);
    }
    gives
}

/// Keeps what the client says about its connections, instead of logging it: it belongs into our
/// error, not before it.
#[derive(Clone, Default)]
struct Listening {
    said: Arc<Mutex<Said>>,
}

#[derive(Default)]
struct Said {
    lines: VecDeque<String>,
    /// An error that more waiting does not mend.
    hopeless: bool,
}

impl Listening {
    fn with<T>(&self, look: impl FnOnce(&mut Said) -> T) -> T {
        look(&mut self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientContext for Listening {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        use RDKafkaLogLevel::{Debug, Info};

        tracing::debug!(target: "librdkafka", ?level, facility, "{message}");
        if !matches!(level, Debug | Info) {
            // Behind "[thrd:…]: ", which is of no use to a reader.
            let message = message
                .split_once("]: ")
                .map_or(message, |(_, message)| message);
            self.with(|said| said.hear(message));
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        use RDKafkaErrorCode::{AllBrokersDown, Authentication, SSL};

        let code = error.rdkafka_error_code();
        self.with(|said| {
            said.hopeless |= matches!(code, Some(Authentication | SSL));
            // That all are down is what we say ourselves.
            if code != Some(AllBrokersDown) {
                said.hear(reason);
            }
        });
    }
}

impl Said {
    fn hear(&mut self, line: &str) {
        self.hopeless |=
            HOPELESS.iter().any(|phrase| line.contains(phrase));
        // How long it took, and how often, differs from one time to the next.
        let line = line.split(" (after ").next().unwrap_or(line).to_owned();
        if !self.lines.contains(&line) {
            self.lines.push_back(line);
            if self.lines.len() > COMPLAINTS {
                self.lines.pop_front();
            }
        }
    }
}

impl ConsumerContext for Listening {}

/// Waits for the first answer of any bootstrap server.
async fn first_answer(
    settings: &Settings,
    deadline: Instant,
) -> Result<(Metadata, Option<String>), ExternalError> {
    /// How long the first look takes at most: then what the client said meanwhile is heard. Each
    /// look takes twice as long as the one before, so that a slow line has its time too.
    const LOOK: Duration = Duration::from_millis(250);

    let listening = Listening::default();
    let client: BaseConsumer<Listening> = settings
        .client_config()
        .create_with_context(listening.clone())
        .map_err(|cause| settings.refused(cause))?;
    let look = move || {
        let mut slice = LOOK;
        loop {
            let patience =
                deadline.saturating_duration_since(Instant::now());
            // A group is not joined, so there is no record to lose: polling only hears complaints.
            while let Some(event) = client.poll(Duration::ZERO) {
                drop(event);
            }
            if patience.is_zero()
                || client.context().with(|said| said.hopeless)
            {
                return None;
            }
            if let Ok(metadata) =
                client.fetch_metadata(None, patience.min(slice))
            {
                // The id came with the metadata: nothing is waited for.
                let id = client
                    .client()
                    .fetch_cluster_id(Duration::from_millis(100));
                return Some((metadata, id));
            }
            slice *= 2;
        }
    };
    match tokio::task::spawn_blocking(look).await {
        Ok(Some(answer)) => Ok(answer),
        _ => {
            let (said, hopeless) = listening.with(|said| {
                (said.lines.drain(..).collect::<Vec<_>>(), said.hopeless)
            });
            let said =
                said.iter().map(|line| settings.masked(line)).collect();
            Err(if hopeless {
                ExternalError::NotLetIn {
                    bootstrap: settings.bootstrap().to_owned(),
                    said,
                }
            } else {
                no_answer(settings, said)
            })
        }
    }
}

/// Nothing came in time. Where the client complains about a broker by its number, it has learnt that
/// number from an answer of the bootstrap server: then it is the advertised address that is wrong.
fn no_answer(settings: &Settings, said: Vec<String>) -> ExternalError {
    let (bootstrap, waited) =
        (settings.bootstrap().to_owned(), settings.deadline());
    match said.iter().find_map(|line| numbered_broker(line)) {
        Some((address, id)) => {
            ExternalError::Unreachable { bootstrap, id, address, waited }
        }
        None => ExternalError::NoAnswer { bootstrap, waited, said },
    }
}

/// The broker that a complaint of librdkafka names: `127.0.0.1:9092/1: Connect to …`. The server
/// that a client begins with has no number yet: `127.0.0.1:9092/bootstrap: Connect to …`.
fn numbered_broker(complaint: &str) -> Option<(String, i32)> {
    let (broker, _) = complaint.split_once(": ")?;
    let (address, id) = broker.rsplit_once('/')?;
    // `sasl_ssl://host:9092/1` where the protocol is not plaintext.
    let address =
        address.rsplit_once("//").map_or(address, |(_, address)| address);
    Some((address.to_owned(), id.parse().ok()?))
}

/// Asks a broker for its configuration.
async fn configuration(
    settings: &Settings,
    id: i32,
    address: String,
    deadline: Instant,
) -> Result<Answer, ExternalError> {
    use RDKafkaErrorCode::{
        BrokerTransportFailure, ClusterAuthorizationFailed,
        OperationTimedOut, RequestTimedOut,
    };

    // The first answer may have taken nearly all the time: a cluster that answers gets 3 s more.
    let patience = deadline
        .saturating_duration_since(Instant::now())
        .max(Duration::from_secs(3));
    let failed = |cause| ExternalError::Client {
        bootstrap: settings.bootstrap().to_owned(),
        cause,
    };
    let admin: AdminClient<DefaultClientContext> =
        settings.client_config().create().map_err(failed)?;
    let options = AdminOptions::new().request_timeout(Some(patience));
    let asked = admin
        .describe_configs([&ResourceSpecifier::Broker(id)], &options)
        .await;
    // Its thread is waited for: not on a thread of the runtime.
    drop(tokio::task::spawn_blocking(move || drop(admin)));
    let code = match asked.map(|mut answers| answers.pop()) {
        Ok(Some(Ok(resource))) => {
            let with_value = |entry: rdkafka::admin::ConfigEntry| {
                Some((entry.name, entry.value?))
            };
            return Ok(Answer::Properties(
                resource
                    .entries
                    .into_iter()
                    .filter_map(with_value)
                    .collect(),
            ));
        }
        Ok(Some(Err(code))) => code,
        Ok(None) => return Ok(Answer::Nothing),
        Err(KafkaError::AdminOp(code)) => code,
        Err(error) => return Err(failed(error)),
    };
    match code {
        ClusterAuthorizationFailed => Ok(Answer::Forbidden),
        OperationTimedOut | RequestTimedOut | BrokerTransportFailure => {
            Err(ExternalError::Unreachable {
                bootstrap: settings.bootstrap().to_owned(),
                id,
                address,
                waited: patience,
            })
        }
        _ => Ok(Answer::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(pairs: &[(&str, &str)]) -> Answer {
        Answer::Properties(
            pairs
                .iter()
                .map(|(k, v)| (k.to_string(), v.to_string()))
                .collect(),
        )
    }

    #[test]
    fn a_broker_with_a_number_was_named_by_an_answer() {
        let complaint = "127.0.0.1:39187/1: Connect to ipv4#127.0.0.1:39187 failed: refused";
        assert_eq!(
            numbered_broker(complaint),
            Some(("127.0.0.1:39187".to_owned(), 1))
        );
        let complaint = "sasl_ssl://kafka:9093/12: Disconnected";
        assert_eq!(
            numbered_broker(complaint),
            Some(("kafka:9093".to_owned(), 12))
        );
        assert_eq!(
            numbered_broker(
                "127.0.0.1:9092/bootstrap: Connect to … failed"
            ),
            None
        );
        assert_eq!(numbered_broker("2/2 brokers are down"), None);
    }

    fn words(answer: &Answer, protocol: &str) -> String {
        Capabilities::new(1, gives(answer, protocol)).gives.to_string()
    }

    #[test]
    fn a_plain_kafka_gives_what_every_kafka_gives() {
        assert_eq!(
            words(&properties(&[("authorizer.class.name", "")]), ""),
            "txn, admin, idempotence, isolation, timestamps, retention, compaction, volume"
        );
    }

    #[test]
    fn authorizer_and_group_protocols_are_read_from_its_configuration() {
        let answer = properties(&[
            (
                "authorizer.class.name",
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            ),
            (
                "group.coordinator.rebalance.protocols",
                "classic, consumer,streams",
            ),
        ]);
        let gives = gives(&answer, "SASL_SSL");
        for need in
            [Need::Acl, Need::Kip848, Need::Tls, Need::Sasl, Need::Admin]
        {
            assert!(gives.contains(&need), "{need}");
        }
        assert!(!gives.contains(&Need::ShareGroups));
    }

    #[test]
    fn from_no_answer_nothing_is_concluded() {
        assert_eq!(
            words(&Answer::Nothing, "SSL"),
            "tls, timestamps, retention, compaction, volume"
        );
    }

    #[test]
    fn who_may_not_look_has_no_admin_api() {
        let gives = gives(&Answer::Forbidden, "sasl_plaintext");
        assert!(gives.contains(&Need::Acl) && gives.contains(&Need::Sasl));
        assert!(
            !gives.contains(&Need::Admin) && !gives.contains(&Need::Tls)
        );
    }
}
