//! What holds for every key, every number of partitions and every seed.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn count(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

fn sticky(seed: u64) -> Sticky {
    Sticky::new(Rule::Bytes(16_384), seed)
}

/// One of each, named.
fn all(seed: u64) -> Vec<(&'static str, Box<dyn Partitioner>)> {
    let found = HotKeys::Found {
        counter: SpaceSaving::new(count(16)),
        percent: 10,
        window: 100,
    };
    let weighted = Weighted::new(vec![1, 0, 3, 2, 5], seed).unwrap();
    vec![
        ("murmur2", Box::new(Murmur2::new(sticky(seed)))),
        ("crc32", Box::new(Crc32::consistent_random(sticky(seed)))),
        ("consistent", Box::new(Crc32::consistent())),
        ("sticky", Box::new(sticky(seed))),
        ("random", Box::new(Random::new(seed))),
        ("weighted", Box::new(weighted)),
        ("spread", Box::new(Spread::new(found, count(3), sticky(seed)))),
    ]
}

fn customer(n: u32) -> Vec<u8> {
    format!("customer-{n}").into_bytes()
}

proptest! {
    #[test]
    fn every_partition_is_there(
        keys in vec(proptest::option::of(vec(any::<u8>(), 0..40)), 1..200), partitions in 1_u32..60, seed: u64,
    ) {
        for (name, mut partitioner) in all(seed) {
            for (n, key) in (0_u32..).zip(&keys) {
                let at = Duration::from_millis(1) * n;
                let record = Record { key: key.as_deref(), bytes: 100, at };
                let chosen = partitioner.partition(record, count(partitions));
                prop_assert!(chosen < partitions, "{name}: {chosen} of {partitions}");
            }
        }
    }

    /// The same seed and the same records give the same partitions.
    #[test]
    fn a_seed_is_a_sequence(keys in vec(proptest::option::of(vec(any::<u8>(), 0..8)), 1..100), seed: u64) {
        let places = || -> Vec<Vec<u32>> {
            let mut all = all(seed);
            let place = |(_, one): &mut (&str, Box<dyn Partitioner>)| {
                let record = |key: &Option<Vec<u8>>| {
                    one.partition(Record { key: key.as_deref(), bytes: 900, at: Duration::ZERO }, count(12))
                };
                keys.iter().map(record).collect()
            };
            all.iter_mut().map(place).collect()
        };
        prop_assert_eq!(places(), places());
    }

    /// Neither the records before it nor the seed decide where a key goes.
    #[test]
    fn a_key_has_one_partition(key in vec(any::<u8>(), 1..40), partitions in 1_u32..60, seeds: (u64, u64)) {
        for name in ["murmur2", "crc32", "consistent", "weighted"] {
            let place = |seed, before: u32| {
                let mut all = all(seed);
                let (_, one) = all.iter_mut().find(|(known, _)| *known == name).unwrap();
                for n in 0..before {
                    one.partition(Record::keyed(&customer(n)), count(partitions));
                }
                one.partition(Record::keyed(&key), count(partitions))
            };
            prop_assert_eq!(place(seeds.0, 0), place(seeds.1, 17), "{}", name);
        }
    }

    /// No key goes from one partition to another because a third one grew.
    #[test]
    fn a_weight_that_grows_only_pulls_keys(
        weights in vec(0_u32..6, 1..9), more in 1_u32..5, which in any::<prop::sample::Index>(),
    ) {
        prop_assume!(weights.iter().any(|w| *w > 0));
        let grown = which.index(weights.len());
        let mut after = weights.clone();
        after[grown] += more;
        let mut before = Weighted::new(weights.clone(), 0).unwrap();
        let mut after = Weighted::new(after, 0).unwrap();
        let partitions = count(weights.len() as u32);
        for n in 0..300 {
            let key = customer(n);
            let (old, new) = (
                before.partition(Record::keyed(&key), partitions),
                after.partition(Record::keyed(&key), partitions),
            );
            prop_assert!(old == new || new == grown as u32, "{old} to {new}");
        }
    }

    /// Space-Saving: a count is never too low, never too high by more than its error, and a key that is more than
    /// one n-th of all records is there.
    #[test]
    fn no_frequent_key_is_missed(keys in vec(0_u8..20, 1..600), room in 1_u32..12) {
        let mut counter = SpaceSaving::new(count(room));
        let mut truth = BTreeMap::<u8, u64>::new();
        for key in &keys {
            counter.count(&[*key]);
            *truth.entry(*key).or_default() += 1;
        }
        for (key, true_count) in truth {
            let counted = counter.get(&[key]);
            if let Some(counted) = counted {
                prop_assert!(counted.count >= true_count);
                prop_assert!(counted.at_least() <= true_count);
                prop_assert!(counted.error <= keys.len() as u64 / u64::from(room));
            }
            if true_count > keys.len() as u64 / u64::from(room) {
                prop_assert!(counted.is_some(), "{key}: {true_count} of {}", keys.len());
            }
        }
    }

    /// A hot key stays in the partitions that are named for it, uses all of them, and the others keep theirs.
    #[test]
    fn a_hot_key_stays_in_its_partitions(partitions in 1_u32..30, ways in 1_u32..8, hot in 0_u32..50) {
        let hot = customer(hot);
        let mut spread =
            Spread::new(HotKeys::Named(vec![hot.clone()]), count(ways), sticky(0));
        let places = spread.partitions_of(&hot, count(partitions));
        prop_assert_eq!(places.len() as u32, ways.min(partitions));
        let mut used = Balance::new(partitions);
        for _ in 0..ways {
            let place = spread.partition(Record::keyed(&hot), count(partitions));
            prop_assert!(places.contains(&place));
            used.count(place);
        }
        prop_assert_eq!(used.used(), places.len());
        for n in 0..50 {
            let key = customer(n);
            if key != hot {
                let own = partition_for_key(&key, count(partitions));
                prop_assert_eq!(spread.partition(Record::keyed(&key), count(partitions)), own);
            }
        }
    }
}

/// 12,000 keys over weights 1, 2 and 3: each partition has its share to within 5 %.
#[test]
fn weights_are_shares() {
    let mut weighted = Weighted::new(vec![1, 2, 3], 0).unwrap();
    let mut balance = Balance::new(3);
    for n in 0..12_000 {
        let key = customer(n);
        balance.count(weighted.partition(Record::keyed(&key), count(3)));
    }
    for (records, weight) in balance.counts().iter().zip([1, 2, 3]) {
        let share = 2_000 * weight;
        assert!(records.abs_diff(share) * 20 <= share, "{balance:?}");
    }
}

/// claim: weights-move-few-keys
///
/// One partition of six is drained. Its keys move, a sixth of all; with one partition less and `hash % n`, five of
/// six would. As many move at the beginning, when murmur2 gives way to weights.
#[test]
fn a_drained_partition_moves_its_keys_only() {
    let mut full = Weighted::new(vec![1; 6], 0).unwrap();
    let mut drained = Weighted::new(vec![1, 1, 1, 1, 1, 0], 0).unwrap();
    let (mut begun, mut moved, mut by_modulo) = (0, 0, 0);
    for n in 0..6_000 {
        let key = customer(n);
        let old = full.partition(Record::keyed(&key), count(6));
        let new = drained.partition(Record::keyed(&key), count(6));
        assert!(new < 5 && (old == new || old == 5), "{old} to {new}");
        begun += u32::from(old != partition_for_key(&key, count(6)));
        moved += u32::from(old != new);
        by_modulo += u32::from(
            partition_for_key(&key, count(6))
                != partition_for_key(&key, count(5)),
        );
    }
    assert!((900..1_100).contains(&moved), "{moved}");
    assert!((4_800..5_200).contains(&by_modulo), "{by_modulo}");
    assert!((4_800..5_200).contains(&begun), "{begun}");
}

/// claim: a-hot-key-is-found
///
/// 10,000 keys, and one of them is 30 % of all records: sixteen places find it and no other.
#[test]
fn a_hot_key_is_found_among_many() {
    let mut counter = SpaceSaving::new(count(16));
    let mut random = SplitMix64::new(7);
    for _ in 0..20_000 {
        let hot = random.below(count(100)) < 30;
        let n = if hot { 0 } else { 1 + random.below(count(10_000)) };
        counter.count(&customer(n));
    }
    let hot = counter.hot(10);
    assert_eq!(hot.len(), 1, "{hot:?}");
    assert_eq!(hot[0].0, customer(0));
    assert!((5_800..6_200).contains(&hot[0].1.at_least()), "{hot:?}");
}

/// What was hot is forgotten when it has cooled down, and memory stays bounded.
#[test]
fn a_key_that_cools_down_is_forgotten() {
    let found = HotKeys::Found {
        counter: SpaceSaving::new(count(8)),
        percent: 20,
        window: 1_000,
    };
    let mut spread = Spread::new(found, count(4), sticky(0));
    let send = |spread: &mut Spread, key: &[u8]| {
        spread.partition(Record::keyed(key), count(12))
    };
    for n in 0..400 {
        send(&mut spread, &customer(n % 2 * n));
    }
    assert_eq!(spread.hot_keys(), [] as [&[u8]; 0], "too early to tell");
    for n in 0..2_000 {
        send(&mut spread, &customer(n % 2 * n));
    }
    assert_eq!(spread.hot_keys(), [customer(0)]);
    for n in 0..20_000 {
        send(&mut spread, &customer(n));
    }
    assert_eq!(spread.hot_keys(), [] as [&[u8]; 0]);
    assert_eq!(
        send(&mut spread, &customer(0)),
        partition_for_key(&customer(0), count(12))
    );
}

#[test]
fn weights_that_share_out_nothing_are_refused() {
    let error = |weights| Weighted::new(weights, 0).unwrap_err();
    assert_eq!(error(vec![]), WrongWeights::AllZero);
    assert_eq!(error(vec![0, 0]), WrongWeights::AllZero);
    assert_eq!(
        error(vec![u32::MAX, 1]),
        WrongWeights::TooMany { sum: 1 << 32 }
    );
    // Nobody of the weighted partitions is there: any partition that is.
    let mut weighted = Weighted::new(vec![0, 0, 1], 0).unwrap();
    assert!(weighted.partition(Record::keyed(b"a"), count(2)) < 2);
}

/// An empty key is a key to Java's client, and none to librdkafka's default.
#[test]
fn an_empty_key_is_a_key_to_java_only() {
    let of = |mut partitioner: Box<dyn Partitioner>| -> Balance {
        let mut balance = Balance::new(12);
        for _ in 0..500 {
            let record = Record { bytes: 16_384, ..Record::keyed(b"") };
            balance.count(partitioner.partition(record, count(12)));
        }
        balance
    };
    assert_eq!(of(Box::new(Murmur2::new(sticky(1)))).used(), 1);
    assert_eq!(of(Box::new(Crc32::consistent())).used(), 1);
    assert_eq!(
        of(Box::new(Crc32::consistent_random(sticky(1)))).used(),
        12
    );
}
