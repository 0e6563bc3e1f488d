//! A TCP proxy with faults on demand, between clients and one broker.
//!
//! A Kafka client dials the address that a broker *advertises*, so a proxy only sits in the way
//! when its address is the advertised one. That is why [`Proxy::start`] knows its address before
//! there is a broker: advertise [`Proxy::address`], start the broker, then say where it listens
//! with [`Proxy::set_upstream`]. One proxy stands before one broker.
//!
//! ```no_run
//! use std::time::Duration;
//! use testbed::proxy::{Direction, Proxy};
//!
//! # async fn example(broker: std::net::SocketAddr) -> std::io::Result<()> {
//! let proxy = Proxy::start().await?;
//! // … start a broker that advertises proxy.address() …
//! proxy.set_upstream(broker);
//!
//! let slow = Duration::from_millis(40);
//! proxy.latency(Direction::ToClient, slow, slow / 4);
//! proxy.blackhole(Direction::ToClient); // answers vanish
//! proxy.heal();
//! # Ok(()) }
//! ```
//!
//! # What the faults are
//!
//! Every fault holds for connections that are there and for those to come, until [`Faults::heal`].
//!
//! - **Latency** delays each byte; **jitter** adds to that a seeded random part. TCP keeps bytes in
//!   order, so a late byte holds up those behind it.
//! - **Bandwidth** is shared by all connections of one direction, as a wire is.
//! - **Blackhole** is a partition in one direction. Packets vanish, and TCP sends them again until
//!   they arrive: so the proxy stops reading, the sender's buffers fill, and after `heal` every
//!   byte arrives, late and in order. (Bytes that were read and dropped would be a broken stream,
//!   which no network makes.) A new connection is accepted by this machine's kernel, and the broker
//!   does not hear of it while the direction to the broker is dark.
//! - **Cut** ends connections in order (FIN), as a process that exits does. **Reset** ends them
//!   with RST, as a host that lost its state does.
//! - **Refuse** resets each new connection at once. The port stays ours, so that nobody else gets it.
//! - **After so many bytes**, or **at the answer to a request** (an acknowledgement that gets lost):
//!   see [`Faults::after_bytes`] and [`Faults::at_answer`].

mod faults;
mod frames;
mod link;
mod pump;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

pub use self::faults::{Counts, Direction, Faults, Then};
pub use self::link::Link;

use self::faults::Shared;
use self::pump::Connection;

/// How long to wait after the system refused to accept a connection (no file handles, mostly):
/// without a pause the loop would spin on the same error.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running proxy. It and its connections end when it is dropped.
///
/// It has a thread of its own: a test that blocks its runtime's only thread, as many calls of
/// librdkafka do, does not stop the proxy through which that call goes.
///
/// All of [`Faults`] can be called on it; [`Proxy::faults`] gives a handle for elsewhere.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    faults: Faults,
    /// Dropped, it ends the thread.
    alive: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1. Connections wait until the upstream is set.
    ///
    /// # Errors
    ///
    /// What the system says when it has no port or no thread.
    pub async fn start() -> io::Result<Proxy> {
        Self::with_seed(0)
    }

    /// As [`start`](Proxy::start), with a seed of your own for the jitter, and without a runtime.
    ///
    /// The delays of the n-th connection follow from the seed and from n alone.
    ///
    /// # Errors
    ///
    /// What the system says when it has no port or no thread.
    pub fn with_seed(seed: u64) -> io::Result<Proxy> {
        let listener =
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _entered = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let shared = Arc::new(Shared::new(seed));
        let faults = Faults::new(Arc::clone(&shared));
        let (alive, mut ended) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("proxy".to_owned())
            .spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, shared) => {}
                    _ = &mut ended => {}
                }
            });
        })?;
        Ok(Proxy {
            address,
            faults,
            alive: Some(alive),
            thread: Some(thread),
        })
    }

    /// Where clients connect: what the broker is to advertise.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says where the broker listens. Connections that wait go there at once, later ones too;
    /// those that are open stay with the broker that they have.
    pub fn set_upstream(&self, broker: SocketAddr) {
        self.faults.shared().change(|state| state.upstream = Some(broker));
    }

    /// A handle on the faults, to be kept elsewhere. It outlives the proxy and then does nothing.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }
}

/// The faults' methods are the proxy's too.
impl Deref for Proxy {
    type Target = Faults;

    fn deref(&self) -> &Faults {
        &self.faults
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.alive.take();
        if let Some(thread) = self.thread.take() {
            // It has nothing to finish, so that this takes no time to speak of.
            let _ = thread.join();
        }
    }
}

/// Accepts until it is dropped. The `JoinSet` aborts every connection when it goes.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => take_in(client, &shared, &mut connections),
                Err(error) => {
                    tracing::warn!(%error, "the proxy cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            // Ended connections are let go of as they end, not kept until the proxy goes.
            Some(_) = connections.join_next() => {}
        }
    }
}

fn take_in(
    client: TcpStream,
    shared: &Arc<Shared>,
    connections: &mut JoinSet<()>,
) {
    if shared.refuses() {
        shared.count_refused();
        reset(&client);
        return;
    }
    connections.spawn(Connection::new(client, Arc::clone(shared)).run());
}

/// Makes the coming close of this socket a reset.
fn reset(socket: &TcpStream) {
    // This fails only on a socket that is gone already.
    let _ = socket.set_zero_linger();
}
