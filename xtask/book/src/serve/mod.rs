//! The book in a browser, on this machine alone: built again when a file is saved, with runs that
//! pages can start.
//!
//! [`gate`](mod@gate) decides who may ask; `pages` serves what `watch` has built; `live` answers what pages
//! ask beside that; `runs` starts chapters, whose output `output` reads, each held by a [`leash`](mod@leash).

pub mod gate;
pub mod leash;
mod live;
mod output;
mod pages;
mod runs;
mod watch;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch as latest;

use crate::serve::gate::Gate;
use crate::serve::live::Desk;
use crate::serve::pages::Status;
use crate::serve::runs::{Programs, Runs};
use crate::serve::watch::Builder;

/// The port where the book is, if nobody else is there: what a browser keeps for the book, such as
/// answers to questions, it keeps for an address, so that should not change.
pub const PORT: u16 = 3092;

/// How to serve.
#[derive(Debug)]
pub struct Settings {
    /// The workspace's root.
    pub root: PathBuf,
    /// The port to listen at, 0 for any; `None`: [`PORT`], or any if that is taken.
    pub port: Option<u16>,
    /// Open the book in the browser.
    pub open: bool,
    /// The program that runs chapters.
    pub xtask: PathBuf,
    /// The program that holds runs on a leash.
    pub leash: PathBuf,
}

/// Serves the book until SIGINT, SIGTERM or SIGHUP; then ends the runs, and returns when they have ended.
///
/// # Errors
/// The port is taken, or the files cannot be watched.
pub fn serve(settings: &Settings) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("no threads can be started")?;
    runtime.block_on(serve_until_signal(settings))
}

async fn serve_until_signal(settings: &Settings) -> Result<()> {
    // Before anything is started: a signal that comes early must not leave a run behind.
    let mut signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
        .map(signal)
        .into_iter()
        .collect::<std::io::Result<Vec<_>>>()
        .context("no signal can be watched")?;
    let root = settings
        .root
        .canonicalize()
        .with_context(|| format!("{} cannot be opened", settings.root.display()))?;
    let listener = listen(settings.port).await?;
    let address = listener.local_addr().context("the server has no address")?;
    let gate = Gate::new(address.port()).context("the system gives no random numbers")?;
    let start = gate::random_hex::<4>().context("the system gives no random numbers")?;

    let (status, told) =
        latest::channel(Status { build: format!("{start}-0"), ..Status::default() });
    // No two servers have one port, so none writes where another does.
    let folder = root.join("target").join("book-serve").join(address.port().to_string());
    let builder = Builder::new(&root, &folder, start, status);
    tokio::task::spawn_blocking(move || builder.start())
        .await
        .context("building the book failed")??;

    let runs = Arc::new(Runs::new(Programs {
        root,
        xtask: settings.xtask.clone(),
        leash: settings.leash.clone(),
    }));
    let desk = Desk { gate: Arc::new(gate), status: told, runs: Arc::clone(&runs) };
    let server = axum::serve(listener, live::router(desk));
    println!("http://{address}/");
    eprintln!("The book is at http://{address}/ and follows its files. Ctrl-C ends it.");
    if settings.open
        && let Err(error) = open::that_detached(format!("http://{address}/"))
    {
        eprintln!("warning: no browser could be opened ({error}): open the address yourself");
    }

    let mut signal =
        futures::future::select_all(signals.iter_mut().map(|one| Box::pin(one.recv())));
    tokio::select! {
        served = server.into_future() => return served.context("the server failed"),
        _ = &mut signal => {}
    }
    if runs.count() > 0 {
        eprintln!("Ending what pages have started.");
    }
    runs.stop_all().await;
    Ok(())
}

async fn listen(port: Option<u16>) -> Result<TcpListener> {
    let at = |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    if let Some(port) = port {
        return at(port).await.with_context(|| {
            format!("127.0.0.1:{port} cannot be had: choose another --port, or leave it out")
        });
    }
    match at(PORT).await {
        Ok(listener) => Ok(listener),
        Err(error) => {
            let listener = at(0).await.context("no port can be had")?;
            eprintln!(
                "Port {PORT} cannot be had ({error}), so the book is at another address. \
                 What your browser keeps for the book, such as progress, belongs to the usual one."
            );
            Ok(listener)
        }
    }
}
