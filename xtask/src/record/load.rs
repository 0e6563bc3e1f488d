//! Busy processors: a run that comes out equal on a quiet machine only is not recorded well.

use std::hint::black_box;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, available_parallelism, spawn};

/// One busy thread for each processor, until it is dropped.
pub struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts them.
    pub fn start() -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let busy = |stop: Arc<AtomicBool>| {
            move || {
                let mut number = 1_u64;
                while !stop.load(Ordering::Relaxed) {
                    number =
                        black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
                }
            }
        };
        let processors = available_parallelism().map_or(1, NonZero::get);
        let threads = (0..processors).map(|_| spawn(busy(Arc::clone(&stop)))).collect();
        Load { stop, threads }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_ends_with_the_load() {
        let load = Load::start();
        let stop = Arc::clone(&load.stop);
        assert!(!load.threads.is_empty());
        drop(load);
        // Each thread held one; they are gone.
        assert_eq!(Arc::strong_count(&stop), 1);
    }
}
