//! A producer that is fast and says of each record what became of it.
//!
//! [`Producer::send`] waits for room, while the producer holds as many records as it may, and now and
//! then gives other tasks their turn; it waits for no answer. What the broker answers comes to a handler,
//! one [`Outcome`] a record, with the number that the caller gave. A record costs no channel, no future
//! that lives until its answer, and no allocation beyond rdkafka's own.
//!
//! # Layout
//!
//! Pure, for tests and pages without a broker: [`config`] (typed settings, one `validate`),
//! [`window`] (how much may be under way), [`partition`] (who chooses the partition) and [`backoff`]
//! (when a failed record is tried again).
//! Behind the feature `kafka`: [`producer`] itself, [`record`] (what it sends, and what becomes of it),
//! [`error`] (what can be tried again), what its threads share (`state`), librdkafka's callbacks
//! (`report`) and their counters (`meter`).
//!
//! # What a real system would do differently
//!
//! A service that sends a few records a second can await each one of rdkafka's `FutureProducer`: its
//! price is one allocation, one channel and one wake-up a record, and it is the simpler code.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod backoff;
pub mod config;
pub mod partition;
pub mod window;

#[cfg(feature = "kafka")]
pub mod error;
#[cfg(feature = "kafka")]
mod meter;
#[cfg(feature = "kafka")]
pub mod producer;
#[cfg(feature = "kafka")]
pub mod record;
#[cfg(feature = "kafka")]
mod report;
#[cfg(feature = "kafka")]
mod state;

pub use crate::config::{
    Acks, Compression, ConfigError, ProducerConfig, Sasl, Secret,
};
#[cfg(feature = "kafka")]
pub use crate::error::{
    Class, CloseError, DeliveryError, SendError, class,
};
#[cfg(feature = "kafka")]
pub use crate::producer::Producer;
#[cfg(feature = "kafka")]
pub use crate::record::{Outcome, Place, Record};
