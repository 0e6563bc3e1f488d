//! What is lost and what is not, on real brokers; the audit of a live cluster; the table that the page shows.
#![forbid(unsafe_code)]

/// The command, on a cluster that it asks.
mod audit;
/// The state machine, by random histories.
mod model;
/// Three brokers of a test's own: killed, frozen, and restarted.
mod own_cluster;
/// The committed table: its shape, and what does not change.
mod table;

/// The rows of the table, as the program that makes it writes them.
mod format;
#[path = "../../examples/stage/mod.rs"]
mod stage;

type Result<T = ()> = anyhow::Result<T>;
