//! Apache Kafka in KRaft mode as Java processes on this machine: one broker, or several.
//!
//! ```no_run
//! use testbed::local::{LocalCluster, LocalOptions};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let cluster = LocalCluster::start(LocalOptions::new(3)).await?;
//! let leader = cluster.leader("orders", 0).await?;
//! cluster.broker(leader)?.kill().await?;
//! # Ok(()) }
//! ```
//!
//! # How it starts in a second
//!
//! * The jars are fetched once, by Maven, into a cache folder ([`install()`], [`Tools`]).
//! * No start runs `StorageTool format`: that is a JVM of its own. What it writes is the same for
//!   every node but for the node's number, so it ran once when the jars were fetched.
//! * The classes that a broker needs are loaded from an archive made once for each Java
//!   ([AppCDS](https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html)).
//!
//! # How it ends
//!
//! Each broker has a guardian, a small shell process which kills the broker and removes its folder
//! as soon as the process that started it is gone, however it went.
//!
//! # Files
//!
//! `install`: jars, checked (`manifest`) and locked, fetched by `maven`. `archive`: the class
//! archive. `cancel`: what ends them early. `settings`: what a node is told, as pure functions. `guardian`: the process that
//! outlives us. `broker`: one node. `cluster`: all of them, in a `folder`. `question`: what they are
//! asked.

mod archive;
mod broker;
mod cancel;
mod cluster;
mod error;
mod folder;
mod guardian;
mod install;
mod java;
mod manifest;
mod maven;
mod options;
mod question;
mod settings;
mod usage;

pub use broker::Broker;
pub use cluster::LocalCluster;
pub use error::LocalError;
pub use install::{Kafka, Progress, Tools, install};
pub use java::Java;
pub use options::{Jit, Listener, LocalOptions};
