//! Records without a key: one partition for a while, then another.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{Partitioner, Record, SplitMix64};

/// When a sticky partitioner goes on to the next partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// After so many bytes: Java's client, with `batch.size` (KIP-794). Every partition gets equally many bytes a
    /// turn, however slow it is.
    Bytes(usize),
    /// After so long: librdkafka, with `sticky.partitioning.linger.ms`, which is twice `linger.ms` unless set.
    Time(Duration),
}

// ANCHOR: sticky
/// Stays on one partition until its [`Rule`] says that the turn is over,
/// then draws the next one, which may be the same again.
///
/// A batch holds records of one partition only. Where each record has
/// another one, every batch waits `linger.ms` and leaves nearly empty.
#[derive(Clone, Debug)]
pub struct Sticky {
    rule: Rule,
    random: SplitMix64,
    turn: Option<Turn>,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    partition: u32,
    bytes: usize,
    since: Duration,
}
// ANCHOR_END: sticky

impl Sticky {
    /// Draws its partitions from this seed.
    ///
    /// What Java's client does beyond this: a turn that is over waits for the open batch to leave, up to twice
    /// `batch.size`; and with `partitioner.adaptive.partitioning.enable`, its default, a partition whose queue is
    /// long is drawn less often, and one whose broker has not answered for
    /// `partitioner.availability.timeout.ms`, where set, is not drawn at all (KIP-794).
    pub fn new(rule: Rule, seed: u64) -> Self {
        Self { rule, random: SplitMix64::new(seed), turn: None }
    }

    fn is_over(&self, turn: Turn, now: Duration) -> bool {
        match self.rule {
            Rule::Bytes(most) => turn.bytes >= most,
            Rule::Time(longest) => {
                now.saturating_sub(turn.since) >= longest
            }
        }
    }
}

impl Partitioner for Sticky {
    fn partition(
        &mut self,
        record: Record<'_>,
        partitions: NonZeroU32,
    ) -> u32 {
        let mut turn = match self.turn {
            Some(turn)
                // A topic that was made anew may have fewer partitions.
                if turn.partition < partitions.get()
                    && !self.is_over(turn, record.at) =>
            {
                turn
            }
            _ => Turn {
                partition: self.random.below(partitions),
                bytes: 0,
                since: record.at,
            },
        };
        turn.bytes = turn.bytes.saturating_add(record.bytes);
        self.turn = Some(turn);
        turn.partition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIX: NonZeroU32 = NonZeroU32::new(6).unwrap();

    fn places(
        sticky: &mut Sticky,
        bytes: usize,
        every: Duration,
        records: u32,
    ) -> Vec<u32> {
        let record = |n| Record { key: None, bytes, at: every * n };
        (0..records).map(|n| sticky.partition(record(n), SIX)).collect()
    }

    #[test]
    fn a_turn_of_bytes_ends_when_they_are_sent() {
        let mut sticky = Sticky::new(Rule::Bytes(1_000), 1);
        let places = places(&mut sticky, 100, Duration::ZERO, 6_000);
        for turn in places.chunks(10) {
            assert!(turn.iter().all(|p| *p == turn[0]), "{turn:?}");
        }
        for partition in 0..SIX.get() {
            assert!(places.contains(&partition), "{partition} never");
        }
    }

    #[test]
    fn a_turn_of_time_ends_when_it_is_over() {
        let ten = Duration::from_millis(10);
        let mut sticky = Sticky::new(Rule::Time(ten), 1);
        let places = places(&mut sticky, 100, ten / 10, 6_000);
        for turn in places.chunks(10) {
            assert!(turn.iter().all(|p| *p == turn[0]), "{turn:?}");
        }
        for partition in 0..SIX.get() {
            assert!(places.contains(&partition), "{partition} never");
        }
    }

    #[test]
    fn a_partition_that_is_gone_ends_its_turn() {
        for seed in 0..50 {
            let mut sticky = Sticky::new(Rule::Bytes(1_000), seed);
            sticky.partition(Record::default(), SIX);
            let one = sticky.partition(Record::default(), NonZeroU32::MIN);
            assert_eq!(one, 0);
        }
    }
}
