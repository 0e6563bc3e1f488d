//! What the handles and the thread share: the room that is left, who waits for it, and how far the end is.

use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering,
};

use tokio::sync::Notify;

use crate::window::Window;

/// What the delivery callback needs too: it cannot own the client that owns it.
pub(crate) struct State {
    pub(crate) window: Window,
    /// Whether the window was found full and is not half free again.
    full: AtomicBool,
    /// Everybody who waits, for room or for nothing to be under way.
    wake: Notify,
    /// How many wait. Without it each report would take `wake`'s lock.
    waiting: AtomicUsize,
    /// [`OPEN`], [`CLOSING`], [`ENDING`] or [`ENDED`]; it only grows.
    phase: AtomicU8,
    /// Records that were purged, since [`ENDING`], and whose outcomes were handled.
    pub(crate) given_up: AtomicU64,
    /// Whether the thread has [`ENDED`] because a handler panicked: what is in the window has no outcome.
    panicked: AtomicBool,
    /// Whether the last handle is gone, and holds the client no more.
    abandoned: AtomicBool,
}

pub(crate) const OPEN: u8 = 0;
/// Nothing is taken; what is under way goes on.
pub(crate) const CLOSING: u8 = 1;
/// What is under way is given up.
pub(crate) const ENDING: u8 = 2;
/// No handler is called any more. Each record has had its outcome, unless a handler panicked.
pub(crate) const ENDED: u8 = 3;

impl State {
    pub(crate) fn new(window: Window) -> State {
        State {
            window,
            full: AtomicBool::new(false),
            wake: Notify::new(),
            waiting: AtomicUsize::new(0),
            phase: AtomicU8::new(OPEN),
            given_up: AtomicU64::new(0),
            panicked: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
        }
    }

    pub(crate) fn is(&self, phase: u8) -> bool {
        self.phase.load(Ordering::SeqCst) >= phase
    }

    pub(crate) fn advance(&self, phase: u8) {
        self.phase.fetch_max(phase, Ordering::SeqCst);
        self.wake.notify_waiters();
    }

    /// The thread takes no reports any more.
    pub(crate) fn end(&self, panicked: bool) {
        self.panicked.store(panicked, Ordering::SeqCst);
        self.advance(ENDED);
    }

    pub(crate) fn panicked(&self) -> bool {
        self.panicked.load(Ordering::SeqCst)
    }

    /// How many records will never have an outcome, once the thread has [`ENDED`].
    ///
    /// After an orderly end what is in the window is no record: a `send` that began before takes room, finds
    /// the producer closed, and leaves.
    pub(crate) fn missed(&self) -> u64 {
        if self.panicked() { self.window.used().records } else { 0 }
    }

    /// The last handle is gone.
    pub(crate) fn abandon(&self) {
        self.advance(ENDING);
        self.abandoned.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::SeqCst)
    }

    /// Takes room for a record, unless the window is full or was and is not half free again.
    pub(crate) fn enter(&self, bytes: u64) -> bool {
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
    pub(crate) async fn room(&self) {
        let room = || !self.full.load(Ordering::SeqCst) || self.is(CLOSING);
        self.wait_until(|| room().then_some(())).await;
    }

    /// Waits until `done` has an answer, and gives that one: a second look may find something else.
    pub(crate) async fn wait_until<T>(
        &self,
        done: impl Fn() -> Option<T>,
    ) -> T {
        let _waiting = Counting::new(&self.waiting);
        loop {
            // Made before the look: `notify_waiters` reaches a future that was made, polled or not.
            let woken = self.wake.notified();
            if let Some(answer) = done() {
                return answer;
            }
            woken.await;
        }
    }

    /// Gives a record's room back and wakes whoever waits for what is now so.
    pub(crate) fn leave(&self, bytes: u64) {
        let used = self.window.leave(bytes);
        if self.full.load(Ordering::SeqCst) && self.window.wakes(used) {
            self.half_free();
        }
        if used.records == 0 && self.waiting.load(Ordering::SeqCst) > 0 {
            self.wake.notify_waiters();
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// One free place is for nobody: who waits is asleep then, and whoever comes new would take each. Half of
    /// the window is for all, and nothing says who is first.
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
