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

impl HotKeys {
    /// The keys that are hot now.
    fn now(&self) -> Vec<&[u8]> {
        match self {
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
    /// How often each hot key was sent: with one count for all, two keys
    /// that alternate would have one of two partitions each.
    sent: BTreeMap<Vec<u8>, u32>,
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
        Self { hot, ways, keyless, sent: BTreeMap::new() }
    }

    /// The keys that are hot now.
    pub fn hot_keys(&self) -> Vec<&[u8]> {
        self.hot.now()
    }

    /// How often a hot key was sent before, and once more from now on.
    fn turn(&mut self, key: &[u8]) -> u32 {
        if let Some(sent) = self.sent.get_mut(key) {
            *sent = sent.wrapping_add(1);
            return *sent;
        }
        // Who comes in makes those leave that are hot no more: found keys change for ever, and of those that
        // are hot at once there are few.
        let hot = self.hot.now();
        self.sent.retain(|known, _| hot.contains(&known.as_slice()));
        self.sent.insert(key.to_vec(), 0);
        0
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
        places[self.turn(key) as usize % places.len()]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::partition::Rule;

    const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();
    const TWELVE: NonZeroU32 = NonZeroU32::new(12).unwrap();

    fn spread(hot: HotKeys) -> Spread {
        let keyless = Sticky::new(Rule::Time(Duration::from_millis(10)), 1);
        Spread::new(hot, TWO, keyless)
    }

    /// Two hot keys that alternate: each uses both of its partitions, as if the other were not there.
    #[test]
    fn each_hot_key_has_its_own_turn() {
        let keys: [&[u8]; 2] = [b"seller-0", b"seller-1"];
        let named = keys.iter().map(|key| key.to_vec()).collect();
        let mut spread = spread(HotKeys::Named(named));
        let mut used = [BTreeSet::new(), BTreeSet::new()];
        for _ in 0..4 {
            for (key, used) in keys.iter().zip(&mut used) {
                let record = Record::keyed(key);
                used.insert(spread.partition(record, TWELVE));
            }
        }
        for (key, used) in keys.iter().zip(used) {
            let places = spread.partitions_of(key, TWELVE);
            assert_eq!(used, places.into_iter().collect());
        }
    }

    /// A thousand keys are hot one after the other: turns are kept for those that are, not for those that were.
    #[test]
    fn turns_of_keys_that_were_hot_are_forgotten() {
        let counter = SpaceSaving::new(TWELVE);
        let found = HotKeys::Found { counter, percent: 20, window: 100 };
        let mut spread = spread(found);
        let mut was_hot = 0;
        for n in 0..1_000 {
            let key = format!("seller-{n}").into_bytes();
            for _ in 0..200 {
                spread.partition(Record::keyed(&key), TWELVE);
            }
            was_hot += usize::from(spread.hot_keys() == [key]);
            // Of those above 20 % there are five at most, and one may have cooled down since.
            assert!(spread.sent.len() <= 6, "{}", spread.sent.len());
        }
        assert_eq!(was_hot, 1_000);
    }
}
