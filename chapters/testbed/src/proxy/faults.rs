//! The faults that are in force, and the handle that changes them.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::link::{Link, Wire};

/// One of a connection's two directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From clients to the broker: requests.
    ToBroker,
    /// From the broker to clients: answers, acknowledgements among them.
    ToClient,
}

/// What happens to a connection at the point that [`Faults::after_bytes`] or
/// [`Faults::at_answer`] set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Then {
    /// The connection is closed in order (FIN); what is still on its way is lost.
    Cut,
    /// The connection is reset (RST).
    Reset,
    /// The direction goes dark, for all connections: see [`Faults::blackhole`].
    Blackhole,
}

/// How much went through the proxy since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections taken in, those refused not counted.
    pub connections: u64,
    /// Connections open now.
    pub open: u64,
    /// Connections refused.
    pub refused: u64,
    /// Bytes handed to the broker.
    pub to_broker: u64,
    /// Bytes handed to clients.
    pub to_client: u64,
}

/// A handle on a proxy's faults; clones are the same handle.
///
/// Nothing here waits: a change is in force for every byte that has not yet been handed on.
#[derive(Debug, Clone)]
pub struct Faults {
    shared: Arc<Shared>,
}

impl Faults {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Faults { shared }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// What a direction does to its bytes now.
    pub fn link(&self, direction: Direction) -> Link {
        self.shared.state.borrow().links[direction as usize]
    }

    /// Sets all of a direction's properties at once.
    pub fn set_link(&self, direction: Direction, link: Link) {
        self.shared.change(|state| state.links[direction as usize] = link);
    }

    /// Delays every byte by `latency` and a random part of `jitter`; zero and zero take it back.
    pub fn latency(
        &self,
        direction: Direction,
        latency: Duration,
        jitter: Duration,
    ) {
        self.change(direction, |link| {
            link.latency = latency;
            link.jitter = jitter;
        });
    }

    /// Lets at most this many bytes a second through; `None` takes the limit back.
    pub fn bandwidth(
        &self,
        direction: Direction,
        bytes_per_second: Option<NonZeroU64>,
    ) {
        self.change(direction, |link| link.bandwidth = bytes_per_second);
    }

    /// Lets nothing through in this direction until [`heal`](Faults::heal); the other goes on.
    pub fn blackhole(&self, direction: Direction) {
        self.shared.blackhole(direction);
    }

    /// Closes all open connections in order (FIN). New ones are taken in.
    pub fn cut(&self) {
        self.shared.end_all(Then::Cut);
    }

    /// Resets all open connections (RST). New ones are taken in.
    pub fn reset(&self) {
        self.shared.end_all(Then::Reset);
    }

    /// Resets each new connection at once. Open ones go on: [`cut`](Faults::cut) or
    /// [`reset`](Faults::reset) them as well for a broker that is gone.
    pub fn refuse(&self) {
        self.shared.change(|state| state.refuse = true);
    }

    /// After this many further bytes in this direction, over all connections, does `then` to the
    /// connection that carried the last of them. With 0 it is the next byte, and it does not pass.
    ///
    /// Once; a later call replaces it, and [`heal`](Faults::heal) takes it back.
    pub fn after_bytes(
        &self,
        direction: Direction,
        bytes: u64,
        then: Then,
    ) {
        self.shared.triggers().after[direction as usize] =
            Some(AfterBytes { left: bytes, then });
    }

    /// Lets the next request with this API key reach the broker, and does `then` to its connection
    /// when the answer comes, before the answer gets through.
    ///
    /// With API key 0 (Produce) this loses an acknowledgement: the records are in the log, and the
    /// producer cannot know. Once; a later call replaces it, and [`heal`](Faults::heal) takes it
    /// back. Keys: <https://kafka.apache.org/protocol#protocol_api_keys>. Not on connections with
    /// TLS, whose requests cannot be read.
    pub fn at_answer(&self, api_key: i16, then: Then) {
        self.shared.triggers().answer = Some(AtAnswer { api_key, then });
    }

    /// Ends all faults: bytes that were held or on their way arrive now.
    ///
    /// Connections that were cut or reset stay so; clients open new ones.
    pub fn heal(&self) {
        *self.shared.triggers() = Triggers::default();
        for wire in &self.shared.wires {
            *lock(wire) = Wire::default();
        }
        self.shared.change(|state| {
            state.links = [Link::default(); 2];
            state.refuse = false;
            state.heals += 1;
        });
    }

    /// How much went through.
    pub fn counts(&self) -> Counts {
        let counters = &self.shared.counters;
        let [to_broker, to_client] =
            [Direction::ToBroker, Direction::ToClient]
                .map(|way| counters.bytes[way as usize].get());
        Counts {
            connections: counters.connections.get(),
            open: counters
                .connections
                .get()
                .saturating_sub(counters.ended.get()),
            refused: counters.refused.get(),
            to_broker,
            to_client,
        }
    }

    fn change(&self, direction: Direction, change: impl FnOnce(&mut Link)) {
        self.shared
            .change(|state| change(&mut state.links[direction as usize]));
    }
}

/// What the handle, the accepting task and all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) seed: u64,
    /// What connections watch: a change wakes all of them.
    pub(super) state: watch::Sender<State>,
    triggers: Mutex<Triggers>,
    wires: [Mutex<Wire>; 2],
    counters: Counters,
}

/// The faults in force.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct State {
    pub(super) links: [Link; 2],
    pub(super) refuse: bool,
    /// Where the broker listens, once that is known.
    pub(super) upstream: Option<SocketAddr>,
    /// How often all connections were ended, and how the last time. A connection that was born at
    /// a lower count is to end.
    pub(super) ends: u64,
    pub(super) end: Option<Then>,
    /// How often all was healed: whoever has bytes waiting for their time lets them go then.
    pub(super) heals: u64,
}

#[derive(Debug, Default)]
struct Triggers {
    after: [Option<AfterBytes>; 2],
    answer: Option<AtAnswer>,
}

#[derive(Debug)]
struct AfterBytes {
    left: u64,
    then: Then,
}

#[derive(Debug)]
struct AtAnswer {
    api_key: i16,
    then: Then,
}

#[derive(Debug, Default)]
struct Counters {
    connections: Counter,
    ended: Counter,
    refused: Counter,
    bytes: [Counter; 2],
}

#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Counter {
    fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Shared {
    pub(super) fn new(seed: u64) -> Self {
        Shared {
            seed,
            state: watch::Sender::new(State::default()),
            triggers: Mutex::default(),
            wires: Default::default(),
            counters: Counters::default(),
        }
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        self.state.send_modify(change);
    }

    pub(super) fn refuses(&self) -> bool {
        self.state.borrow().refuse
    }

    pub(super) fn blackhole(&self, direction: Direction) {
        self.change(|state| {
            state.links[direction as usize].blackhole = true
        });
    }

    fn end_all(&self, how: Then) {
        self.change(|state| {
            state.ends += 1;
            state.end = Some(how);
        });
    }

    /// When bytes that were read now have been put on the wire.
    pub(super) fn send(
        &self,
        direction: Direction,
        now: Instant,
        bytes: usize,
        link: &Link,
    ) -> Instant {
        lock(&self.wires[direction as usize]).send(now, bytes, link)
    }

    /// How many of these bytes pass before something happens, and what happens then.
    pub(super) fn admit(
        &self,
        direction: Direction,
        bytes: usize,
    ) -> Option<(usize, Then)> {
        let mut triggers = self.triggers();
        let after = triggers.after[direction as usize].as_mut()?;
        match usize::try_from(after.left).ok().filter(|left| *left <= bytes)
        {
            Some(left) => {
                let then = after.then;
                triggers.after[direction as usize] = None;
                Some((left, then))
            }
            None => {
                after.left -= bytes as u64;
                None
            }
        }
    }

    /// What is to happen at the answer to this request: asked once for each request.
    pub(super) fn at_answer_to(&self, api_key: i16) -> Option<Then> {
        let taken = self
            .triggers()
            .answer
            .take_if(|armed| armed.api_key == api_key);
        taken.map(|armed| armed.then)
    }

    fn triggers(&self) -> MutexGuard<'_, Triggers> {
        lock(&self.triggers)
    }

    /// The number of this connection, from 1.
    pub(super) fn count_connection(&self) -> u64 {
        self.counters.connections.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn count_end(&self) {
        self.counters.ended.add(1);
    }

    pub(super) fn count_refused(&self) {
        self.counters.refused.add(1);
    }

    pub(super) fn count_bytes(&self, direction: Direction, bytes: usize) {
        self.counters.bytes[direction as usize].add(bytes as u64);
    }
}

/// No code here can panic while it holds a lock, so a poisoned one is as good as any.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
