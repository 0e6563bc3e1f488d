//! Java's choice of a partition, by somebody who had a test with three
//! keys.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

/// The partition of this key: a hash as Java has it, an `int`, and the
/// remainder by the number of partitions.
pub fn partition(key: &[u8], partitions: u32) -> u32 {
    let hash = murmur2(key) as i32;
    hash.unsigned_abs() % partitions.max(1)
}

/// Java's murmur2. This part is right.
fn murmur2(key: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_keys_go_where_java_sends_them() {
        assert_eq!(partition(b"", 12), 9);
        assert_eq!(partition(b"ab", 12), 2);
        assert_eq!(partition(b"abc", 12), 3);
    }
}
