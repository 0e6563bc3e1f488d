//! How much may be under way: the bound on the producer's memory, in records and in bytes.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bits of the packed count that hold bytes: 40 bits are 1 TiB, and 24 are left for records.
const BYTE_BITS: u32 = 40;
const BYTE_MASK: u64 = (1 << BYTE_BITS) - 1;

/// The most records that a window can count.
pub const MAX_RECORDS: u64 = (1 << (64 - BYTE_BITS)) - 1;
/// The most bytes that a window can count.
pub const MAX_BYTES: u64 = BYTE_MASK;

/// Counts what is under way.
///
/// Both counts stand in one integer, so that a record costs one atomic operation when it enters and
/// one when it leaves; two integers would also disagree for a moment.
#[derive(Debug)]
pub struct Window {
    used: Alone,
    max_records: u64,
    max_bytes: u64,
}

/// A number on cache lines of its own: each record writes it twice, from two threads, and what stands beside it is
/// read for each record and hardly ever written. Processors fetch lines of 64 bytes in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Alone(AtomicU64);

/// What is under way at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Records.
    pub records: u64,
    /// Bytes of their keys, payloads and headers.
    pub bytes: u64,
}

impl Window {
    /// A window that holds at most so many records and bytes, cut to [`MAX_RECORDS`] and [`MAX_BYTES`].
    pub fn new(max_records: u64, max_bytes: u64) -> Window {
        Window {
            used: Alone(AtomicU64::new(0)),
            max_records: max_records.min(MAX_RECORDS),
            max_bytes: max_bytes.min(MAX_BYTES),
        }
    }

    /// Takes room for one record of so many bytes. False if there is not enough.
    pub fn enter(&self, bytes: u64) -> bool {
        let mut used = self.used.0.load(Ordering::SeqCst);
        loop {
            let Used { records, bytes: full } = unpack(used);
            if records >= self.max_records
                || bytes > self.max_bytes.saturating_sub(full)
            {
                return false;
            }
            // SeqCst, here and in `leave`: whoever finds no room says that it waits and looks again,
            // and whoever makes room looks who waits. In a weaker order both could miss the other.
            match self.used.0.compare_exchange_weak(
                used,
                used + pack(bytes),
                Ordering::SeqCst,
                Ordering::SeqCst,
            ) {
                Ok(_) => return true,
                Err(now) => used = now,
            }
        }
    }

    /// Gives the room of one record back. What is under way after that.
    pub fn leave(&self, bytes: u64) -> Used {
        let before = self.used.0.fetch_sub(pack(bytes), Ordering::SeqCst);
        unpack(before - pack(bytes))
    }

    /// What is under way.
    pub fn used(&self) -> Used {
        unpack(self.used.0.load(Ordering::SeqCst))
    }

    /// True once at most half of the window is in use: whoever waits is woken then, and not a record
    /// earlier, so that a full window costs one wake-up for many records and not one for each.
    pub fn wakes(&self, used: Used) -> bool {
        used.records <= self.max_records / 2
            && used.bytes <= self.max_bytes / 2
    }
}

fn pack(bytes: u64) -> u64 {
    (1 << BYTE_BITS) + bytes
}

fn unpack(used: u64) -> Used {
    Used { records: used >> BYTE_BITS, bytes: used & BYTE_MASK }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_full_window_takes_no_more_until_one_leaves() {
        let window = Window::new(2, 100);
        assert!(window.enter(10) && window.enter(10));
        assert!(!window.enter(10), "two records are there");
        assert_eq!(window.leave(10), Used { records: 1, bytes: 10 });
        assert!(!window.enter(91), "100 bytes are the most");
        assert!(window.enter(90));
    }

    #[test]
    fn a_wake_up_comes_at_half() {
        let window = Window::new(4, 1000);
        for _ in 0..4 {
            assert!(window.enter(10));
        }
        assert!(!window.wakes(window.leave(10)), "three of four");
        assert!(window.wakes(window.leave(10)), "two of four");
    }

    proptest! {
        /// Whatever enters and leaves, both counts are those of a model that keeps a list.
        #[test]
        fn the_counts_are_those_of_a_list(
            steps in prop::collection::vec((any::<bool>(), 0u64..60), 0..200),
        ) {
            let window = Window::new(10, 200);
            let mut list: Vec<u64> = Vec::new();
            for (enters, bytes) in steps {
                if enters {
                    let fits = list.len() < 10 && list.iter().sum::<u64>() + bytes <= 200;
                    prop_assert_eq!(window.enter(bytes), fits);
                    if fits { list.push(bytes) }
                } else if let Some(bytes) = list.pop() {
                    window.leave(bytes);
                }
                let expected = Used { records: list.len() as u64, bytes: list.iter().sum() };
                prop_assert_eq!(window.used(), expected);
            }
        }
    }
}
