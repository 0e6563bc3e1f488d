//! The testbed, tested on the machine it runs on.
#![forbid(unsafe_code)]

/// Kafka in a container: it starts, serves, and is gone afterwards, however its owner ends.
#[cfg(feature = "docker")]
mod docker;
/// The built-in broker: how fast, what it can, what it refuses, and what it may not hide.
mod embedded;
/// `testbed exec` and `up`: what the command sees, how it ends, and what stays behind.
mod exec;
/// A cluster that the reader names: what it is asked, and what is said when it does not answer.
mod external;
/// The guardian: what it leaves behind when its owner ends, however that ends (nothing).
mod guardian;
/// Fetching Kafka: what is missing is told, what is damaged is fetched again.
mod install;
/// A real Kafka of a test's own: how it starts, and what happens when its brokers fail.
mod own_cluster;
/// The fault proxy: each fault before a plain echo server first, then before a Kafka.
mod proxy;
/// What a test writes: a cluster, a topic of its own, and waiting.
mod shared;
/// TLS with certificates made on the spot: who is let in, and with which words the others are not.
#[cfg(feature = "tls")]
mod tls;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;
