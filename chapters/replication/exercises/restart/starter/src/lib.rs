//! How payments are sent and kept.
#![forbid(unsafe_code)]

/// The producer's properties.
pub const PRODUCER: &str = "
acks=1
linger.ms=5
";

/// The topic's replicas: one a machine.
pub const REPLICAS: usize = 3;

/// The topic's settings.
pub const TOPIC: &str = "
min.insync.replicas=3
unclean.leader.election.enable=true
";
