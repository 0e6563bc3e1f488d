//! A Kafka of its own for every test, in a second.
//!
//! ```no_run
//! use std::time::Duration;
//! use testbed::{TestTopic, cluster, eventually};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let cluster = cluster("").await?;
//! let orders = TestTopic::new(&cluster, "orders", 3).await?;
//! let config = cluster.client_config();
//! // … produce to orders.name() …
//! # Ok(()) }
//! ```
//!
//! # Layout
//!
//! Pure, and always there: what a run asks for and a cluster gives ([`needs`]), the kinds of broker
//! and which one a run gets ([`kind`]), what this machine has ([`machine`]).
//!
//! Behind the feature `kafka`: the built-in broker ([`embedded`]), yours ([`external`]), topics and
//! waiting ([`TestTopic`], [`eventually()`]), a fault proxy ([`proxy`]).
//! Behind `local`: Apache Kafka as Java processes. Behind `docker`: the same in a container.
//! Behind `tls`: certificates made on the spot.
//!
//! A cluster that a test starts ends with its handle: broker, folder and container are gone when
//! it is dropped, also when the test panics. When its process is killed, a guardian ends local
//! brokers and removes their folder; a container goes by the `docker` program, and on a machine
//! without it by the next start.

#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod kind;
pub mod machine;
pub mod needs;
pub mod version;

#[cfg(feature = "tls")]
pub mod certificates;
#[cfg(feature = "kafka")]
pub mod cluster;
#[cfg(feature = "docker")]
pub mod docker;
#[cfg(feature = "kafka")]
pub mod embedded;
#[cfg(feature = "kafka")]
pub mod eventually;
#[cfg(feature = "kafka")]
pub mod external;
#[cfg(feature = "kafka")]
mod ffi;
#[cfg(feature = "local")]
pub mod local;
#[cfg(feature = "kafka")]
pub mod proxy;
#[cfg(feature = "kafka")]
pub mod topic;

#[cfg(feature = "kafka")]
pub use crate::cluster::{Cluster, ClusterError, Connection, cluster};
#[cfg(feature = "kafka")]
pub use crate::eventually::eventually;
#[cfg(feature = "kafka")]
pub use crate::topic::{TestTopic, TopicSpec, unique_name};
