//! Which partition does a record go to? Values in, a number out.
//!
//! | Partitioner | A record with a key | A record without one | Who has it as its default |
//! |---|---|---|---|
//! | [`Murmur2`] | murmur2 of the key | [`Sticky`] | Kafka's Java client |
//! | [`Crc32`] | CRC-32 of the key | [`Sticky`] | librdkafka (`consistent_random`), so rdkafka too |
//! | [`Sticky`] | not looked at | one partition for a while, then another | |
//! | [`Random`] | not looked at | any partition | |
//! | [`Weighted`] | rendezvous hashing, in shares that you give | drawn in the same shares | this crate |
//! | [`Spread`] | as [`Murmur2`], but a hot key goes to several | [`Sticky`] | this crate |
//!
//! librdkafka has a `random` too, but gives records without a key to its sticky partition there as well, unless
//! `sticky.partitioning.linger.ms` is 0.
//!
//! All of them take their randomness as a seed and the time as an argument, so that a test, and a page in a
//! browser, can say what comes out.
//! [`Weighted`] places keys as no other client does: who begins with it moves nearly all of them, once.
//! Two producers agree on a key's partition if they have the same partitioner *and* the same number of
//! partitions; nothing in Kafka checks either.
//!
//! Kafka's own rules are in KIP-480 (sticky), KIP-794 (uniform sticky) and, for the hash, in
//! `org.apache.kafka.common.utils.Utils.murmur2`; librdkafka's in `src/rdkafka_msg.c`.

mod balance;
mod crc32;
#[cfg(feature = "kafka")]
mod custom;
mod hot;
mod murmur2;
#[cfg(test)]
mod properties;
mod random;
mod sticky;
mod weighted;

use std::num::NonZeroU32;
use std::time::Duration;

pub use balance::Balance;
pub use crc32::{Crc32, crc32};
#[cfg(feature = "kafka")]
pub use custom::{Custom, Partitioned, partitioned_config};
pub use hot::{Counted, HotKeys, SpaceSaving, Spread};
pub use murmur2::{Murmur2, murmur2, partition_for_key};
pub use random::{Random, SplitMix64};
pub use sticky::{Rule, Sticky};
pub use weighted::{MAX_TICKETS, Weighted, WrongWeights};

/// Chooses a partition for each record.
pub trait Partitioner {
    /// The partition of this record, below `partitions`.
    fn partition(
        &mut self,
        record: Record<'_>,
        partitions: NonZeroU32,
    ) -> u32;
}

/// What a partitioner may look at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record<'a> {
    /// The key's bytes. No key is not the same as an empty one.
    pub key: Option<&'a [u8]>,
    /// How many bytes the record adds to its batch; 0 if not known.
    pub bytes: usize,
    /// When it is sent, since any fixed moment.
    pub at: Duration,
}

impl<'a> Record<'a> {
    /// A record with this key, at time 0, of no known size.
    pub fn keyed(key: &'a [u8]) -> Self {
        Self { key: Some(key), ..Self::default() }
    }
}

impl<P: Partitioner + ?Sized> Partitioner for Box<P> {
    fn partition(
        &mut self,
        record: Record<'_>,
        partitions: NonZeroU32,
    ) -> u32 {
        (**self).partition(record, partitions)
    }
}
