//! One broker of a local cluster: its folder, its process, and what can be done to it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::net::TcpSocket;
use tokio::time::{Instant, sleep, timeout};

use super::cluster::Ready;
use super::error::LocalError;
use super::guardian::Guarded;
use super::install::CHECKPOINT;
use super::options::LocalOptions;
use super::question::ask;
use super::settings::{self, HOST, INTERNAL, Node};
use super::usage;

/// How many lines of a broker's log an error shows.
const LAST_LINES: usize = 12;

/// How far apart two looks at a starting broker's log are.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// How often a start is tried when a port that was free is taken a moment later.
pub(crate) const TRIES: usize = 5;

/// What all brokers of a cluster start with.
#[derive(Debug)]
pub(crate) struct Plan {
    pub ready: Ready,
    pub options: LocalOptions,
    /// The controllers' ports, in the order of the brokers' numbers.
    pub controllers: Vec<u16>,
}

/// One broker. Get it from [`LocalCluster::broker`](super::LocalCluster::broker).
#[derive(Debug)]
pub struct Broker {
    id: u32,
    folder: PathBuf,
    plan: Arc<Plan>,
    state: Mutex<State>,
    /// Held by whoever changes the process, so that two changes come one after the other.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// The process that runs, or the one that ran last: its guardian keeps the folder.
    process: Option<Guarded>,
    /// The port of each listener, once it is known.
    ports: BTreeMap<String, u16>,
    paused: bool,
    /// How long the log was, in bytes, when the process was started: what ran before wrote those.
    log_from: usize,
    /// While the broker is down: its ports, bound and not listened on, so that clients are refused
    /// and the system gives them to no other program. (A program that asks for one by its number may
    /// get it.) On Linux until the broker listens again; elsewhere until its start, which takes a
    /// second or two until it has bound them.
    held: Vec<TcpSocket>,
}

impl Broker {
    /// Makes the folder of a new node, as `StorageTool format` would.
    pub(crate) fn create(
        id: u32,
        cluster: &Path,
        plan: Arc<Plan>,
    ) -> Result<Broker, LocalError> {
        let folder = cluster.join(format!("node-{id}"));
        let data = folder.join("data");
        for path in [&data, &folder.join("tmp")] {
            std::fs::create_dir_all(path)
                .map_err(LocalError::file("create the folder", path))?;
        }
        let checkpoint = data.join(CHECKPOINT);
        std::fs::copy(plan.ready.kafka.checkpoint(), &checkpoint)
            .map_err(LocalError::file("write", &checkpoint))?;
        write(
            &data.join("meta.properties"),
            &settings::meta_properties(id),
        )?;
        write(&folder.join("log4j2.properties"), settings::LOG4J)?;
        let ports = plan
            .options
            .client_ports
            .get(&id)
            .map(|port| (plan.options.listeners[0].name.clone(), *port))
            .into_iter()
            .collect();
        let state = Mutex::new(State { ports, ..State::default() });
        Ok(Broker {
            id,
            folder,
            plan,
            state,
            turn: tokio::sync::Mutex::new(()),
        })
    }

    /// Its number, from 1.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The process id of its JVM, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.state()
            .process
            .as_ref()
            .filter(|process| process.is_alive())
            .map(Guarded::pid)
    }

    /// The address (`host:port`) that it listens on for clients of the first listener. With a proxy
    /// in front this is where the proxy connects to.
    pub fn address(&self) -> String {
        self.address_of(&self.plan.options.listeners[0].name)
            .unwrap_or_default()
    }

    /// The address that it listens on for this listener, if it has one.
    pub fn address_of(&self, listener: &str) -> Option<String> {
        self.state()
            .ports
            .get(listener)
            .map(|port| format!("{HOST}:{port}"))
    }

    /// The address that it tells clients of the first listener.
    pub(crate) fn advertised(&self) -> String {
        self.plan
            .options
            .advertised
            .get(&self.id)
            .cloned()
            .unwrap_or_else(|| self.address())
    }

    /// Its folder: properties, log, data. Removed when the cluster ends, unless it is kept.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file that it logs to.
    pub fn log_file(&self) -> PathBuf {
        self.folder.join("broker.log")
    }

    /// The last `lines` lines of its log; empty if there is none.
    pub fn log_tail(&self, lines: usize) -> String {
        let log = text(&self.log_bytes(), 0);
        let all: Vec<&str> = log.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Kills it with SIGKILL, which it cannot answer to: as if the machine lost power, but for what
    /// the operating system had already taken to write. Returns when the process is gone.
    ///
    /// Its folder stays for [`restart`](Self::restart), and its port is refused until then.
    ///
    /// # Errors
    ///
    /// [`LocalError::NotRunning`] if it is gone already, [`LocalError::StillRunning`] if the system
    /// does not end it in time.
    ///
    /// # Cancellation
    ///
    /// Changes of a broker come one after the other: before its turn nothing is sent. Afterwards
    /// dropping the future only stops the waiting: the process ends all the same, but nobody holds its
    /// ports until the restart, so that another program may get one.
    pub async fn kill(&self) -> Result<(), LocalError> {
        let _turn = self.turn.lock().await;
        self.signal(Signal::SIGKILL)?;
        self.wait_end(self.plan.options.patience).await
    }

    /// Stops it in the orderly way, by SIGTERM: it hands its partitions over and flushes its logs.
    /// Returns when the process is gone.
    ///
    /// # Errors
    ///
    /// [`LocalError::NotRunning`] if it is gone already, [`LocalError::StillRunning`] if it does not
    /// end in time (a broker that cannot reach a quorum may take long).
    ///
    /// # Cancellation
    ///
    /// As [`kill`](Self::kill).
    pub async fn stop(&self) -> Result<(), LocalError> {
        let _turn = self.turn.lock().await;
        self.stop_in_turn().await
    }

    async fn stop_in_turn(&self) -> Result<(), LocalError> {
        self.signal(Signal::SIGTERM)?;
        // A process that is stopped takes the other signal when it continues.
        self.signal_if_running(Signal::SIGCONT)?;
        self.wait_end(self.plan.options.patience).await
    }

    /// Freezes it with SIGSTOP: it holds its connections and answers nothing, like a machine that
    /// hangs or a very long pause of the garbage collector.
    ///
    /// It serves nothing any more when this returns: all its threads have stopped, for which a busy
    /// machine may need some milliseconds.
    ///
    /// # Errors
    ///
    /// [`LocalError::NotRunning`] if it is gone.
    ///
    /// # Cancellation
    ///
    /// Before its turn, as with [`kill`](Self::kill), nothing is sent. Afterwards dropping the future
    /// only stops the waiting: the broker freezes all the same.
    pub async fn pause(&self) -> Result<(), LocalError> {
        let _turn = self.turn.lock().await;
        let frozen = {
            let mut state = self.state();
            state.paused = state.process.is_some();
            state.process.as_ref().map(Guarded::freeze)
        };
        let stopped = match frozen {
            Some(frozen) => frozen.await,
            None => Ok(false),
        };
        match stopped {
            Ok(true) => Ok(()),
            Ok(false) => Err(LocalError::NotRunning { id: self.id }),
            Err(source) => Err(LocalError::Signal { id: self.id, source }),
        }
    }

    /// Lets a frozen broker go on, with SIGCONT.
    ///
    /// # Errors
    ///
    /// [`LocalError::NotRunning`] if it is gone.
    pub fn resume(&self) -> Result<(), LocalError> {
        self.signal(Signal::SIGCONT)?;
        self.state().paused = false;
        Ok(())
    }

    /// Starts it again with the same folder and ports, stopped in the orderly way first if it runs.
    /// Returns when it is among the brokers that it names itself: registered anew, and caught up
    /// with the cluster's metadata. (Its replicas may still be catching up: see
    /// [`LocalCluster::wait_for_in_sync`](super::LocalCluster::wait_for_in_sync).)
    ///
    /// # Errors
    ///
    /// As a [`stop`](Self::stop), if it runs; and as a start: [`LocalError::Ended`],
    /// [`LocalError::NotReady`], and [`LocalError::PortTaken`] if another program has one of its
    /// ports at every one of five tries.
    ///
    /// # Cancellation
    ///
    /// The broker may run, or not, when the future is dropped; another `restart` mends that.
    pub async fn restart(&self) -> Result<(), LocalError> {
        let _turn = self.turn.lock().await;
        if self.pid().is_some() {
            self.stop_in_turn().await?;
        }
        let deadline = Instant::now() + self.plan.options.patience;
        let mut tries = 0;
        loop {
            tries += 1;
            self.spawn()?;
            match self.listening(deadline).await {
                // Who took it for an outgoing connection may be done with it by now.
                Err(LocalError::PortTaken { address }) if tries < TRIES => {
                    tracing::debug!(
                        address,
                        "taken while the broker was down: once more"
                    );
                }
                result => break result?,
            }
        }
        self.ready(&[self.id], deadline).await
    }

    /// The memory that its process holds now, in bytes.
    pub fn rss_bytes(&self) -> Option<u64> {
        usage::rss_bytes(self.pid()?)
    }

    /// The CPU time that its process has used so far, in seconds.
    pub fn cpu_seconds(&self) -> Option<f64> {
        usage::cpu_seconds(self.pid()?)
    }

    /// Starts the process; the ports that are known are used again.
    pub(crate) fn spawn(&self) -> Result<(), LocalError> {
        let plan = &*self.plan;
        let mut state = self.state();
        let node = Node {
            id: self.id,
            controllers: &plan.controllers,
            ports: &state.ports,
            folder: &self.folder,
        };
        let properties = settings::properties(&node, &plan.options);
        write(
            &self.folder.join("server.properties"),
            &settings::text(&properties),
        )?;
        let mut command: Vec<OsString> =
            vec![plan.ready.java.program.clone().into()];
        let archive = plan.ready.archive.as_deref();
        command.extend(settings::java_arguments(
            &self.folder,
            plan.ready.kafka.class_path(),
            archive,
            &plan.options,
        ));
        // On Linux a socket that does not listen is no obstacle to one that will.
        if !cfg!(target_os = "linux") {
            state.held.clear();
        }
        state.log_from = std::fs::metadata(self.log_file())
            .map_or(0, |log| log.len() as usize);
        let process =
            Guarded::start(&command, &self.folder, plan.options.keep)
                .map_err(LocalError::Guardian)?;
        state.paused = false;
        if let Some(last) = state.process.replace(process) {
            last.leave();
        }
        Ok(())
    }

    /// Waits until the log says that every listener is open, and which ports the system gave.
    ///
    /// A port that was given is opened late, when the broker already answers on the others.
    pub(crate) async fn listening(
        &self,
        deadline: Instant,
    ) -> Result<(), LocalError> {
        let listeners = self
            .plan
            .options
            .listeners
            .iter()
            .map(|listener| listener.name.as_str());
        let names: Vec<&str> = listeners.chain([INTERNAL]).collect();
        loop {
            let log = self.log();
            let missing = {
                let mut state = self.state();
                state.ports.extend(settings::ports_in_log(&log));
                let open = |name: &&&str| {
                    state
                        .ports
                        .get(**name)
                        .is_some_and(|port| settings::is_open(&log, *port))
                };
                names.iter().find(|name| !open(name))
            };
            let Some(missing) = missing else {
                self.state().held.clear();
                return Ok(());
            };
            self.still_starting(
                deadline,
                &format!("its listener {missing} is not open yet"),
            )?;
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits until this broker names all of `brokers`, each alive, and itself at the right port.
    pub(crate) async fn ready(
        &self,
        brokers: &[u32],
        deadline: Instant,
    ) -> Result<(), LocalError> {
        let own =
            (self.id as i32, self.address_of(INTERNAL).unwrap_or_default());
        let patience = Duration::from_secs(2);
        loop {
            let seen = match ask(own.1.clone(), None, patience).await {
                Ok(view) => {
                    let all = brokers.iter().all(|id| {
                        view.brokers
                            .iter()
                            .any(|(seen, _)| *seen == *id as i32)
                    });
                    if all && view.brokers.contains(&own) {
                        return Ok(());
                    }
                    format!("it names the brokers {:?}", view.brokers)
                }
                Err(error) => error.to_string(),
            };
            self.still_starting(deadline, &seen)?;
            sleep(LOOK_AGAIN).await;
        }
    }

    /// An error if the broker has ended, or if the deadline has passed.
    fn still_starting(
        &self,
        deadline: Instant,
        seen: &str,
    ) -> Result<(), LocalError> {
        let end = self
            .state()
            .process
            .as_ref()
            .map(|process| *process.end().borrow());
        let Some(end) = end else {
            return Err(LocalError::NotRunning { id: self.id });
        };
        let log = || settings::telling_lines(&self.log(), LAST_LINES);
        if let Some(end) = end {
            return Err(match settings::taken_address(&self.log()) {
                Some(address) => LocalError::PortTaken { address },
                None => LocalError::Ended {
                    id: self.id,
                    exit_code: end.code,
                    log: log(),
                },
            });
        }
        if Instant::now() > deadline {
            let waited = self.plan.options.patience;
            return Err(LocalError::NotReady {
                id: self.id,
                waited,
                seen: seen.to_owned(),
                log: log(),
            });
        }
        Ok(())
    }

    /// True if it runs and is not frozen.
    pub(crate) fn answers(&self) -> bool {
        let state = self.state();
        !state.paused
            && state.process.as_ref().is_some_and(Guarded::is_alive)
    }

    /// Begins to end the process and its guardian, without waiting.
    pub(crate) fn begin_end(&self) {
        if let Some(process) = &self.state().process {
            process.begin_end();
        }
    }

    /// Takes the process: who drops it ends it.
    pub(crate) fn take(&self) -> Option<Guarded> {
        let mut state = self.state();
        state.held.clear();
        state.process.take()
    }

    fn signal(&self, signal: Signal) -> Result<(), LocalError> {
        if self.signal_if_running(signal)? {
            Ok(())
        } else {
            Err(LocalError::NotRunning { id: self.id })
        }
    }

    fn signal_if_running(
        &self,
        signal: Signal,
    ) -> Result<bool, LocalError> {
        match &self.state().process {
            None => Ok(false),
            Some(process) => process.signal(signal).map_err(|source| {
                LocalError::Signal { id: self.id, source }
            }),
        }
    }

    /// Waits until the process is gone, then holds its ports.
    async fn wait_end(&self, patience: Duration) -> Result<(), LocalError> {
        let Some(mut end) = self.state().process.as_ref().map(Guarded::end)
        else {
            return Ok(());
        };
        let gone = timeout(patience, end.wait_for(Option::is_some)).await;
        if gone.is_err() {
            return Err(LocalError::StillRunning {
                id: self.id,
                waited: patience,
            });
        }
        let mut state = self.state();
        let controller =
            self.plan.controllers.get(self.id as usize - 1).into_iter();
        state.held = state
            .ports
            .values()
            .chain(controller)
            .filter_map(|port| hold(*port))
            .collect();
        Ok(())
    }

    /// What the process that was started last has logged.
    fn log(&self) -> String {
        let from = self.state().log_from;
        text(&self.log_bytes(), from)
    }

    /// Everything that is in its log; nothing if there is none.
    fn log_bytes(&self) -> Vec<u8> {
        std::fs::read(self.log_file()).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Binds a port and does not listen. If that fails the port is merely not reserved.
fn hold(port: u16) -> Option<TcpSocket> {
    let socket = TcpSocket::new_v4().ok()?;
    // The killed broker's connections may still be closing.
    socket.set_reuseaddr(true).ok()?;
    socket.bind(std::net::SocketAddr::from(([127, 0, 0, 1], port))).ok()?;
    Some(socket)
}

/// What is in a log from this byte on. What is no text in it is no reason to show nothing.
fn text(log: &[u8], from: usize) -> String {
    // Cut first: in the text that stands for other bytes a place has another number.
    let log = log.get(from..).unwrap_or_default();
    String::from_utf8_lossy(log).into_owned()
}

fn write(path: &Path, text: &str) -> Result<(), LocalError> {
    std::fs::write(path, text).map_err(LocalError::file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_cut_where_the_process_began_it() {
        let before = b"caf\xe9 of the last process\n";
        let log = [before.as_slice(), b"st\xfcck\n"].concat();
        assert_eq!(text(&log, before.len()), "st\u{fffd}ck\n");
        assert_eq!(text(&log, 0).lines().count(), 2);
        assert_eq!(text(&log, log.len() + 1), "", "somebody cut the file");
    }
}
