//! The producer: `send` waits for room, a thread takes the reports, a handler gets the outcomes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{
    BaseProducer, BaseRecord, Producer as _, PurgeConfig,
};
use tokio::time::timeout;

use crate::config::ProducerConfig;
use crate::error::{CloseError, SendError, StartError};
use crate::meter::Meter;
use crate::record::{Outcome, Record};
use crate::report::{Context, delivery_error};
use crate::state::{CLOSING, ENDED, ENDING, State};
use crate::window::{Used, Window};

/// How long the polling thread takes reports before it tells the counters, and looks whether somebody closes.
const POLL: Duration = Duration::from_millis(20);

/// An async producer. Clones are the same producer.
///
/// - **Bounded**: at most `window_records` and `window_bytes` are under way; [`send`](Producer::send)
///   waits while there is no room, without polling.
/// - **One outcome a record** that was taken, on the producer's own thread, unless the process ends.
/// - **In order**: records that one task sends to one partition stand there in that order, with
///   idempotence also after retries.
/// - **Dropped** with records under way, it gives them up, and their outcomes say so. Drop does not
///   wait: librdkafka's threads are waited for, and the handler is dropped, on the producer's own.
///   [`close`](Producer::close) waits.
#[derive(Clone)]
pub struct Producer {
    shared: Arc<Shared>,
    /// Behind `shared`: fields are dropped in order, so that whoever drops the last of these has let go of
    /// the client before.
    _handles: Arc<Handles>,
}

/// What the handles and the thread share. The thread drops it last: see [`run`].
struct Shared {
    /// Purging, sending and polling are calls of one client, from any thread.
    client: BaseProducer<Context>,
    state: Arc<State>,
    max_record_bytes: u64,
}

impl Shared {
    /// Takes reports for so long, then tells the counters of them.
    fn poll(&self, within: Duration) {
        self.client.poll(within);
        self.publish();
    }

    fn publish(&self) {
        self.client.client().context().meter.publish();
    }
}

/// Dropped with the last handle.
struct Handles {
    state: Arc<State>,
    thread: Thread,
}

impl Drop for Handles {
    fn drop(&mut self) {
        self.state.abandon();
        self.thread.unpark();
    }
}

impl Producer {
    /// Starts a producer whose outcomes go to `handler`.
    ///
    /// The handler runs on the producer's own thread and holds up all reports while it runs: let it
    /// count, or hand on without waiting. If it panics, the producer is closed. It is called before
    /// its record leaves the window, so that after [`flush`](Producer::flush) it has had all of them.
    ///
    /// It must not own a handle of its own producer: that handle would never be dropped, and the producer never
    /// end. Nor may it wait for [`send`](Producer::send): no room is given back while it runs. To send again, hand
    /// the token to a task that does.
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
            told: AtomicBool::new(false),
        };
        let mut client = ClientConfig::new();
        for (key, value) in config.properties() {
            client.set(key, value);
        }
        let client =
            client.create_with_context(context).map_err(start_error)?;
        let max_record_bytes = config.max_record_bytes.into();
        let shared = Arc::new(Shared {
            client,
            state: Arc::clone(&state),
            max_record_bytes,
        });
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("producer".to_owned())
            .spawn(move || run(&of_thread))
            .map_err(StartError::Thread)?;
        let thread = thread.thread().clone();
        let _handles = Arc::new(Handles { state, thread });
        Ok(Producer { shared, _handles })
    }

    /// Takes a record, once there is room for it. `Ok` says that it is queued, and no more.
    ///
    /// A window that was found full takes nothing before half of it is free, from anybody: who waits and
    /// who comes new then have the same chance, and nothing says whose turn is first. With room, `send`
    /// yields to the runtime now and then, as tokio's own channels do.
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
        // Other tasks get their turn, also while there is always room:
        // tokio asks for it after 128 sends in a row.
        tokio::task::coop::consume_budget().await;
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
    /// [`SendError::Closed`] when a handler panicked with records under way.
    ///
    /// # Cancellation
    ///
    /// Safe: a future that is dropped stops waiting, and the records go on.
    pub async fn flush(&self) -> Result<(), SendError> {
        let state = &self.shared.state;
        let flushed = state
            .wait_until(|| {
                // Before the count: a thread that ends later may still bring it to 0.
                let panicked = state.panicked();
                match state.window.used().records {
                    0 => Some(Ok(())),
                    _ if panicked => Some(Err(SendError::Closed)),
                    _ => None,
                }
            })
            .await;
        if flushed.is_ok() {
            // The polling thread may not have come to it yet.
            self.shared.publish();
        }
        flushed
    }

    /// Takes nothing more, waits for what is under way, and gives up what has no answer in time.
    ///
    /// `within` has to be longer than `linger`: the last batch lingers, as in [`flush`](Producer::flush).
    ///
    /// When this returns each record has had its outcome, and the handler is not called any more; it is
    /// dropped, and librdkafka's threads end, after the last handle. Only a handler that panicked gets no
    /// more outcomes; the records that it missed count as given up.
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
        state.wait_until(|| state.is(ENDED).then_some(())).await;
        let given_up =
            state.given_up.load(Ordering::SeqCst) + state.missed();
        if given_up == 0 {
            Ok(())
        } else {
            Err(CloseError { given_up, within })
        }
    }

    fn checked(&self, record: &Record<'_>) -> Result<u64, SendError> {
        self.open()?;
        let (bytes, limit) =
            (record.bytes_in_batch(), self.shared.max_record_bytes);
        if bytes > limit {
            Err(SendError::TooLarge { bytes, limit })
        } else {
            Ok(record.bytes())
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

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer")
            .field("under_way", &self.under_way())
            .finish_non_exhaustive()
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

/// What the producer's thread does. Dropping the client waits for librdkafka's threads, and whoever drops
/// a handle is not to wait for that: so this returns, and its thread lets go of the client, when no handle
/// is left.
fn run(shared: &Shared) {
    // A handler that panics ends its producer and nothing else: it has told its panic by now.
    let reports = catch_unwind(AssertUnwindSafe(|| report(shared)));
    // Of what came before a panic the counters were not told. A panic of theirs must not keep anybody waiting.
    let _ = catch_unwind(AssertUnwindSafe(|| shared.publish()));
    shared.state.end(reports.is_err());
    while !shared.state.is_abandoned() {
        thread::park();
    }
}

/// Takes reports until the last handle is gone or the producer is closed.
fn report(shared: &Shared) {
    let state = &shared.state;
    while !state.is(ENDING) {
        shared.poll(POLL);
    }
    // A send that passed its check of the phase may still queue a record: purge until none is left.
    while state.window.used().records > 0 {
        shared.client.purge(PurgeConfig::default().queue().inflight());
        shared.poll(Duration::ZERO);
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::pin::pin;

    use futures::FutureExt;

    use super::*;

    /// A `send` that began before the end takes room after it, finds the producer closed and leaves: nothing is
    /// lost, and `close` does not say so.
    #[tokio::test]
    async fn room_taken_after_the_end_is_no_record()
    -> Result<(), Box<dyn Error>> {
        let nobody_there = ProducerConfig::new("127.0.0.1:1");
        let producer = Producer::start(&nobody_there, |_| {})?;
        producer.close(Duration::ZERO).await?;
        assert!(producer.shared.state.enter(7));
        producer.close(Duration::ZERO).await?;
        // `flush` waits for that `send` to leave.
        let mut flush = pin!(producer.flush());
        assert!(flush.as_mut().now_or_never().is_none());
        let record = Record::new("orders", b"2 mugs!", 0);
        assert_eq!(producer.queue(record, 7), Err(SendError::Closed));
        assert_eq!(flush.now_or_never(), Some(Ok(())));
        Ok(())
    }
}
