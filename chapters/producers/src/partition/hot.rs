//! Hot keys: found in bounded memory, spread over several partitions.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::random::mix;
use super::{Partitioner, Record, Sticky, murmur2, partition_for_key};

/// How often a key was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Never below the truth.
    pub count: u64,
    /// By how much it may be above.
    pub error: u64,
}

impl Counted {
    /// How often the key came at the least.
    pub fn at_least(self) -> u64 {
        self.count.saturating_sub(self.error)
    }
}

// ANCHOR: space_saving
/// Counts the most frequent keys with room for a fixed number of them:
/// Space-Saving (Metwally, Agrawal, El Abbadi, 2005).
///
/// A key that finds no room takes that of the rarest one, and its count
/// with it as a possible error. With room for n keys, a key that is more
/// than one n-th of all records is never missed.
#[derive(Clone, Debug)]
pub struct SpaceSaving {
    room: usize,
    keys: BTreeMap<Vec<u8>, Counted>,
    records: u64,
}

impl SpaceSaving {
    /// Counts one more record of this key.
    pub fn count(&mut self, key: &[u8]) -> Counted {
        self.records += 1;
        if let Some(known) = self.keys.get_mut(key) {
            known.count += 1;
            return *known;
        }
        let mut error = 0;
        if self.keys.len() >= self.room {
            let rarest = self.keys.iter().min_by_key(|(_, n)| n.count);
            if let Some((rarest, counted)) = rarest {
                error = counted.count;
                let rarest = rarest.clone();
                self.keys.remove(&rarest);
            }
        }
        let counted = Counted { count: error + 1, error };
        self.keys.insert(key.to_vec(), counted);
        counted
    }
}
// ANCHOR_END: space_saving

impl SpaceSaving {
    /// Room for so many keys. Finding the rarest costs a look at each: for tens of keys, not for thousands.
    pub fn new(room: NonZeroU32) -> Self {
        let room = room.get() as usize;
        Self { room, keys: BTreeMap::new(), records: 0 }
    }

    /// How many records were counted.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// What is known of a key, if it has room.
    pub fn get(&self, key: &[u8]) -> Option<Counted> {
        self.keys.get(key).copied()
    }

    /// The keys that surely are at least `percent` of all records, the most frequent first.
    pub fn hot(&self, percent: u8) -> Vec<(&[u8], Counted)> {
        let mut hot: Vec<_> = self
            .keys
            .iter()
            .filter(|(_, n)| is_share(n.at_least(), self.records, percent))
            .map(|(key, counted)| (key.as_slice(), *counted))
            .collect();
        hot.sort_by_key(|(key, n)| (std::cmp::Reverse(n.count), *key));
        hot
    }

    /// Halves every count, so that what was hot yesterday is forgotten.
    fn fade(&mut self) {
        self.records /= 2;
        self.keys.retain(|_, n| {
            n.count /= 2;
            n.error /= 2;
            n.count > 0
        });
    }
}

fn is_share(count: u64, records: u64, percent: u8) -> bool {
    count.saturating_mul(100) >= records.saturating_mul(percent.into())
}

/// Which keys are hot.
#[derive(Clone, Debug)]
pub enum HotKeys {
    /// These, and no others. Every reader can have the same list, so every reader knows where a key's records are.
    Named(Vec<Vec<u8>>),
    /// Whichever surely were at least this share of the last records.
    ///
    /// A producer that has seen other records finds other keys, and a key becomes hot in the middle of its story:
    /// only for topics whose readers do not care where a key's records are.
    Found {
        /// Counts them.
        counter: SpaceSaving,
        /// The share in percent from which a key is hot, 1 to 100.
        percent: u8,
        /// Counts are halved after so many records; before half as many have come, no key is hot.
        window: u64,
    },
}

// ANCHOR: spread
/// As Java's client, but a hot key goes to `ways` partitions in turn.
///
/// The price is what a key is for: its records are no longer in one order,
/// and whoever joins or counts by key has to read all of
/// [`partitions_of`](Self::partitions_of) and put the parts together.
#[derive(Clone, Debug)]
pub struct Spread {
    hot: HotKeys,
    ways: NonZeroU32,
    keyless: Sticky,
    sent: u32,
}

impl Spread {
    /// The partitions in which a hot key's records may be, its own first.
    pub fn partitions_of(
        &self,
        key: &[u8],
        partitions: NonZeroU32,
    ) -> Vec<u32> {
        let own = partition_for_key(key, partitions);
        let mut others: Vec<u32> =
            (0..partitions.get()).filter(|p| *p != own).collect();
        // Each key has an order of its own, so that the neighbours of one
        // partition do not carry all that is too much for it.
        let hash = u64::from(murmur2(key)) << 32;
        others.sort_by_key(|p| mix(hash | u64::from(*p)));
        others.truncate(self.ways.get() as usize - 1);
        others.insert(0, own);
        others
    }
}
// ANCHOR_END: spread

impl Spread {
    /// Hot keys go to `ways` partitions each, or to all of them if there are fewer.
    pub fn new(hot: HotKeys, ways: NonZeroU32, keyless: Sticky) -> Self {
        Self { hot, ways, keyless, sent: 0 }
    }

    /// The keys that are hot now.
    pub fn hot_keys(&self) -> Vec<&[u8]> {
        match &self.hot {
            HotKeys::Named(keys) => {
                keys.iter().map(Vec::as_slice).collect()
            }
            HotKeys::Found { counter, percent, window } => {
                if counter.records() < window / 2 {
                    return Vec::new();
                }
                let hot = counter.hot(*percent).into_iter();
                hot.map(|(key, _)| key).collect()
            }
        }
    }

    fn is_hot(&mut self, key: &[u8]) -> bool {
        match &mut self.hot {
            HotKeys::Named(keys) => keys.iter().any(|hot| hot == key),
            HotKeys::Found { counter, percent, window } => {
                if counter.records() >= *window {
                    counter.fade();
                }
                let counted = counter.count(key);
                counter.records() >= *window / 2
                    && is_share(
                        counted.at_least(),
                        counter.records(),
                        *percent,
                    )
            }
        }
    }
}

impl Partitioner for Spread {
    fn partition(
        &mut self,
        record: Record<'_>,
        partitions: NonZeroU32,
    ) -> u32 {
        let Some(key) = record.key else {
            return self.keyless.partition(record, partitions);
        };
        if !self.is_hot(key) {
            return partition_for_key(key, partitions);
        }
        let places = self.partitions_of(key, partitions);
        let turn = self.sent as usize % places.len();
        self.sent = self.sent.wrapping_add(1);
        places[turn]
    }
}
