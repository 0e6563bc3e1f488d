//! What a node is told: its properties, its Java flags, how it logs. Values in, text out.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::options::{Jit, LocalOptions};

/// The listener that brokers, and this crate's own questions, use: plain, on the loopback interface
/// only. So a proxy, TLS or SASL on the clients' listeners never stands between two brokers, and a
/// broker whose clients are cut off can still be asked.
pub(crate) const INTERNAL: &str = "INTERNAL";

/// The listener of the controllers' quorum.
pub(crate) const CONTROLLER: &str = "CONTROLLER";

/// The address that everything listens on.
pub(crate) const HOST: &str = "127.0.0.1";

/// The class of the broker's program.
pub(crate) const MAIN_CLASS: &str = "kafka.Kafka";

/// The cluster id, 22 characters of Base64 as Kafka wants it. One for all clusters: each has its
/// own folders and quorum, and `bootstrap.checkpoint` does not depend on it.
pub(crate) const CLUSTER_ID: &str = "dGVzdGJlZC1jbHVzdGVyLQ";

/// One node of a cluster.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    /// Its number, from 1.
    pub id: u32,
    /// The controllers' ports, of all nodes, in the order of their numbers.
    pub controllers: &'a [u16],
    /// The port of each listener but the controller's; 0 or absent: any.
    pub ports: &'a BTreeMap<String, u16>,
    /// Its folder.
    pub folder: &'a Path,
}

/// `server.properties` for a node.
pub(crate) fn properties(
    node: &Node<'_>,
    options: &LocalOptions,
) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut set =
        |name: &str, value: String| all.insert(name.to_owned(), value);

    let voters: Vec<String> = (1..)
        .zip(node.controllers)
        .map(|(id, port)| format!("{id}@{HOST}:{port}"))
        .collect();
    set("process.roles", "broker,controller".into());
    set("node.id", node.id.to_string());
    set("controller.quorum.voters", voters.join(","));
    set("log.dirs", node.folder.join("data").display().to_string());

    let own = |name: &str| {
        format!(
            "{name}://{HOST}:{}",
            node.ports.get(name).copied().unwrap_or(0)
        )
    };
    let clients =
        options.listeners.iter().map(|listener| listener.name.as_str());
    let open: Vec<String> = clients.chain([INTERNAL]).map(own).collect();
    let controller =
        node.controllers.get(node.id as usize - 1).copied().unwrap_or(0);
    set(
        "listeners",
        format!("{},{CONTROLLER}://{HOST}:{controller}", open.join(",")),
    );
    if let Some(address) = options.advertised.get(&node.id) {
        let first = format!("{}://{address}", options.listeners[0].name);
        let rest = open.into_iter().skip(1);
        set(
            "advertised.listeners",
            [first].into_iter().chain(rest).collect::<Vec<_>>().join(","),
        );
    }
    let protocols: Vec<String> = options
        .listeners
        .iter()
        .map(|listener| format!("{}:{}", listener.name, listener.protocol))
        .chain([
            format!("{INTERNAL}:PLAINTEXT"),
            format!("{CONTROLLER}:PLAINTEXT"),
        ])
        .collect();
    set("listener.security.protocol.map", protocols.join(","));
    set("inter.broker.listener.name", INTERNAL.into());
    set("controller.listener.names", CONTROLLER.into());
    set("listener.name.internal.num.network.threads", "1".into());

    // Kafka's own topics exist as often as there are brokers, up to its default of 3, and have one
    // partition each instead of 50: creating 50 is most of the wait for a first group.
    let copies = options.brokers.min(3);
    let in_sync = if copies == 3 { 2 } else { 1 };
    for topic in [
        "offsets.topic",
        "transaction.state.log",
        "share.coordinator.state.topic",
    ] {
        set(&format!("{topic}.num.partitions"), "1".into());
        set(&format!("{topic}.replication.factor"), copies.to_string());
    }
    set("transaction.state.log.min.isr", in_sync.to_string());
    set("share.coordinator.state.topic.min.isr", in_sync.to_string());
    set("min.insync.replicas", in_sync.to_string());
    set("default.replication.factor", copies.to_string());

    // A group of a test is complete when its first member joins: the default waits 3 s for more.
    set("group.initial.rebalance.delay.ms", "0".into());
    // The default of 128 MiB would be half the heap.
    set("log.cleaner.dedupe.buffer.size", "4194304".into());
    set("num.network.threads", "2".into());
    set("num.io.threads", "4".into());
    set("background.threads", "2".into());
    // A quorum that starts waits this long, up to twice, before somebody stands for election. With
    // the default of 1 s three brokers took 0.6 s longer to start, and 1.1 CPU seconds more.
    set("controller.quorum.election.timeout.ms", "500".into());
    if options.test_timeouts {
        for (name, value) in TEST_TIMEOUTS {
            set(name, value.to_owned());
        }
    }
    all.extend(options.properties.clone());
    all
}

/// Time-outs with which a test sees within a second or two that a member or a broker is gone.
/// Kafka's defaults: 45 s for a member, 9 s for a broker. A classic member brings its own time-out:
/// for it only the least that brokers allow is changed.
const TEST_TIMEOUTS: [(&str, &str); 7] = [
    ("group.min.session.timeout.ms", "500"),
    ("group.consumer.session.timeout.ms", "1000"),
    ("group.consumer.min.session.timeout.ms", "500"),
    ("group.consumer.heartbeat.interval.ms", "200"),
    ("group.consumer.min.heartbeat.interval.ms", "100"),
    ("broker.session.timeout.ms", "2000"),
    ("broker.heartbeat.interval.ms", "400"),
];

/// Properties as the text of a Java properties file.
pub(crate) fn text(properties: &BTreeMap<String, String>) -> String {
    properties
        .iter()
        .map(|(name, value)| {
            format!("{}={}\n", escape(name, true), escape(value, false))
        })
        .collect()
}

/// Escapes a name or value for a Java properties file (`java.util.Properties.load`).
fn escape(text: &str, name: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            ' ' if name || at == 0 => escaped.push_str("\\ "),
            ':' | '=' if name => escaped.extend(['\\', c]),
            '#' | '!' if name && at == 0 => escaped.extend(['\\', c]),
            // The file is read as ISO 8859-1, so that everything else is written as UTF-16 units.
            c if !c.is_ascii() => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// `meta.properties`: what `StorageTool format` would have written for this node.
pub(crate) fn meta_properties(id: u32) -> String {
    format!("version=1\nnode.id={id}\ncluster.id={CLUSTER_ID}\n")
}

/// How the broker logs: warnings, and the two loggers that say which ports it opened, to standard
/// output, which the guardian sends to `broker.log`.
pub(crate) const LOG4J: &str = "\
status=error
appenders=out
appender.out.type=Console
appender.out.name=out
appender.out.direct=true
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %m (%c)%n
rootLogger.level=WARN
rootLogger.appenderRefs=out
rootLogger.appenderRef.out.ref=out
logger.sockets.name=kafka.network.SocketServer
logger.sockets.level=INFO
logger.acceptors.name=kafka.network.DataPlaneAcceptor
logger.acceptors.level=INFO
";

/// Everything that follows `java` on a broker's command line.
///
/// `class_path` must be the very same text with which the archive was made, or Java ignores the
/// archive.
pub(crate) fn java_arguments(
    folder: &Path,
    class_path: &str,
    archive: Option<&Path>,
    options: &LocalOptions,
) -> Vec<OsString> {
    let heap = options.heap_mib.unwrap_or(if options.jit == Jit::Full {
        1024
    } else {
        256
    });
    let mut flags: Vec<OsString> = Vec::new();
    let mut flag = |text: String| flags.push(text.into());
    flag(format!("-Xmx{heap}m"));
    match options.jit {
        Jit::Quick => {
            // A small first heap is collected early: 20 MiB less memory and no more CPU.
            flag(format!("-Xms{}m", heap.min(64)));
            flag("-XX:TieredStopAtLevel=1".into());
            flag("-XX:+UseSerialGC".into());
        }
        Jit::Full => flag(format!("-Xms{heap}m")),
    }
    flag("-XX:+ExitOnOutOfMemoryError".into());
    // Otherwise each killed JVM leaves a file in /tmp/hsperfdata_*.
    flag("-XX:-UsePerfData".into());
    flag("-Xlog:disable".into());
    flag(format!(
        "-XX:ErrorFile={}",
        folder.join("java-crash.log").display()
    ));
    // Compression codecs unpack native libraries there, and a killed JVM leaves them.
    flag(format!("-Djava.io.tmpdir={}", folder.join("tmp").display()));
    flag(format!(
        "-Dlog4j2.configurationFile={}",
        folder.join("log4j2.properties").display()
    ));
    if let Some(archive) = archive {
        flag(format!("-XX:SharedArchiveFile={}", archive.display()));
    }
    for own in &options.java_flags {
        flag(own.clone());
    }
    flag("-cp".into());
    flag(class_path.into());
    flag(MAIN_CLASS.into());
    flags.push(folder.join("server.properties").into());
    flags
}

/// The ports in a broker's log, by the name of the listener.
///
/// A broker that was told port 0 logs, for one listener after the other, `Opened wildcard endpoint
/// 127.0.0.1:35207` and then `Created data-plane acceptor and processors for endpoint :
/// ListenerName(PLAINTEXT)`.
pub(crate) fn ports_in_log(log: &str) -> BTreeMap<String, u16> {
    let mut ports = BTreeMap::new();
    let mut last = None;
    for line in log.lines() {
        if let Some((_, rest)) =
            line.split_once("Opened wildcard endpoint ")
        {
            last = rest
                .split_whitespace()
                .next()
                .and_then(|address| address.rsplit_once(':'))
                .and_then(|(_, port)| port.parse().ok());
        } else if let Some((_, rest)) =
            line.split_once("for endpoint : ListenerName(")
            && let Some((name, _)) = rest.split_once(')')
            && let Some(port) = last.take()
        {
            ports.insert(name.to_owned(), port);
        }
    }
    ports
}

/// True if a log says that the broker listens on this port.
pub(crate) fn is_open(log: &str, port: u16) -> bool {
    let wanted = format!("Awaiting socket connections on {HOST}:{port}.");
    log.lines().any(|line| line.contains(&wanted))
}

/// The address in a log that a broker could not listen on, if that is why it ended.
pub(crate) fn taken_address(log: &str) -> Option<String> {
    let line =
        log.lines().find(|line| line.contains("Address already in use"))?;
    let address = line
        .split_once("failed to bind to ")
        .and_then(|(_, rest)| rest.split([' ', ',']).next())
        .map(|address| address.trim_end_matches([':', '.']).to_owned());
    Some(address.unwrap_or_else(|| "a port of the broker".to_owned()))
}

/// The last `n` lines of a log, without Java's stack frames, which hide the message.
pub(crate) fn telling_lines(log: &str, n: usize) -> String {
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| {
            !line.starts_with("\tat ") && !line.trim().is_empty()
        })
        .collect();
    if lines.is_empty() {
        return "(it is empty)".to_owned();
    }
    lines[lines.len().saturating_sub(n)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node<'a>(
        id: u32,
        controllers: &'a [u16],
        ports: &'a BTreeMap<String, u16>,
    ) -> Node<'a> {
        Node {
            id,
            controllers,
            ports,
            folder: Path::new("/cluster/node-1"),
        }
    }

    #[test]
    fn one_node_is_its_own_quorum() {
        let ports = BTreeMap::new();
        let all =
            properties(&node(1, &[7001], &ports), &LocalOptions::new(1));
        assert_eq!(all["controller.quorum.voters"], "1@127.0.0.1:7001");
        assert_eq!(
            all["listeners"],
            "PLAINTEXT://127.0.0.1:0,INTERNAL://127.0.0.1:0,CONTROLLER://127.0.0.1:7001"
        );
        assert_eq!(all["offsets.topic.replication.factor"], "1");
        assert_eq!(all["min.insync.replicas"], "1");
        assert!(!all.contains_key("advertised.listeners"));
    }

    #[test]
    fn three_nodes_replicate_and_keep_their_ports_when_they_restart() {
        let ports = BTreeMap::from([
            ("PLAINTEXT".to_owned(), 5002),
            (INTERNAL.to_owned(), 6002),
        ]);
        let all = properties(
            &node(2, &[7001, 7002, 7003], &ports),
            &LocalOptions::new(3),
        );
        assert_eq!(
            all["listeners"],
            "PLAINTEXT://127.0.0.1:5002,INTERNAL://127.0.0.1:6002,CONTROLLER://127.0.0.1:7002"
        );
        assert_eq!(all["offsets.topic.replication.factor"], "3");
        assert_eq!(all["transaction.state.log.min.isr"], "2");
    }

    #[test]
    fn a_proxy_stands_before_the_first_listener_only() {
        let options = LocalOptions::new(1)
            .listener("SASL_PLAINTEXT", "SASL_PLAINTEXT")
            .advertised(1, "localhost:4444");
        let ports = BTreeMap::new();
        let all = properties(&node(1, &[7001], &ports), &options);
        assert_eq!(
            all["advertised.listeners"],
            "PLAINTEXT://localhost:4444,SASL_PLAINTEXT://127.0.0.1:0,INTERNAL://127.0.0.1:0"
        );
    }

    #[test]
    fn a_property_of_the_caller_wins() {
        let options = LocalOptions::new(1)
            .property("num.io.threads", 9)
            .test_timeouts(false);
        let ports = BTreeMap::new();
        let all = properties(&node(1, &[7001], &ports), &options);
        assert_eq!(all["num.io.threads"], "9");
        assert!(!all.contains_key("broker.session.timeout.ms"));
    }

    #[test]
    fn a_value_with_line_breaks_stays_one_property() {
        let all = BTreeMap::from([(
            "key : x".to_owned(),
            " a\nb=c\\d é".to_owned(),
        )]);
        assert_eq!(text(&all), "key\\ \\:\\ x=\\ a\\nb=c\\\\d \\u00e9\n");
    }

    #[test]
    fn benchmarks_get_the_compiler_and_heap_of_production() {
        let quick = java_arguments(
            Path::new("/n"),
            "a.jar",
            None,
            &LocalOptions::new(1),
        );
        assert!(
            quick.contains(&"-XX:TieredStopAtLevel=1".into())
                && quick.contains(&"-Xmx256m".into())
        );
        let full = LocalOptions::new(1).jit(Jit::Full);
        let full = java_arguments(
            Path::new("/n"),
            "a.jar",
            Some(Path::new("/a.jsa")),
            &full,
        );
        assert!(
            !full.contains(&"-XX:TieredStopAtLevel=1".into())
                && full.contains(&"-Xmx1024m".into())
        );
        assert!(full.contains(&"-XX:SharedArchiveFile=/a.jsa".into()));
    }

    #[test]
    fn ports_are_read_from_the_log_as_the_broker_writes_it() {
        let log = "\
2026-01-01T00:00:01,1 INFO Awaiting socket connections on 127.0.0.1:7001. (kafka.network.DataPlaneAcceptor)
2026-01-01T00:00:01,2 INFO Opened wildcard endpoint 127.0.0.1:35207 (kafka.network.DataPlaneAcceptor)
2026-01-01T00:00:01,3 INFO [SocketServer listenerType=BROKER, nodeId=1] Created data-plane acceptor and processors for endpoint : ListenerName(PLAINTEXT) (kafka.network.SocketServer)
2026-01-01T00:00:01,4 INFO Opened wildcard endpoint 127.0.0.1:42141 (kafka.network.DataPlaneAcceptor)
";
        assert_eq!(
            ports_in_log(log),
            BTreeMap::from([("PLAINTEXT".to_owned(), 35207)])
        );
        let log = format!(
            "{log}2026 INFO x Created data-plane acceptor and processors for endpoint : ListenerName(INTERNAL) (k)\n"
        );
        assert_eq!(ports_in_log(&log)["INTERNAL"], 42141);
        assert!(
            is_open(&log, 7001)
                && !is_open(&log, 700)
                && !is_open(&log, 42141)
        );
    }

    #[test]
    fn a_taken_port_is_told_from_other_ends() {
        let log = "x ERROR Socket server failed to bind to 127.0.0.1:19093: Address already in use. (k)\n";
        assert_eq!(taken_address(log).as_deref(), Some("127.0.0.1:19093"));
        assert!(
            taken_address("java.net.BindException: Address already in use")
                .is_some()
        );
        assert_eq!(
            taken_address("ERROR Exiting Kafka due to fatal exception"),
            None
        );
    }

    #[test]
    fn stack_frames_do_not_hide_the_message() {
        let log = "one\nConfigException: no\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)\n\n";
        assert_eq!(telling_lines(log, 1), "ConfigException: no");
        assert_eq!(telling_lines("", 5), "(it is empty)");
    }
}
