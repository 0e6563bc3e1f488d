//! What a producer and a topic can lose when brokers die, and why.
//!
//! ```
//! use replication::{Client, Loss, Producer, Topic, audit, properties};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let said = properties("acks=1\nlinger.ms=5")?;
//! let producer = Producer::read(Client::Librdkafka, said)?;
//! let topic = Topic::read(3, 3, [("min.insync.replicas", "2")])?;
//!
//! let audit = audit(&producer, &topic);
//! assert_eq!(audit.one.loss, Loss::Lost);
//! println!("{}", audit.one.reason.says);
//! # Ok(()) }
//! ```
//!
//! # Layout
//!
//! Pure, and always there:
//! - [`settings`]: what a producer and a topic say, read from their properties;
//! - [`audit()`](audit()): what these settings can lose;
//! - [`model`]: replication of one partition as a state machine; [`explore`]: everything that can happen in
//!   it, which the audit's verdicts are tested against;
//! - [`segment`]: how far a replica's log goes, read from its file.
//!
//! Behind the feature `kafka`: [`live`], a topic's settings asked of its cluster.
//!
//! A real operator would also ask for what no topic says: whether replicas stand in different racks, whether
//! disks fail together, and who may change the topic.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod audit;
pub mod explore;
#[cfg(feature = "kafka")]
pub mod live;
pub mod model;
pub mod segment;
pub mod settings;

pub use audit::{Audit, Reason, Verdict, Writes, audit};
pub use explore::{Failures, Loss, Worst, worst};
pub use model::{Event, Outcome, Partition, Rules};
pub use settings::{
    Acks, Client, Producer, SettingsError, Topic, properties,
};
