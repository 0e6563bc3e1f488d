//! One connection: two directions, each a queue of bytes with the time at which they arrive.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::faults::{Direction, Shared, State, Then, lock};
use super::frames::{Frames, Head};
use super::link::Arrivals;
use super::reset;

/// How long a connection that was cut goes on reading, so that the other side sees the FIN and not
/// a reset: closing a socket with unread bytes resets it.
const LINGER: Duration = Duration::from_secs(1);

/// A client's connection, and from [`Connection::run`] on the one to the broker.
pub(super) struct Connection {
    client: TcpStream,
    shared: Arc<Shared>,
    /// Counts the connection as open for as long as it is there.
    open: Open,
    state: watch::Receiver<State>,
    /// The count of ends when it was taken in: a higher one ends it.
    born: u64,
}

/// Counts an end when dropped: a connection may end by running out, or by being aborted.
struct Open {
    shared: Arc<Shared>,
    number: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.count_end();
    }
}

impl Connection {
    pub(super) fn new(client: TcpStream, shared: Arc<Shared>) -> Self {
        let number = shared.count_connection();
        let open = Open { shared: Arc::clone(&shared), number };
        let state = shared.state.subscribe();
        let born = state.borrow().ends;
        Connection { client, shared, open, state, born }
    }

    /// Carries bytes until both sides have closed, one of them breaks, or a fault ends it.
    pub(super) async fn run(mut self) {
        let mut ended = self.state.clone();
        let born = self.born;
        let broker = tokio::select! {
            how = end(&mut ended, born) => return close(self.client, None, how).await,
            broker = self.dial() => broker,
        };
        let Ok(mut broker) = broker else {
            // What a client sees when nobody listens at the broker's address.
            return reset(&self.client);
        };
        // A proxy that gathers bytes would add a delay that nobody asked for.
        let _ = self.client.set_nodelay(true);
        let _ = broker.set_nodelay(true);

        let how = {
            let lost_answer = LostAnswer::default();
            let (from_client, to_client) = self.client.split();
            let (from_broker, to_broker) = broker.split();
            let pump = |direction| {
                let seed = self.shared.seed
                    ^ (self.open.number << 1 | direction as u64);
                Pump {
                    direction,
                    shared: &self.shared,
                    state: self.state.clone(),
                    lost_answer: &lost_answer,
                    frames: match direction {
                        Direction::ToBroker => Frames::requests(),
                        Direction::ToClient => Frames::answers(),
                    },
                    arrivals: Arrivals::new(seed),
                    queue: VecDeque::new(),
                    queued: 0,
                }
            };
            tokio::select! {
                how = end(&mut ended, born) => how,
                both = async {
                    tokio::try_join!(
                        pump(Direction::ToBroker).run(from_client, to_broker),
                        pump(Direction::ToClient).run(from_broker, to_client),
                    )
                } => match both {
                    Ok(_) => return,
                    Err(how) => how,
                },
            }
        };
        close(self.client, Some(broker), how).await;
    }

    /// Connects to the broker: once it is known where that is, and the way there is not dark.
    async fn dial(&mut self) -> std::io::Result<TcpStream> {
        let passable = |state: &State| {
            state.upstream.is_some()
                && !state.links[Direction::ToBroker as usize].blackhole
        };
        let upstream = self
            .state
            .wait_for(passable)
            .await
            .ok()
            .and_then(|state| state.upstream);
        match upstream {
            Some(upstream) => TcpStream::connect(upstream).await,
            None => Err(std::io::ErrorKind::NotConnected.into()),
        }
    }
}

/// Waits until all connections of this age are to end; says how.
async fn end(state: &mut watch::Receiver<State>, born: u64) -> Then {
    let how = state
        .wait_for(|state| state.ends > born)
        .await
        .ok()
        .map(|state| state.end);
    match how {
        Some(how) => how.unwrap_or(Then::Cut),
        // The sender lives in `Shared`, which this connection holds: it is never gone.
        None => pending().await,
    }
}

async fn close(client: TcpStream, broker: Option<TcpStream>, how: Then) {
    if how == Then::Reset {
        reset(&client);
        broker.as_ref().inspect(|broker| reset(broker));
        return;
    }
    let broker = async {
        if let Some(broker) = broker {
            close_in_order(broker).await;
        }
    };
    tokio::join!(close_in_order(client), broker);
}

async fn close_in_order(mut socket: TcpStream) {
    // An error means that the other side is gone already, which is what we want.
    let _ = socket.shutdown().await;
    let mut nowhere = tokio::io::sink();
    let _ =
        timeout(LINGER, tokio::io::copy(&mut socket, &mut nowhere)).await;
}

/// The request whose answer this connection is to lose, once it has been sent.
type LostAnswer = Mutex<Option<(i32, Then)>>;

/// What stands in a direction's queue.
enum Parcel {
    /// Bytes, and when they arrive.
    Bytes { arrival: Instant, bytes: Vec<u8>, written: usize },
    /// The sender has closed its half.
    Fin { arrival: Instant },
    /// Something happens when all before it has arrived.
    Then(Then),
}

/// One direction of one connection.
struct Pump<'a> {
    direction: Direction,
    shared: &'a Shared,
    state: watch::Receiver<State>,
    lost_answer: &'a LostAnswer,
    frames: Frames,
    arrivals: Arrivals,
    queue: VecDeque<Parcel>,
    /// Bytes in the queue.
    queued: usize,
}

impl Pump<'_> {
    /// Carries bytes until the sender has closed its half: `Ok`. `Err` says how to end both
    /// directions at once.
    async fn run(
        mut self,
        mut reader: impl AsyncRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) -> Result<(), Then> {
        let mut buffer = vec![0; super::link::CHUNK];
        let mut open = true;
        let mut heals = self.state.borrow().heals;
        loop {
            let state = *self.state.borrow_and_update();
            let link = state.links[self.direction as usize];
            if state.heals != heals {
                heals = state.heals;
                self.let_go();
            }
            let passable = !link.blackhole;
            let room =
                link.window().saturating_sub(self.queued).min(link.chunk());
            let now = Instant::now();
            let wait = match self.queue.front() {
                Some(
                    Parcel::Bytes { arrival, .. } | Parcel::Fin { arrival },
                ) => *arrival,
                _ => now,
            };
            let due = passable && wait <= now;
            if due {
                match self.queue.front() {
                    Some(Parcel::Fin { .. }) => {
                        // The other half goes on: a client may close its side and still read.
                        return writer
                            .shutdown()
                            .await
                            .map_err(|_| Then::Reset);
                    }
                    Some(Parcel::Then(then)) => {
                        let then = *then;
                        self.queue.pop_front();
                        match then {
                            Then::Blackhole => {
                                self.shared.blackhole(self.direction)
                            }
                            end => return Err(end),
                        }
                        continue;
                    }
                    _ => {}
                }
            }
            let unwritten = match self.queue.front() {
                Some(Parcel::Bytes { bytes, written, .. }) => {
                    &bytes[*written..]
                }
                _ => &[],
            };
            // Reading, writing and waiting can each be dropped half-way without losing a byte.
            // In this order: a fault that is set holds for the byte that comes after it, and what
            // can be handed on is, before more is taken in.
            tokio::select! {
                biased;
                changed = self.state.changed() => {
                    changed.map_err(|_| Then::Reset)?;
                }
                wrote = writer.write(unwritten), if due && !unwritten.is_empty() => {
                    self.wrote(wrote.map_err(|_| Then::Reset)?);
                }
                read = reader.read(&mut buffer[..room]), if open && passable && room > 0 => {
                    // An error is a reset by the sender: the receiver is to see one as well.
                    let n = read.map_err(|_| Then::Reset)?;
                    open = n > 0;
                    // Looked at again: what was set before these bytes were sent holds for them.
                    let link = self.state.borrow().links[self.direction as usize];
                    self.take(&buffer[..n], &link);
                }
                () = sleep_until(wait), if passable && wait > now => {}
            }
        }
    }

    /// Queues what was read, in parts where something is to happen between them.
    fn take(&mut self, bytes: &[u8], link: &super::Link) {
        if bytes.is_empty() {
            let arrival = self.arrivals.arrival(Instant::now(), link);
            self.queue.push_back(Parcel::Fin { arrival });
            return;
        }
        let at_answer = self.look(bytes);
        // Behind an answer that ends the connection nothing passes: what counts bytes goes on
        // counting with those of another connection.
        let passing = match at_answer {
            Some((at, Then::Cut | Then::Reset)) => at,
            Some((_, Then::Blackhole)) | None => bytes.len(),
        };
        let after_bytes = self.shared.admit(self.direction, passing);
        let mut stops = [after_bytes, at_answer];
        // Stable: at one and the same byte, the count of those before it was met first.
        stops.sort_by_key(|stop| stop.map(|(at, _)| at));
        let mut done = 0;
        for (at, then) in stops.into_iter().flatten() {
            self.push(&bytes[done..at], link);
            self.queue.push_back(Parcel::Then(then));
            done = at;
        }
        self.push(&bytes[done..], link);
    }

    fn push(&mut self, bytes: &[u8], link: &super::Link) {
        if bytes.is_empty() {
            return;
        }
        let sent = self.shared.send(
            self.direction,
            Instant::now(),
            bytes.len(),
            link,
        );
        let arrival = self.arrivals.arrival(sent, link);
        self.queued += bytes.len();
        self.queue.push_back(Parcel::Bytes {
            arrival,
            bytes: bytes.to_vec(),
            written: 0,
        });
    }

    /// Follows the protocol: notes a request whose answer is to be lost, and finds that answer.
    fn look(&mut self, bytes: &[u8]) -> Option<(usize, Then)> {
        let mut found = None;
        let (shared, lost_answer) = (self.shared, self.lost_answer);
        match self.direction {
            Direction::ToBroker => self.frames.look(bytes, |head: Head| {
                if let Some(then) = shared.at_answer_to(head.api_key) {
                    *lock(lost_answer) = Some((head.correlation_id, then));
                }
            }),
            Direction::ToClient => self.frames.look(bytes, |head: Head| {
                let is_it =
                    |lost: &mut (i32, Then)| lost.0 == head.correlation_id;
                if let Some((_, then)) = lock(lost_answer).take_if(is_it) {
                    found = Some((head.start, then));
                }
            }),
        }
        found
    }

    fn wrote(&mut self, n: usize) {
        self.shared.count_bytes(self.direction, n);
        self.queued -= n;
        if let Some(Parcel::Bytes { bytes, written, .. }) =
            self.queue.front_mut()
        {
            *written += n;
            if *written == bytes.len() {
                self.queue.pop_front();
            }
        }
    }

    /// All is healed: what waits for its time arrives now, and nothing happens between.
    fn let_go(&mut self) {
        let now = Instant::now();
        self.arrivals.forget();
        self.queue.retain(|parcel| !matches!(parcel, Parcel::Then(_)));
        // By the direction that notes them, so that one noted after healing is not forgotten.
        if self.direction == Direction::ToBroker {
            *lock(self.lost_answer) = None;
        }
        for parcel in &mut self.queue {
            if let Parcel::Bytes { arrival, .. } | Parcel::Fin { arrival } =
                parcel
            {
                *arrival = now.min(*arrival);
            }
        }
    }
}
