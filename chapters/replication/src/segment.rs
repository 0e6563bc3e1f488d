//! How far a replica's log goes, read from its file.
//!
//! A segment file is record batches, one after the other. A batch of format 2 begins with its base offset
//! (8 bytes), the length of what follows (4), the leader epoch in which it was appended (4) and the
//! format's number (1); its last offset delta stands at byte 23 (4). All are big-endian.
//! Source: <https://kafka.apache.org/documentation/#recordbatch>.

/// A batch, as much of it as replication needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// The offset of its first record.
    pub base_offset: i64,
    /// The offset of its last record.
    pub last_offset: i64,
    /// The leader epoch in which it was appended.
    pub leader_epoch: i32,
}

/// The format of record batches since Kafka 0.11.
const MAGIC: u8 = 2;

/// What comes before the bytes that a batch's length counts.
const PREFIX: usize = 12;

/// As much of a batch as is read here.
const HEADER: usize = 27;

/// The batches of a segment file. A batch that is being written, at the
/// end of the file, does not count.
pub fn batches(mut segment: &[u8]) -> Vec<Batch> {
    let mut found = Vec::new();
    while segment.len() >= HEADER && segment[16] == MAGIC {
        let base_offset = i64::from_be_bytes(part(segment, 0));
        let length = i32::from_be_bytes(part(segment, 8));
        let leader_epoch = i32::from_be_bytes(part(segment, 12));
        let delta = i32::from_be_bytes(part(segment, 23));
        let size = PREFIX + usize::try_from(length).unwrap_or_default();
        if size < HEADER || size > segment.len() {
            break;
        }
        // No log has such offsets: these are other bytes.
        let Some(last_offset) = base_offset
            .checked_add(i64::from(delta))
            .filter(|last| *last >= base_offset && *last < i64::MAX)
        else {
            break;
        };
        found.push(Batch { base_offset, last_offset, leader_epoch });
        segment = &segment[size..];
    }
    found
}

/// The log end offset: that of the record which comes next. 0 for an empty file.
pub fn log_end(segment: &[u8]) -> i64 {
    batches(segment).last().map_or(0, |batch| batch.last_offset + 1)
}

/// The bytes at a place that is known to be there.
fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    std::array::from_fn(|index| bytes[at + index])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(base: i64, records: i32, epoch: i32) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(base.to_be_bytes());
        bytes.extend(40_i32.to_be_bytes());
        bytes.extend(epoch.to_be_bytes());
        bytes.push(MAGIC);
        bytes.extend([0; 6]);
        bytes.extend(records.wrapping_sub(1).to_be_bytes());
        bytes.resize(PREFIX + 40, 0);
        bytes
    }

    #[test]
    fn the_log_ends_behind_the_last_whole_batch() {
        let mut file = [batch(0, 3, 0), batch(3, 1, 2)].concat();
        let epochs: Vec<i32> =
            batches(&file).iter().map(|batch| batch.leader_epoch).collect();
        assert_eq!((log_end(&file), epochs), (4, vec![0, 2]));
        let torn = batch(4, 1, 2);
        for length in [1, HEADER, torn.len() - 1] {
            file.truncate(2 * (PREFIX + 40));
            file.extend(&torn[..length]);
            assert_eq!(log_end(&file), 4, "{length} bytes of a third");
        }
        assert_eq!(log_end(&[]), 0);
        assert_eq!(log_end(&[0; 100]), 0, "zeros are no batch");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let mut bytes = bytes;
            batches(&bytes);
            if let Some(magic) = bytes.get_mut(16) {
                *magic = MAGIC;
            }
            log_end(&bytes);
        }

        #[test]
        fn any_offsets_are_read_without_a_panic(
            base: i64, records: i32, epoch: i32,
        ) {
            log_end(&batch(base, records, epoch));
        }
    }
}
