//! Which records compaction keeps.

use std::collections::HashMap;

/// A record in a partition, as far as compaction looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place.
    pub offset: i64,
    /// Its key.
    pub key: String,
    /// True if it has no value: a tombstone.
    pub tombstone: bool,
}

// ANCHOR: survivors
/// The offsets that are left of a partition when everything below
/// `active` has been compacted: the last record of each key, tombstones
/// included, and all of the active segment, which is never touched.
pub fn survivors(records: &[Stored], active: i64) -> Vec<i64> {
    let mut last = HashMap::new();
    for record in records {
        // A later one in the active segment does not count: only what
        // is compacted is looked at.
        if record.offset < active {
            last.insert(record.key.as_str(), record.offset);
        }
    }
    let kept = records.iter().filter(|record| {
        record.offset >= active
            || last.get(record.key.as_str()) == Some(&record.offset)
    });
    kept.map(|record| record.offset).collect()
}
// ANCHOR_END: survivors

#[cfg(test)]
mod tests {
    use super::*;

    fn log(keys: &[&str]) -> Vec<Stored> {
        let stored = |(offset, key): (usize, &&str)| Stored {
            offset: offset as i64,
            key: key.trim_start_matches('-').to_owned(),
            tombstone: key.starts_with('-'),
        };
        keys.iter().enumerate().map(stored).collect()
    }

    #[test]
    fn the_last_of_each_key_stays_where_it_stood() {
        let log = log(&["tea", "mug", "tea", "-mug", "pot", "tea"]);
        assert_eq!(survivors(&log, 5), [2, 3, 4, 5]);
        assert_eq!(survivors(&log, 6), [3, 4, 5]);
        assert_eq!(survivors(&log, 0), [0, 1, 2, 3, 4, 5]);
        assert_eq!(survivors(&[], 0), [0_i64; 0]);
    }
}
