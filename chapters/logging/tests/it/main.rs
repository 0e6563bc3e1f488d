//! The tests that need a broker, or a process of their own.
#![forbid(unsafe_code)]

/// librdkafka's own lines.
mod client_lines;
/// The guided run: its chain of ids, the header that is forgotten, Ctrl-C, and what it refuses.
mod guided_run;
/// Ids that travel through a broker in a record's headers.
mod headers;
/// Standard output: closed early, and shared by many threads.
mod output;
/// The guided run on a real Kafka of its own, since the names of its topics stand in the program.
mod own_cluster;
/// What the page shows of the recorded run.
mod page;

/// Longer than anything here takes, so that a hanging test ends with a message.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
