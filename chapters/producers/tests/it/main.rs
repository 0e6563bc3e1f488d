//! What the producer promises, on the built-in broker and on a real one.

#![forbid(unsafe_code)]

/// The backoff schedule against librdkafka's own.
mod backoff;
/// Clients and counting that the tests share.
mod common;
/// How a producer ends: dropped, closed, or by a handler that panics.
mod ends;
/// What an error means: not now, this record, or this producer.
mod errors;
/// Partitions against a golden table that Java made.
mod java;
/// What the counters say, read by a recorder.
mod meter;
/// What becomes of a record when its future, its runtime or its process goes.
mod model;
/// Acknowledgements cut off by a proxy before a real Kafka.
mod own_cluster;
/// The faults of partitioning, as a reader runs them.
mod partition_faults;
/// Partitioners inside producers.
mod partitions;
/// The programs that a reader starts.
mod programs;
/// What is measured, and how.
mod speed;
