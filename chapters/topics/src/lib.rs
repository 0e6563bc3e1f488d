//! Topics as they should be, topics as they are, and what lies between.
//!
//! - [`Declared`] is read from YAML: names, partitions, replication factors, configuration.
//! - [`Actual`] is what a cluster has of one topic.
//! - [`plan`](plan()) compares the two and gives a [`Plan`]: what to create, what to change, what Kafka
//!   refuses and why. It marks each change that moves keys or deletes data ([`Danger`]). Values in,
//!   values out.
//! - [`Partitioner`] says which partition a key goes to, and [`moves`] which keys go elsewhere when
//!   there are more partitions.
//! - [`survivors`] says which records compaction keeps.
#![cfg_attr(
    feature = "kafka",
    doc = "- [`Admin`] reads a cluster and applies a plan, and [`missed`] says what retention took from a group."
)]
//!
//! Without the default feature `kafka` nothing here opens a connection or reads a clock, and the crate
//! builds for `wasm32-unknown-unknown`.
//!
//! A real platform would keep the file in version control, plan in each pull request, and apply from
//! one place only: two programs that apply at once overwrite each other (see [`Admin::apply`]).
#![cfg_attr(
    not(feature = "kafka"),
    doc = "\n[`Admin::apply`]: https://docs.rs/rdkafka"
)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod actual;
#[cfg(feature = "kafka")]
mod admin;
mod compaction;
mod danger;
mod declared;
mod diff;
mod keys;
mod plan;

#[cfg(test)]
mod properties;

pub use actual::{Actual, Setting};
#[cfg(feature = "kafka")]
pub use admin::{Admin, AdminError, Applied, missed};
pub use compaction::{Stored, survivors};
pub use danger::{Allow, Danger};
pub use declared::{
    BadDeclaration, ConfigValue, Count, Declared, Topic, TopicName,
};
pub use keys::{Move, Partitioner, moves};
pub use plan::{Change, Plan, Refusal, TopicPlan, plan};

/// The README's code is compiled and run by `cargo test`.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
