//! The producer: `send` waits for room, a thread takes the reports, a handler gets the outcomes.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{
    BorrowedMessage, Headers, Message, OwnedHeaders, Timestamp,
};
use rdkafka::producer::{
    BaseProducer, BaseRecord, DeliveryResult, Producer as _,
    ProducerContext, PurgeConfig,
};
use rdkafka::{ClientConfig, ClientContext};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::config::ProducerConfig;
use crate::error::{CloseError, DeliveryError, SendError, StartError};
use crate::meter::Meter;
use crate::window::{Used, Window};

/// How long the polling thread waits for reports before it looks whether somebody closes.
const POLL: Duration = Duration::from_millis(20);

/// A record to send. Its bytes are copied into the producer's queue.
#[derive(Debug)]
pub struct Record<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition, or `None` for the partitioner's choice.
    pub partition: Option<i32>,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is a tombstone.
    pub payload: Option<&'a [u8]>,
    /// Headers.
    pub headers: Option<OwnedHeaders>,
    /// A number of your own, which comes back in the [`Outcome`].
    pub token: usize,
}

impl<'a> Record<'a> {
    /// A record without key and headers.
    pub fn new(
        topic: &'a str,
        payload: &'a [u8],
        token: usize,
    ) -> Record<'a> {
        let payload = Some(payload);
        Record {
            topic,
            partition: None,
            key: None,
            payload,
            headers: None,
            token,
        }
    }

    /// The same record with a key.
    pub fn key(mut self, key: &'a [u8]) -> Record<'a> {
        self.key = Some(key);
        self
    }

    /// The same record for this partition.
    pub fn partition(mut self, partition: i32) -> Record<'a> {
        self.partition = Some(partition);
        self
    }

    fn bytes(&self) -> u64 {
        bytes(self.key, self.payload, self.headers.as_ref())
    }
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its partition.
    pub partition: i32,
    /// Its offset; negative with `Acks::None`, where nobody said one.
    pub offset: i64,
}

/// What became of a record: exactly one for each that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The number that came with the record.
    pub token: usize,
    /// Where it stands, or why it is not known to stand anywhere.
    pub result: Result<Place, DeliveryError>,
}

/// An async producer. Clones are the same producer.
///
/// - **Bounded**: at most `window_records` and `window_bytes` are under way; [`send`](Producer::send)
///   waits while there is no room, without polling.
/// - **One outcome a record** that was taken, on the producer's own thread, unless the process ends.
/// - **In order**: records that one task sends to one partition stand there in that order, with
///   idempotence also after retries.
/// - **Dropped** with records under way, it gives them up, and their outcomes say so. Drop does not
///   wait. [`close`](Producer::close) does.
pub struct Producer {
    shared: Arc<Shared>,
}

/// What the handles and the thread share.
struct Shared {
    /// Purging, sending and polling are calls of one client, from any thread.
    client: BaseProducer<Context>,
    state: Arc<State>,
    max_record_bytes: u64,
    /// Handles, not counting the thread's reference: the last one that is dropped ends the thread.
    handles: AtomicUsize,
}

/// What the delivery callback needs too: it cannot own the client that owns it.
struct State {
    window: Window,
    /// Whether the window was found full and is not half free again.
    full: AtomicBool,
    /// Everybody who waits, for room or for nothing to be under way.
    wake: Notify,
    /// How many wait. Without it each report would take `wake`'s lock.
    waiting: AtomicUsize,
    /// [`OPEN`], [`CLOSING`], [`ENDING`] or [`ENDED`]; it only grows.
    phase: AtomicU8,
    /// Records that were purged, since [`ENDING`].
    given_up: AtomicU64,
}

const OPEN: u8 = 0;
/// Nothing is taken; what is under way goes on.
const CLOSING: u8 = 1;
/// What is under way is given up.
const ENDING: u8 = 2;
/// The thread is gone.
const ENDED: u8 = 3;

impl Producer {
    /// Starts a producer whose outcomes go to `handler`.
    ///
    /// The handler runs on the producer's own thread and holds up all reports while it runs: let it
    /// count, or hand on without waiting. If it panics, the producer is closed. It is called before
    /// its record leaves the window, so that after [`flush`](Producer::flush) it has had all of them.
    ///
    /// # Errors
    ///
    /// [`StartError`]: a setting that breaks a rule, that librdkafka does not know, or no thread.
    /// A broker that cannot be reached is no error here: records wait for it.
    pub fn start(
        config: &ProducerConfig,
        handler: impl Fn(Outcome) + Send + Sync + 'static,
    ) -> Result<Producer, StartError> {
        config.validate()?;
        let state = Arc::new(State::new(Window::new(
            config.window_records.into(),
            config.window_bytes,
        )));
        let context = Context {
            state: Arc::clone(&state),
            handler: Box::new(handler),
            meter: Meter::new(&config.client_id),
        };
        let mut client = ClientConfig::new();
        for (key, value) in config.properties() {
            client.set(key, value);
        }
        let client =
            client.create_with_context(context).map_err(start_error)?;
        let max_record_bytes = config.max_record_bytes.into();
        let handles = AtomicUsize::new(1);
        let shared =
            Arc::new(Shared { client, state, max_record_bytes, handles });
        let thread = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("producer".to_owned())
            .spawn(move || run(&thread))
            .map_err(StartError::Thread)?;
        Ok(Producer { shared })
    }

    /// Takes a record, once there is room for it. `Ok` says that it is queued, and no more.
    ///
    /// A window that was found full takes nothing before half of it is free, from anybody, so that who
    /// waits is not overtaken for ever. With room, `send` does not yield to the runtime.
    ///
    /// # Errors
    ///
    /// [`SendError`], never [`SendError::WindowFull`]: nothing was queued, and no outcome will come.
    ///
    /// # Cancellation
    ///
    /// Safe: a future that is dropped has queued nothing. Between taking room and queueing there is no
    /// `.await`.
    // ANCHOR: send
    pub async fn send(&self, record: Record<'_>) -> Result<(), SendError> {
        let bytes = self.checked(&record)?;
        while !self.shared.state.enter(bytes) {
            self.shared.state.room().await;
            self.open()?;
        }
        self.queue(record, bytes)
    }
    // ANCHOR_END: send

    /// Takes a record if there is room for it now.
    ///
    /// # Errors
    ///
    /// [`SendError`]: nothing was queued, and no outcome will come.
    pub fn try_send(&self, record: Record<'_>) -> Result<(), SendError> {
        let bytes = self.checked(&record)?;
        if !self.shared.state.enter(bytes) {
            return Err(SendError::WindowFull);
        }
        self.queue(record, bytes)
    }

    /// What is under way: taken, and without outcome.
    pub fn under_way(&self) -> Used {
        self.shared.state.window.used()
    }

    /// Waits until nothing is under way.
    ///
    /// A batch that is being filled goes on lingering, so this may take `linger` longer than the brokers
    /// do: librdkafka's flush can cut that short, but rdkafka 0.39 asks it to for an instant only, which
    /// the threads that send mostly miss. While other tasks go on sending this may take as long as they do.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`] when the producer's thread has ended with records under way.
    ///
    /// # Cancellation
    ///
    /// Safe: a future that is dropped stops waiting, and the records go on.
    pub async fn flush(&self) -> Result<(), SendError> {
        let state = &self.shared.state;
        state
            .wait_until(|| {
                state.window.used().records == 0 || state.is(ENDED)
            })
            .await;
        if state.window.used().records == 0 {
            Ok(())
        } else {
            Err(SendError::Closed)
        }
    }

    /// Takes nothing more, waits for what is under way, and gives up what has no answer in time.
    ///
    /// `within` has to be longer than `linger`: the last batch lingers, as in [`flush`](Producer::flush).
    ///
    /// When this returns each record has had its outcome, and the thread is gone. Only a handler that
    /// panicked gets no more of them; the records that it missed count as given up.
    ///
    /// # Errors
    ///
    /// [`CloseError`]: so many records were given up. A given-up record may be in the log: its answer
    /// may have been on the way.
    ///
    /// # Cancellation
    ///
    /// Safe, and not undone: the producer stays closed. What is under way goes on while a handle is left
    /// and `within` is not over. Call it again to wait again; it counts all that were given up.
    pub async fn close(&self, within: Duration) -> Result<(), CloseError> {
        let state = &self.shared.state;
        state.advance(CLOSING);
        let _ = timeout(within, self.flush()).await;
        state.advance(ENDING);
        state.wait_until(|| state.is(ENDED)).await;
        // A thread that ended because a handler panicked leaves records behind.
        let given_up = state.given_up.load(Ordering::SeqCst)
            + state.window.used().records;
        if given_up == 0 {
            Ok(())
        } else {
            Err(CloseError { given_up, within })
        }
    }

    fn checked(&self, record: &Record<'_>) -> Result<u64, SendError> {
        self.open()?;
        let (bytes, limit) = (record.bytes(), self.shared.max_record_bytes);
        if bytes > limit {
            Err(SendError::TooLarge { bytes, limit })
        } else {
            Ok(bytes)
        }
    }

    fn open(&self) -> Result<(), SendError> {
        if self.shared.state.is(CLOSING) {
            Err(SendError::Closed)
        } else {
            Ok(())
        }
    }

    /// Hands a record that has room to librdkafka; gives the room back if it is refused.
    fn queue(
        &self,
        record: Record<'_>,
        bytes: u64,
    ) -> Result<(), SendError> {
        // Looked at again: a `close` that began after the first look may not have seen this record.
        if let Err(closed) = self.open() {
            self.shared.state.leave(bytes);
            return Err(closed);
        }
        let mut queued: BaseRecord<'_, [u8], [u8], usize> =
            BaseRecord::with_opaque_to(record.topic, record.token);
        queued.partition = record.partition;
        queued.key = record.key;
        queued.payload = record.payload;
        queued.headers = record.headers;
        self.shared.client.send(queued).map_err(|(error, _)| {
            self.shared.state.leave(bytes);
            SendError::Refused(delivery_error(&error))
        })
    }
}

impl Clone for Producer {
    fn clone(&self) -> Producer {
        self.shared.handles.fetch_add(1, Ordering::Relaxed);
        Producer { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        if self.shared.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.state.advance(ENDING);
        }
    }
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer")
            .field("under_way", &self.under_way())
            .finish_non_exhaustive()
    }
}

impl State {
    fn new(window: Window) -> State {
        State {
            window,
            full: AtomicBool::new(false),
            wake: Notify::new(),
            waiting: AtomicUsize::new(0),
            phase: AtomicU8::new(OPEN),
            given_up: AtomicU64::new(0),
        }
    }

    fn is(&self, phase: u8) -> bool {
        self.phase.load(Ordering::SeqCst) >= phase
    }

    fn advance(&self, phase: u8) {
        self.phase.fetch_max(phase, Ordering::SeqCst);
        self.wake.notify_waiters();
    }

    /// Takes room for a record, unless the window is full or was and is not half free again.
    fn enter(&self, bytes: u64) -> bool {
        loop {
            if self.full.load(Ordering::SeqCst) {
                return false;
            }
            if self.window.enter(bytes) {
                return true;
            }
            self.full.store(true, Ordering::SeqCst);
            // Half of it may have become free in between: whoever made it so did not see the flag.
            if !self.window.wakes(self.window.used()) {
                return false;
            }
            self.half_free();
        }
    }

    /// Lets records enter again. The largest is at most half of the window, so that it fits now.
    fn half_free(&self) {
        self.full.store(false, Ordering::SeqCst);
        self.wake.notify_waiters();
    }

    /// Waits until half of the window is free, or nothing is taken any more.
    async fn room(&self) {
        let room = || !self.full.load(Ordering::SeqCst) || self.is(CLOSING);
        self.wait_until(room).await;
    }

    async fn wait_until(&self, done: impl Fn() -> bool) {
        let _waiting = Counting::new(&self.waiting);
        loop {
            // Made before the look: `notify_waiters` reaches a future that was made, polled or not.
            let woken = self.wake.notified();
            if done() {
                return;
            }
            woken.await;
        }
    }

    /// Gives a record's room back and wakes whoever waits for what is now so.
    fn leave(&self, bytes: u64) {
        let used = self.window.leave(bytes);
        if self.full.load(Ordering::SeqCst) && self.window.wakes(used) {
            self.half_free();
        }
        if used.records == 0 && self.waiting.load(Ordering::SeqCst) > 0 {
            self.wake.notify_waiters();
        }
    }
}

/// Without the value of a property: it may be a password.
fn start_error(error: KafkaError) -> StartError {
    match error {
        KafkaError::ClientConfig(_, why, property, _) => {
            StartError::Property { property, why }
        }
        error => StartError::Client(error),
    }
}

/// Counts somebody for as long as it lives, also when its future is dropped.
struct Counting<'a>(&'a AtomicUsize);

impl<'a> Counting<'a> {
    fn new(count: &'a AtomicUsize) -> Counting<'a> {
        count.fetch_add(1, Ordering::SeqCst);
        Counting(count)
    }
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Takes reports until the last handle is gone or the producer is closed.
fn run(shared: &Shared) {
    /// Says that the thread is gone, also when a handler panics: nobody waits for it then.
    struct Ended<'a>(&'a State);
    impl Drop for Ended<'_> {
        fn drop(&mut self) {
            self.0.advance(ENDED);
        }
    }
    let state = &shared.state;
    let _ended = Ended(state);
    while !state.is(ENDING) {
        shared.client.poll(POLL);
    }
    // A send that passed its check of the phase may still queue a record: purge until none is left.
    while state.window.used().records > 0 {
        shared.client.purge(PurgeConfig::default().queue().inflight());
        shared.client.poll(Duration::ZERO);
    }
}

/// What librdkafka calls, on the polling thread alone.
struct Context {
    state: Arc<State>,
    handler: Box<dyn Fn(Outcome) + Send + Sync>,
    meter: Meter,
}

impl ClientContext for Context {
    fn error(&self, error: KafkaError, reason: &str) {
        use RDKafkaErrorCode as Code;
        if let Some(
            Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::SSL
            | Code::Authentication,
        ) = error.rdkafka_error_code()
        {
            self.meter.connection_error();
        }
        tracing::warn!(%error, reason, "the client has an error");
    }
}

impl ProducerContext for Context {
    /// The caller's number travels through librdkafka as it is: nothing is allocated for it.
    type DeliveryOpaque = usize;

    fn delivery(&self, report: &DeliveryResult<'_>, token: usize) {
        let (record, result) = match report {
            Ok(record) => {
                let place = Place {
                    partition: record.partition(),
                    offset: record.offset(),
                };
                (record, Ok(place))
            }
            Err((error, record)) => (record, Err(delivery_error(error))),
        };
        if self.state.is(ENDING)
            && let Err(error) = result
            && matches!(
                error.code,
                RDKafkaErrorCode::PurgeQueue
                    | RDKafkaErrorCode::PurgeInflight
            )
        {
            self.state.given_up.fetch_add(1, Ordering::SeqCst);
        }
        // A handler that panicked once is not called again, by whoever drops the client.
        if !self.state.is(ENDED) {
            (self.handler)(Outcome { token, result });
        }
        let due =
            self.meter.report(result.err().map(|error| error.class()));
        let used = self.state.window.used();
        // Before the room is free, so that after `flush` the counters hold everything.
        if due || used.records == 1 {
            if let Some(seconds) = age(record) {
                self.meter.latency(seconds);
            }
            self.meter.publish();
        }
        self.state.leave(bytes(
            record.key(),
            record.payload(),
            record.headers(),
        ));
    }
}

/// What a record takes of the window: it is counted when it enters, and from the report when it leaves.
fn bytes<H: Headers>(
    key: Option<&[u8]>,
    payload: Option<&[u8]>,
    headers: Option<&H>,
) -> u64 {
    let len = |part: Option<&[u8]>| part.map_or(0, <[u8]>::len);
    let headers = headers.map_or(0, |headers| {
        let sizes = headers.iter().map(|h| h.key.len() + len(h.value));
        sizes.sum()
    });
    (len(key) + len(payload) + headers) as u64
}

/// Seconds since librdkafka stamped the record. A broker that stamps records itself hides that.
fn age(record: &BorrowedMessage<'_>) -> Option<f64> {
    let Timestamp::CreateTime(then) = record.timestamp() else {
        return None;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let age =
        now.checked_sub(Duration::from_millis(u64::try_from(then).ok()?))?;
    Some(age.as_secs_f64())
}

fn delivery_error(error: &KafkaError) -> DeliveryError {
    DeliveryError {
        code: error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody overtakes who waits: one free place is for nobody, half of the window for all.
    #[test]
    fn a_full_window_takes_nothing_before_half_is_free() {
        let state = State::new(Window::new(4, 1000));
        for _ in 0..4 {
            assert!(state.enter(10));
        }
        assert!(!state.enter(10), "it is full");
        state.leave(10);
        assert!(!state.enter(10), "three of four are left");
        state.leave(10);
        assert!(state.enter(10), "two of four are left");
    }

    #[test]
    fn a_window_that_was_never_full_gives_each_place_anew() {
        let state = State::new(Window::new(4, 1000));
        for _ in 0..4 {
            assert!(state.enter(10));
        }
        state.leave(10);
        assert!(state.enter(10));
    }
}
