//! How payments are sent and kept.
#![forbid(unsafe_code)]

/// The producer's properties.
pub const PRODUCER: &str = "
acks=all
linger.ms=5
";

/// The topic's replicas: one a machine.
pub const REPLICAS: usize = 3;

/// The topic's settings.
pub const TOPIC: &str = "
min.insync.replicas=2
unclean.leader.election.enable=false
";
