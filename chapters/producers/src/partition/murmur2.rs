//! The hash of Kafka's Java client, bit for bit.

use std::num::NonZeroU32;

use super::{Partitioner, Record, Sticky};

// ANCHOR: murmur2
/// MurmurHash2 by Austin Appleby, 32 bits, with the seed of
/// `org.apache.kafka.common.utils.Utils.murmur2`.
pub fn murmur2(key: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    // Java takes an array's length as an int; longer keys do not exist.
    let mut hash = 0x9747_b28c_u32 ^ (key.len() as u32);
    let (words, tail) = key.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    for (at, byte) in tail.iter().enumerate() {
        hash ^= u32::from(*byte) << (8 * at);
    }
    if !tail.is_empty() {
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

/// Where Java's client puts a key: without the sign bit, modulo.
pub fn partition_for_key(key: &[u8], partitions: NonZeroU32) -> u32 {
    (murmur2(key) & 0x7fff_ffff) % partitions
}
// ANCHOR_END: murmur2

/// What Kafka's Java client does unless told otherwise (`BuiltInPartitioner`, KIP-794), and librdkafka with
/// `partitioner=murmur2_random`: keys by [`murmur2`], an empty key too; no key by [`Sticky`].
#[derive(Clone, Debug)]
pub struct Murmur2 {
    keyless: Sticky,
}

impl Murmur2 {
    /// Keyless records go where `keyless` says.
    pub fn new(keyless: Sticky) -> Self {
        Self { keyless }
    }
}

impl Partitioner for Murmur2 {
    fn partition(
        &mut self,
        record: Record<'_>,
        partitions: NonZeroU32,
    ) -> u32 {
        match record.key {
            Some(key) => partition_for_key(key, partitions),
            None => self.keyless.partition(record, partitions),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers that Kafka's own `UtilsTest.testMurmur2` expects, as Java's int.
    #[test]
    fn gives_the_numbers_of_kafkas_own_test() {
        for (key, java) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            (
                "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            ("abc", 479_470_107),
        ] {
            assert_eq!(
                murmur2(key.as_bytes()).cast_signed(),
                java,
                "{key}"
            );
        }
    }

    /// claim: murmur2-is-javas
    ///
    /// 541 keys (empty, Unicode, long, every tail of a word, bytes above 127) by Java's own class: hash and partition
    /// are equal for each. `interop/Golden.java` wrote the file.
    #[test]
    fn hash_and_partition_are_those_of_javas_own_class() {
        let golden = include_str!("../../interop/keys.tsv");
        let mut lines = golden.lines();
        let heads = lines.next().unwrap().split('\t').skip(2);
        let counts: Vec<NonZeroU32> = heads
            .map(|head| head.strip_prefix("of ").unwrap().parse().unwrap())
            .collect();
        assert_eq!(lines.next(), Some("null\tnone"), "no key, no hash");
        let mut keys = 0;
        for line in lines {
            let cells: Vec<&str> = line.split('\t').collect();
            let key: Vec<u8> = (0..cells[0].len() / 2)
                .map(|at| &cells[0][2 * at..2 * at + 2])
                .map(|hex| u8::from_str_radix(hex, 16).unwrap())
                .collect();
            assert_eq!(
                murmur2(&key).cast_signed().to_string(),
                cells[1],
                "{line}"
            );
            let places: Vec<u32> = counts
                .iter()
                .map(|n| partition_for_key(&key, *n))
                .collect();
            let java: Vec<u32> = cells[2..]
                .iter()
                .map(|cell| cell.parse().unwrap())
                .collect();
            assert_eq!(places, java, "{line}");
            keys += 1;
        }
        assert_eq!(keys, 541);
    }
}
