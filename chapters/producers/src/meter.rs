//! What the producer counts, through the `metrics` facade.
//!
//! A report only adds to a plain number that one thread writes; the facade is called once for many.
//! Without a recorder installed the facade's handles do nothing.

use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{
    Counter, Histogram, counter, describe_counter, describe_histogram,
    histogram,
};

use crate::error::Class;

/// Every so many reports, and whenever nothing is under way, the counts go to the facade.
const EVERY: u64 = 1024;

/// The counters of one producer. Their recorder is the one that is installed when this is made.
pub(crate) struct Meter {
    produced: Counted,
    failed: [Counted; 3],
    connection_errors: Counter,
    latency: Histogram,
    since: AtomicU64,
}

/// A number that only the polling thread changes, and how much of it the facade has.
struct Counted {
    counter: Counter,
    pending: AtomicU64,
}

impl Counted {
    fn new(counter: Counter) -> Counted {
        Counted { counter, pending: AtomicU64::new(0) }
    }

    /// A load and a store, and no locked instruction: reports come on one thread.
    fn add_one(&self) {
        let pending = self.pending.load(Ordering::Relaxed);
        self.pending.store(pending + 1, Ordering::Relaxed);
    }

    fn publish(&self) {
        let pending = self.pending.load(Ordering::Relaxed);
        if pending > 0 {
            self.counter.increment(pending);
            self.pending.store(0, Ordering::Relaxed);
        }
    }
}

impl Meter {
    pub(crate) fn new(client_id: &str) -> Meter {
        describe_counter!(
            "kafka_messages_produced_total",
            "Records that the broker acknowledged."
        );
        describe_counter!(
            "kafka_produce_errors_total",
            "Records that failed, by class."
        );
        describe_counter!(
            "kafka_connection_errors_total",
            "Connections to brokers that failed or were lost; a failure that repeats itself, once in 30 s."
        );
        describe_histogram!(
            "kafka_produce_duration_seconds",
            metrics::Unit::Seconds,
            "From send to report, of one record in 1024."
        );
        let client = client_id.to_owned();
        let failed = [Class::Retriable, Class::Record, Class::Fatal].map(|class| {
            let class = class.as_str();
            Counted::new(counter!("kafka_produce_errors_total", "client_id" => client.clone(), "class" => class))
        });
        Meter {
            produced: Counted::new(
                counter!("kafka_messages_produced_total", "client_id" => client.clone()),
            ),
            failed,
            connection_errors: counter!("kafka_connection_errors_total", "client_id" => client.clone()),
            latency: histogram!("kafka_produce_duration_seconds", "client_id" => client),
            since: AtomicU64::new(0),
        }
    }

    /// Counts a report; true when [`publish`](Meter::publish) is due.
    pub(crate) fn report(&self, failure: Option<Class>) -> bool {
        match failure {
            None => self.produced.add_one(),
            Some(class) => self.failed[class as usize].add_one(),
        }
        let since = self.since.load(Ordering::Relaxed) + 1;
        self.since.store(since, Ordering::Relaxed);
        since >= EVERY
    }

    /// Hands the counts to the facade.
    pub(crate) fn publish(&self) {
        self.since.store(0, Ordering::Relaxed);
        self.produced.publish();
        self.failed.iter().for_each(Counted::publish);
    }

    pub(crate) fn latency(&self, seconds: f64) {
        self.latency.record(seconds);
    }

    pub(crate) fn connection_error(&self) {
        self.connection_errors.increment(1);
    }
}
