//! How long a producer waits before it tries again, and how often it can in the time it has.
//!
//! KIP-580 made both clients' delays exponential, with jitter, so that a thousand producers that saw one broker go
//! do not come back in the same millisecond. They read the same two settings and do not do quite the same:
//!
//! | | librdkafka 2.12 | Kafka's Java client |
//! |---|---|---|
//! | first delay | `retry.backoff.ms`, 100 | `retry.backoff.ms`, 100 |
//! | longest delay | `retry.backoff.max.ms`, 1000 | `retry.backoff.max.ms`, 1000 |
//! | grows by | 2 each time, for ever; then jitter; then the cap | 2 each time up to the cap; then jitter; then the cap |
//! | jitter | 80 to 120 %, in whole percent | 80 to 120 % |
//! | after many failures | a 32-bit int overflows: no delay, then all from the start | stays at the cap |
//! | at the cap | all delays equal: no jitter is added | 80 to 100 % of the cap |
//! | gives up after | `message.timeout.ms`, 300 000 | `delivery.timeout.ms`, 120 000 |
//!
//! A refusal that says "ask for the leader again" is not counted by librdkafka as a failure: its delay stays the first.
//!
//! Sources: `rd_kafka_retry_msgq` in librdkafka's `src/rdkafka_partition.c`;
//! `org.apache.kafka.common.utils.ExponentialBackoff` and `RecordAccumulator`.

mod plot;

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::partition::SplitMix64;

pub use plot::plot;

/// Whose rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// The C client under rdkafka.
    Librdkafka,
    /// Kafka's own producer.
    Java,
}

// ANCHOR: delay
/// What one delay may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// Without jitter.
    pub expected: Duration,
    /// With the jitter that makes it shortest.
    pub at_least: Duration,
    /// With the jitter that makes it longest.
    pub at_most: Duration,
}

impl Backoff {
    /// The delay after a record has failed so often, from 1.
    pub fn delay(&self, failed: u32) -> Delay {
        let doublings = failed.saturating_sub(1);
        let cap = u128::from(self.longest);
        let (term, jitter) = match self.client {
            // Java's class leaves the jitter out where nothing can grow.
            Client::Java if self.first >= self.longest => (cap, 0),
            Client::Java => (self.doubled(doublings).min(cap), JITTER),
            Client::Librdkafka => (self.doubled_as_int(doublings), JITTER),
        };
        let with = |percent: u128| micros((term * percent / 100).min(cap));
        Delay {
            expected: with(100),
            at_least: with(100 - jitter),
            at_most: with(100 + jitter),
        }
    }
}
// ANCHOR_END: delay

/// A schedule of delays. Both clients' settings are whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    client: Client,
    /// In microseconds, which is what librdkafka counts in.
    first: u64,
    longest: u64,
}

/// In percent, to both sides: `RD_KAFKA_RETRY_JITTER_PERCENT`, and `RETRY_BACKOFF_JITTER` in Java.
const JITTER: u128 = 20;

/// The longest delay that librdkafka lets one set.
const MOST: Duration = Duration::from_millis(300_000);

/// Settings that librdkafka would refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WrongBackoff {
    /// Not a delay that one may set.
    #[error("{name} is {found:?}: set it to 1 to 300000 ms")]
    OutOfRange {
        /// Which setting.
        name: &'static str,
        /// What it was set to.
        found: Duration,
    },
}

// ANCHOR: overflow
impl Backoff {
    fn doubled(&self, doublings: u32) -> u128 {
        u128::from(self.first) << doublings.min(64)
    }

    /// `(1 << doublings) * retry.backoff.ms` in C's 32-bit int, as
    /// librdkafka 2.12.1 has it: from some failure on that is negative or
    /// 0, which is no delay at all, and after 32 failures it begins anew.
    fn doubled_as_int(&self, doublings: u32) -> u128 {
        let first = (self.first / 1_000) as i32;
        let ms = 1_i32.wrapping_shl(doublings).wrapping_mul(first);
        u128::from(ms.max(0).unsigned_abs()) * 1_000
    }

    /// The first failure after which this client does not wait at all.
    pub fn overflows_at(&self) -> Option<u32> {
        (1..=32).find(|failed| self.delay(*failed).at_most.is_zero())
    }
}
// ANCHOR_END: overflow

impl Backoff {
    /// The delays of this client with `retry.backoff.ms` and `retry.backoff.max.ms`.
    ///
    /// A first delay above the longest is no error: the longest is then the only one, in both clients.
    ///
    /// # Errors
    /// A delay below 1 ms or above 300,000 ms.
    pub fn new(
        client: Client,
        first: Duration,
        longest: Duration,
    ) -> Result<Self, WrongBackoff> {
        let settings = [
            ("retry.backoff.ms", first),
            ("retry.backoff.max.ms", longest),
        ];
        for (name, found) in settings {
            if !(Duration::from_millis(1)..=MOST).contains(&found) {
                return Err(WrongBackoff::OutOfRange { name, found });
            }
        }
        let whole = |delay: Duration| delay.as_millis() as u64 * 1_000;
        Ok(Self { client, first: whole(first), longest: whole(longest) })
    }

    /// A delay as the client might draw it.
    pub fn draw(&self, failed: u32, random: &mut SplitMix64) -> Duration {
        let Delay { at_least, at_most, .. } = self.delay(failed);
        let span = (at_most - at_least).as_micros() + 1;
        let high = (u128::from(random.draw()) * span) >> 64;
        at_least + micros(high)
    }

    // ANCHOR: attempts
    /// How often a record is sent before `timeout` gives it up, where each
    /// attempt fails after `answer`: the fewest, with the longest delays, and
    /// the most, with the shortest.
    pub fn attempts(
        &self,
        timeout: Duration,
        answer: Duration,
    ) -> RangeInclusive<u32> {
        let count = |delay: fn(Delay) -> Duration| {
            let (mut at, mut sent) = (Duration::ZERO, 0);
            while at < timeout && sent < MOST_ATTEMPTS {
                sent += 1;
                at += answer + delay(self.delay(sent));
            }
            sent
        };
        count(|delay| delay.at_most)..=count(|delay| delay.at_least)
    }
    // ANCHOR_END: attempts
}

/// Where the count ends: an hour of attempts a millisecond apart.
const MOST_ATTEMPTS: u32 = 4_000_000;

fn micros(n: u128) -> Duration {
    Duration::from_micros(u64::try_from(n).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn schedule(client: Client, first: u64, longest: u64) -> Backoff {
        Backoff::new(client, ms(first), ms(longest)).unwrap()
    }

    fn client() -> impl Strategy<Value = Client> {
        prop_oneof![Just(Client::Librdkafka), Just(Client::Java)]
    }

    proptest! {
        /// claim: backoff-stays-in-its-band
        ///
        /// Whatever is set, a drawn delay is in its band, no band is above the cap, none is more than 20 % off the
        /// jitterless delay, and delays do not shrink before librdkafka's int overflows.
        #[test]
        fn a_delay_stays_in_its_band(
            client in client(), first in 1_u64..=300_000, longest in 1_u64..=300_000, failed in 1_u32..200, seed: u64,
        ) {
            let backoff = schedule(client, first, longest);
            let delay = backoff.delay(failed);
            let drawn = backoff.draw(failed, &mut SplitMix64::new(seed));
            prop_assert!(delay.at_least <= drawn && drawn <= delay.at_most);
            prop_assert!(delay.at_least <= delay.expected && delay.expected <= delay.at_most);
            prop_assert!(delay.at_most <= ms(longest));
            prop_assert!(delay.at_least >= delay.expected * 4 / 5);
            prop_assert!(delay.at_most <= delay.expected * 6 / 5);
            let next = backoff.delay(failed + 1);
            if backoff.overflows_at().is_none_or(|at| failed + 1 < at) {
                prop_assert!(next.at_least >= delay.at_least && next.at_most >= delay.at_most);
            }
        }

        /// The count of attempts is that of a walk through the drawn delays, one by one.
        #[test]
        fn the_attempts_of_a_walk_are_in_the_range(
            client in client(), first in 1_u64..2_000, longest in 1_u64..2_000,
            timeout in 1_u64..60_000, answer in 0_u64..500, seed: u64,
        ) {
            let backoff = schedule(client, first, longest);
            let mut random = SplitMix64::new(seed);
            let (mut at, mut sent) = (Duration::ZERO, 0);
            while at < ms(timeout) {
                sent += 1;
                at += ms(answer) + backoff.draw(sent, &mut random);
            }
            let range = backoff.attempts(ms(timeout), ms(answer));
            prop_assert!(range.contains(&sent), "{sent} not in {range:?}");
        }
    }

    /// claim: librdkafka-has-no-jitter-at-the-cap
    ///
    /// Only the four delays below the cap differ: the fifth failure comes 1,200 to 1,800 ms after the first, and each
    /// later one a second after the one before. With a first delay of five quarters of the cap none differs at all.
    #[test]
    fn at_the_cap_librdkafka_has_no_jitter_left() {
        let (ours, java) = (
            schedule(Client::Librdkafka, 100, 1_000),
            schedule(Client::Java, 100, 1_000),
        );
        for failed in 6..=25 {
            let one = Delay {
                expected: ms(1_000),
                at_least: ms(1_000),
                at_most: ms(1_000),
            };
            assert_eq!(ours.delay(failed), one, "{failed}");
            assert_eq!(
                java.delay(failed),
                Delay { at_least: ms(800), ..one },
                "{failed}"
            );
        }
        let before_the_fifth = |of: fn(Delay) -> Duration| -> Duration {
            (1..5).map(|failed| of(ours.delay(failed))).sum()
        };
        assert_eq!(before_the_fifth(|delay| delay.at_least), ms(1_200));
        assert_eq!(before_the_fifth(|delay| delay.at_most), ms(1_800));
        let spread = |first| {
            let delay = schedule(Client::Librdkafka, first, 1_000).delay(1);
            delay.at_most - delay.at_least
        };
        assert_eq!(spread(1_250), ms(0));
        assert!(spread(1_249) > ms(0));
    }

    /// claim: a-record-is-given-up-before-the-overflow
    ///
    /// Nobody sends a record 26 times within 22 s, nor, with a longest delay of 7 s, within 120 s; with 6 s somebody
    /// may.
    #[test]
    fn a_record_is_given_up_before_the_int_overflows() {
        let most = |longest, timeout| {
            let backoff = schedule(Client::Librdkafka, 100, longest);
            assert_eq!(backoff.overflows_at(), Some(26));
            *backoff.attempts(ms(timeout), ms(0)).end()
        };
        assert_eq!(most(1_000, 22_000), 25);
        assert!(most(1_000, 23_000) >= 26);
        assert!(most(7_000, 120_000) <= 25);
        assert!(most(6_000, 120_000) >= 26);
    }

    /// claim: five-retries-at-once
    ///
    /// With the defaults five of 32 failures, first the 26th after 22.5 s, are followed by no delay at all: seven
    /// retries come within 2 s. The 33rd is followed by the first delay again.
    #[test]
    fn librdkafkas_int_overflows_after_a_while() {
        let backoff = schedule(Client::Librdkafka, 100, 1_000);
        assert_eq!(backoff.overflows_at(), Some(26));
        let before: Duration =
            (1..26).map(|failed| backoff.delay(failed).expected).sum();
        assert_eq!(before, ms(22_500));
        let expected = |failed| backoff.delay(failed).expected.as_millis();
        let delays: Vec<_> = (24..=35).map(expected).collect();
        assert_eq!(
            delays,
            [1_000, 1_000, 0, 0, 1_000, 1_000, 0, 0, 0, 100, 200, 400]
        );
        let seven: Duration =
            (26..33).map(|failed| backoff.delay(failed).expected).sum();
        assert_eq!(seven, ms(2_000));
        assert_eq!(schedule(Client::Java, 100, 1_000).overflows_at(), None);
        assert_eq!(
            schedule(Client::Librdkafka, 1, 1).overflows_at(),
            Some(32)
        );
    }

    #[test]
    fn what_librdkafka_refuses_is_refused() {
        for (first, longest, name) in [
            (0, 1_000, "retry.backoff.ms"),
            (300_001, 1_000, "retry.backoff.ms"),
            (100, 0, "retry.backoff.max.ms"),
        ] {
            let error = Backoff::new(Client::Java, ms(first), ms(longest));
            let said = error.unwrap_err().to_string();
            assert!(said.starts_with(name), "{said}");
            assert!(said.contains("1 to 300000 ms"), "{said}");
        }
    }

    /// claim: javas-delays-are-its-own
    ///
    /// Java's own class gives these delays; `interop/Golden.java` wrote the file.
    #[test]
    fn javas_delays_are_those_of_its_own_class() {
        let golden = include_str!("../interop/backoff.tsv");
        let mut rows = 0;
        for row in golden.lines().filter(|row| !row.starts_with('#')) {
            let cells: Vec<u64> =
                row.split('\t').map(|cell| cell.parse().unwrap()).collect();
            let [first, longest, failed, delay, least, most] = cells[..]
            else {
                panic!("{row}")
            };
            let backoff = schedule(Client::Java, first, longest);
            let ours = backoff.delay(failed as u32);
            assert_eq!(ours.expected, ms(delay), "{row}");
            // Java cuts off below a millisecond.
            assert!(ours.at_least < ms(least + 1), "{row}: {ours:?}");
            assert!(ours.at_most >= ms(most), "{row}: {ours:?}");
            // Twenty thousand draws come within 2 % of both ends.
            assert!(
                ours.at_least * 102 / 100 >= ms(least.saturating_sub(1)),
                "{row}"
            );
            assert!(ours.at_most * 98 / 100 <= ms(most + 1), "{row}");
            rows += 1;
        }
        assert_eq!(rows, 84);
    }
}
