//! How many records of a partition a group will never get.
#![forbid(unsafe_code)]

/// What is in a partition: the offsets from `start` up to, and without, `end`.
#[derive(Debug, Clone, Copy)]
pub struct Log {
    /// The offset of the oldest record.
    pub start: i64,
    /// The offset that the next record will get.
    pub end: i64,
}

/// `auto.offset.reset`.
#[derive(Debug, Clone, Copy)]
pub enum Reset {
    /// Goes on at the oldest record.
    Earliest,
    /// Goes on at the end.
    Latest,
    /// Stops.
    Error,
}

/// The records that a group will never get, which wants to go on at
/// `committed`.
pub fn missed(committed: i64, log: Log, reset: Reset) -> i64 {
    match reset {
        Reset::Earliest => 0, // begins at the oldest: nothing is left out
        Reset::Latest => log.end - committed,
        Reset::Error => 0,
    }
}
