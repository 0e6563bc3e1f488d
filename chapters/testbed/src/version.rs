//! The versions of what this crate starts.

/// Apache Kafka: the newest version at which broker, tools, streams and test-utils all exist.
pub const KAFKA: &str = "4.3.1";

/// The log4j binding that Kafka's poms leave out; without it a broker logs nothing.
pub const LOG4J: &str = "2.25.4";
