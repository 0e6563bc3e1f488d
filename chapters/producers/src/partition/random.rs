//! Numbers that look random, from a seed.

use std::num::NonZeroU32;

use super::{Partitioner, Record};

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
///
/// The same seed gives the same numbers on every machine and in the browser. Good enough to spread records, and for
/// nothing that must be hard to guess. A program takes its seed from the clock or the process id; a test gives one.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// Begins at this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: NonZeroU32) -> u32 {
        // The high half of a product: no division, and no bias that a count of partitions could show.
        let high = u128::from(self.draw()) * u128::from(end.get());
        (high >> 64) as u32
    }
}

/// Turns any 64 bits into 64 that look random: SplitMix64's last step.
pub(super) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Any partition, whatever the key: librdkafka's `random`, where `sticky.partitioning.linger.ms` is 0. With more,
/// and 10 is the default, librdkafka gives records without a key its sticky partition under `random` too.
///
/// It balances best and batches worst: each record begins, or joins, a batch of another partition.
/// KIP-480 replaced it for records without a key in Java's client 2.4, and librdkafka followed in 1.6.
#[derive(Clone, Debug)]
pub struct Random(SplitMix64);

impl Random {
    /// Draws from this seed.
    pub fn new(seed: u64) -> Self {
        Self(SplitMix64::new(seed))
    }
}

impl Partitioner for Random {
    fn partition(&mut self, _: Record<'_>, partitions: NonZeroU32) -> u32 {
        self.0.below(partitions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_published_numbers() {
        // The first outputs for seed 1234567, as published with the reference implementation in C.
        let mut random = SplitMix64::new(1_234_567);
        assert_eq!(
            [random.draw(), random.draw(), random.draw()],
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn stays_below_its_end_and_gets_everywhere() {
        let (mut random, three) = (SplitMix64::new(3), NonZeroU32::new(3));
        let three = three.unwrap_or(NonZeroU32::MIN);
        let mut counts = [0; 3];
        for _ in 0..3_000 {
            counts[random.below(three) as usize] += 1;
        }
        assert!(
            counts.iter().all(|n| (900..1_100).contains(n)),
            "{counts:?}"
        );
    }
}
