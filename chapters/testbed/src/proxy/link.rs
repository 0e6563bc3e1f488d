//! One direction's properties, and when a byte arrives that goes along it.
//!
//! Pure: time is given from outside, and the random part comes from a seed.

use std::num::NonZeroU64;
use std::time::Duration;

use tokio::time::Instant;

/// The most that one read takes, in bytes.
pub(super) const CHUNK: usize = 16 * 1024;

/// The most that one connection holds in one direction, in bytes; then it reads no further, and
/// the sender feels it. With 100 ms of latency this lets 10 MB/s through.
const WINDOW: usize = 1024 * 1024;

/// The part of a second for which a slow link's own buffer holds bytes.
const BUFFERED: Duration = Duration::from_millis(100);

/// What one direction of the proxy does to its bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Link {
    /// How much later than sent a byte arrives.
    pub latency: Duration,
    /// The most that is added to the latency; the part is random, from the proxy's seed.
    pub jitter: Duration,
    /// Bytes a second, for all connections together; `None`: as fast as the machine can.
    pub bandwidth: Option<NonZeroU64>,
    /// Nothing passes.
    pub blackhole: bool,
}

impl Link {
    /// The most to be read at once: on a slow link less, so that its bytes trickle.
    pub(super) fn chunk(&self) -> usize {
        match self.bandwidth {
            None => CHUNK,
            Some(rate) => usize::try_from(rate.get() / 20)
                .unwrap_or(CHUNK)
                .clamp(1, CHUNK),
        }
    }

    /// The most to be held: what is on its way through a link of this length and width.
    pub(super) fn window(&self) -> usize {
        let Some(rate) = self.bandwidth else { return WINDOW };
        let length = self.latency + self.jitter + BUFFERED;
        let bytes = u128::from(rate.get()) * length.as_micros() / 1_000_000;
        usize::try_from(bytes).unwrap_or(WINDOW).clamp(self.chunk(), WINDOW)
    }
}

/// The wire that all connections of one direction share: when it is free for the next byte.
#[derive(Debug, Default)]
pub(super) struct Wire {
    free_at: Option<Instant>,
}

impl Wire {
    /// When the last of these bytes has been put on the wire.
    pub(super) fn send(
        &mut self,
        now: Instant,
        bytes: usize,
        link: &Link,
    ) -> Instant {
        let start = self.free_at.map_or(now, |free| free.max(now));
        let takes = link.bandwidth.map_or(Duration::ZERO, |rate| {
            let micros = bytes as u128 * 1_000_000 / u128::from(rate.get());
            Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
        });
        // Without a limit nothing is remembered: a limit that comes later starts from now.
        self.free_at = link.bandwidth.map(|_| start + takes);
        start + takes
    }
}

/// One connection's arrivals in one direction.
#[derive(Debug)]
pub(super) struct Arrivals {
    random: SplitMix,
    last: Option<Instant>,
}

impl Arrivals {
    pub(super) fn new(seed: u64) -> Self {
        Arrivals { random: SplitMix(seed), last: None }
    }

    /// When bytes arrive that were on the wire at `sent`: never before those sent earlier.
    pub(super) fn arrival(
        &mut self,
        sent: Instant,
        link: &Link,
    ) -> Instant {
        let own = sent
            + link.latency
            + link.jitter.mul_f64(self.random.fraction());
        let arrival = self.last.map_or(own, |last| last.max(own));
        self.last = Some(arrival);
        arrival
    }

    /// What comes next need not wait for what was late before.
    pub(super) fn forget(&mut self) {
        self.last = None;
    }
}

/// Sebastiano Vigna's SplitMix64: eight lines that spread any seed well enough for delays.
/// For more than that take the crate `rand`.
#[derive(Debug)]
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to, not including, 1.
    fn fraction(&mut self) -> f64 {
        // 53 bits are what a float of 64 holds exactly.
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn slow(bytes_per_second: u64) -> Link {
        Link {
            bandwidth: NonZeroU64::new(bytes_per_second),
            ..Link::default()
        }
    }

    #[test]
    fn a_healthy_link_delays_nothing() {
        let now = Instant::now();
        let link = Link::default();
        let sent = Wire::default().send(now, 1_000_000, &link);
        assert_eq!(Arrivals::new(1).arrival(sent, &link), now);
    }

    #[test]
    fn a_thousand_bytes_take_a_second_at_a_thousand_bytes_a_second() {
        let now = Instant::now();
        let mut wire = Wire::default();
        assert_eq!(wire.send(now, 1_000, &slow(1_000)), now + 1_000 * MS);
        // The next one waits for the wire, whoever sends it.
        assert_eq!(wire.send(now, 500, &slow(1_000)), now + 1_500 * MS);
        // A wire that was idle owes nothing.
        assert_eq!(
            wire.send(now + 9_000 * MS, 500, &slow(1_000)),
            now + 9_500 * MS
        );
    }

    #[test]
    fn a_lifted_limit_is_forgotten() {
        let now = Instant::now();
        let mut wire = Wire::default();
        wire.send(now, 60_000, &slow(1_000));
        wire.send(now, 1, &Link::default());
        assert_eq!(wire.send(now, 1_000, &slow(1_000)), now + 1_000 * MS);
    }

    #[test]
    fn a_slow_link_trickles_and_holds_little() {
        assert_eq!((slow(1_000).chunk(), slow(1_000).window()), (50, 100));
        assert_eq!((slow(1).chunk(), slow(1).window()), (1, 1));
        assert_eq!(
            (Link::default().chunk(), Link::default().window()),
            (CHUNK, WINDOW)
        );
        assert_eq!(slow(u64::MAX).window(), WINDOW);
    }

    #[test]
    fn the_same_seed_gives_the_same_delays_and_another_does_not() {
        let now = Instant::now();
        let link = Link { jitter: 100 * MS, ..Link::default() };
        let delays = |seed| {
            let mut arrivals = Arrivals::new(seed);
            [(); 20].map(|()| arrivals.arrival(now, &link))
        };
        assert_eq!(delays(7), delays(7));
        assert_ne!(delays(7), delays(8));
    }

    proptest! {
        #[test]
        fn bytes_arrive_in_the_order_in_which_they_were_sent(
            seed: u64,
            latency in 0u64..200,
            jitter in 0u64..200,
            rate in 0u64..100_000,
            gaps in prop::collection::vec((0u64..50, 1usize..5_000), 1..50),
        ) {
            let link = Link {
                latency: Duration::from_millis(latency),
                jitter: Duration::from_millis(jitter),
                ..slow(rate)
            };
            let (mut wire, mut arrivals) = (Wire::default(), Arrivals::new(seed));
            let mut now = Instant::now();
            let mut last = now;
            for (gap, bytes) in gaps {
                now += Duration::from_millis(gap);
                let arrival = arrivals.arrival(wire.send(now, bytes, &link), &link);
                prop_assert!(arrival >= last);
                prop_assert!(arrival >= now + link.latency);
                last = arrival;
            }
        }
    }
}
