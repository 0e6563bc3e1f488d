//! From a key to its partition, as two kinds of producer count it.
//!
//! The sources: `rdmurmur2.c`, `rdcrc32.c` and `rdkafka_msg.c` of librdkafka, and `Utils.murmur2` of Kafka.

/// How a producer chooses the partition of a record that has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partitioner {
    /// librdkafka's default, `consistent_random`: CRC-32 of the key.
    ConsistentRandom,
    /// `murmur2_random`: what Kafka's Java client does.
    Murmur2Random,
}

// ANCHOR: partition
impl Partitioner {
    /// The partition of this key among so many, from 0. `None` where the
    /// producer draws one by lot: for an empty key under librdkafka's
    /// default, and where there are no partitions.
    pub fn partition(self, key: &[u8], partitions: u32) -> Option<u32> {
        let hash = match self {
            Partitioner::ConsistentRandom if key.is_empty() => return None,
            Partitioner::ConsistentRandom => crc32fast::hash(key),
            // Java's numbers have a sign; it is cut off.
            Partitioner::Murmur2Random => murmur2(key) & 0x7fff_ffff,
        };
        hash.checked_rem(partitions)
    }
}
// ANCHOR_END: partition

/// A key that goes elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move<'a> {
    /// The key.
    pub key: &'a str,
    /// Where its earlier records are.
    pub from: u32,
    /// Where its records go from now on.
    pub to: u32,
}

// ANCHOR: moves
/// Which keys go to another partition when their number changes.
pub fn moves<'a>(
    partitioner: Partitioner,
    keys: impl IntoIterator<Item = &'a str>,
    before: u32,
    after: u32,
) -> Vec<Move<'a>> {
    let moved = keys.into_iter().filter_map(|key| {
        let at = |n| partitioner.partition(key.as_bytes(), n);
        let (from, to) = (at(before)?, at(after)?);
        (from != to).then_some(Move { key, from, to })
    });
    moved.collect()
}
// ANCHOR_END: moves

/// Kafka's 32-bit MurmurHash 2, by Austin Appleby, with Kafka's seed.
fn murmur2(key: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    // Lengths beyond 32 bits wrap, as in Java; no record is that long.
    let mut hash = SEED ^ key.len() as u32;
    let (words, rest) = key.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    if !rest.is_empty() {
        for (at, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * at);
        }
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of `UtilsTest.testMurmur2` in Kafka's own tests.
    #[test]
    fn murmur2_is_kafkas() {
        for (key, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            (
                "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
    }

    #[test]
    fn an_empty_key_is_a_lot_to_librdkafka_and_a_key_to_java() {
        assert_eq!(Partitioner::ConsistentRandom.partition(b"", 3), None);
        assert!(Partitioner::Murmur2Random.partition(b"", 3).is_some());
        assert_eq!(Partitioner::Murmur2Random.partition(b"a", 0), None);
    }

    #[test]
    fn what_moves_moves_and_what_stays_is_not_named() {
        let keys: Vec<String> =
            (1..=100).map(|n| format!("order-{n}")).collect();
        for partitioner in
            [Partitioner::ConsistentRandom, Partitioner::Murmur2Random]
        {
            let at = |key: &str, n| {
                partitioner.partition(key.as_bytes(), n).unwrap()
            };
            let moved =
                moves(partitioner, keys.iter().map(String::as_str), 3, 6);
            for key in &keys {
                let found = moved.iter().find(|one| one.key == key);
                let expected = (at(key, 3) != at(key, 6)).then(|| Move {
                    key,
                    from: at(key, 3),
                    to: at(key, 6),
                });
                assert_eq!(found, expected.as_ref());
            }
            // Doubled, each key stays or goes three further.
            assert!(moved.iter().all(|one| one.to == one.from + 3));
            assert!((35..=65).contains(&moved.len()), "{}", moved.len());
            assert_eq!(
                moves(partitioner, keys.iter().map(String::as_str), 3, 3),
                []
            );
        }
    }
}
