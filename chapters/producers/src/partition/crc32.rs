//! librdkafka's default.

use std::num::NonZeroU32;

use super::{Partitioner, Record, Sticky};

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

/// CRC-32 as zip files have it, which librdkafka uses as a hash.
pub fn crc32(key: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)]
    };
    !key.iter().fold(!0, step)
}

/// librdkafka's partitioners by CRC-32: `consistent_random`, its default, and `consistent`.
///
/// They differ from [`Murmur2`](super::Murmur2) in two ways: the hash, and that an *empty* key counts as none.
#[derive(Clone, Debug)]
pub struct Crc32 {
    keyless: Option<Sticky>,
}

impl Crc32 {
    /// `consistent_random`: no key, and an empty key, go where `keyless` says.
    pub fn consistent_random(keyless: Sticky) -> Self {
        Self { keyless: Some(keyless) }
    }

    /// `consistent`: no key, and an empty key, have the hash 0. All of them go to partition 0, for ever.
    pub fn consistent() -> Self {
        Self { keyless: None }
    }
}

impl Partitioner for Crc32 {
    fn partition(
        &mut self,
        record: Record<'_>,
        partitions: NonZeroU32,
    ) -> u32 {
        let key = record.key.unwrap_or_default();
        match &mut self.keyless {
            Some(keyless) if key.is_empty() => {
                keyless.partition(record, partitions)
            }
            _ => crc32(key) % partitions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the CRC catalogue, and that of nothing.
    #[test]
    fn gives_the_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
