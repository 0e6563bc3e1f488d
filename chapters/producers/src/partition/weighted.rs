//! Partitions with weights: each gets its share of the keys, and keys move only when they must.

use std::num::NonZeroU32;

use super::random::mix;
use super::{Partitioner, Record, SplitMix64, partition_for_key};

/// The most tickets of all partitions together. One record costs as many multiplications; this is some 10 µs.
pub const MAX_TICKETS: u32 = 10_000;

// ANCHOR: weighted
/// Rendezvous hashing (Thaler, Ravishankar, 1996) with whole weights: for
/// each key, a partition of weight 3 draws three tickets, and the highest
/// ticket of all wins.
///
/// So its share is 3 of the sum of weights. A weight that grows only pulls
/// keys *to* its partition, one that shrinks only gives keys away, and all
/// other keys stay: with `hash % n` nearly all of them would move.
#[derive(Clone, Debug)]
pub struct Weighted {
    weights: Vec<u32>,
    keyless: SplitMix64,
}

fn winner(weights: &[u32], key: u64) -> Option<u32> {
    let mut best = None;
    for (partition, weight) in (0_u32..).zip(weights) {
        for number in 0..u64::from(*weight) {
            let seat = u64::from(partition) << 32 | number;
            let ticket = mix(key ^ mix(seat));
            best = best.max(Some((ticket, partition)));
        }
    }
    best.map(|(_, partition)| partition)
}
// ANCHOR_END: weighted

/// Weights that share out nothing, or too finely.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WrongWeights {
    /// No partition would get a record.
    #[error("every weight is 0: give at least one partition a weight")]
    AllZero,
    /// Each record would cost too much.
    #[error(
        "the weights add up to {sum}: divide them so that they add up to at most {MAX_TICKETS}"
    )]
    TooMany {
        /// What they add up to.
        sum: u64,
    },
}

impl Weighted {
    /// Partition n has the weight `weights[n]`; one of weight 0 gets no record, so it can be emptied.
    /// Partitions of the topic that the list does not name have weight 0 too.
    ///
    /// Records without a key are drawn by the same weights, from `seed`.
    ///
    /// # Errors
    /// All weights are 0, or they add up to more than [`MAX_TICKETS`].
    pub fn new(weights: Vec<u32>, seed: u64) -> Result<Self, WrongWeights> {
        let sum: u64 = weights.iter().copied().map(u64::from).sum();
        match sum {
            0 => Err(WrongWeights::AllZero),
            sum if sum > u64::from(MAX_TICKETS) => {
                Err(WrongWeights::TooMany { sum })
            }
            _ => Ok(Self { weights, keyless: SplitMix64::new(seed) }),
        }
    }
}

impl Partitioner for Weighted {
    /// A topic that has none of the weighted partitions gets its keys as Java's client would place them.
    fn partition(
        &mut self,
        record: Record<'_>,
        partitions: NonZeroU32,
    ) -> u32 {
        let known = self.weights.len().min(partitions.get() as usize);
        let hash = match record.key {
            Some(key) => fnv1a(key),
            None => self.keyless.draw(),
        };
        winner(&self.weights[..known], hash).unwrap_or_else(|| {
            partition_for_key(record.key.unwrap_or_default(), partitions)
        })
    }
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo). [`mix`] evens out what it leaves uneven.
fn fnv1a(key: &[u8]) -> u64 {
    key.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
