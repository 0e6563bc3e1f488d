//! What topics promise, on real brokers.
#![forbid(unsafe_code)]

/// Declared topics on a real Kafka: created, compared, changed, refused.
mod apply;
/// Clients, programs and reading that the tests below share.
mod common;
/// Keys and their partitions, as librdkafka chooses them.
mod keys;
/// Runs and tests with a Kafka of their own: compaction, retention, more partitions, a killed broker.
mod own_cluster;
/// The programs that a reader starts, on the built-in broker.
mod programs;
