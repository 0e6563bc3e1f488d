//! What the producer counts, through the `metrics` facade.
//!
//! A report only adds to a plain number that one thread writes; what is new of it goes to the facade each time
//! that thread has polled, and before `flush` says that nothing is under way.
//! Without a recorder installed the facade's handles do nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use metrics::{
    Counter, Histogram, counter, describe_counter, describe_histogram,
    histogram,
};

use crate::error::Class;

/// The latency of one report in so many is measured.
const EVERY: u64 = 1024;

/// The counters of one producer. Their recorder is the one that is installed when this is made.
pub(crate) struct Meter {
    produced: Counted,
    failed: [Counted; 3],
    connection_errors: Counter,
    latency: Histogram,
    /// Of the polling thread alone.
    reports: AtomicU64,
}

/// A number that only the polling thread changes, and how much of it the facade has.
struct Counted {
    counter: Counter,
    seen: AtomicU64,
    /// Locked while the facade is called: so `flush`, which publishes too, does not return between the
    /// polling thread's look and its call.
    told: Mutex<u64>,
}

impl Counted {
    fn new(counter: Counter) -> Counted {
        Counted { counter, seen: AtomicU64::new(0), told: Mutex::new(0) }
    }

    fn publish(&self) {
        let mut told =
            self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = self.seen.load(Ordering::Relaxed);
        if seen > *told {
            self.counter.increment(seen - *told);
            *told = seen;
        }
    }
}

/// Adds one to a number that one thread writes: a load and a store, and no locked instruction.
fn add_one(number: &AtomicU64) -> u64 {
    let before = number.load(Ordering::Relaxed);
    number.store(before + 1, Ordering::Relaxed);
    before
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
            reports: AtomicU64::new(0),
        }
    }

    /// Counts a report; true where its latency is to be measured.
    pub(crate) fn report(&self, failure: Option<Class>) -> bool {
        let counted = match failure {
            None => &self.produced,
            Some(class) => &self.failed[class as usize],
        };
        add_one(&counted.seen);
        add_one(&self.reports).is_multiple_of(EVERY)
    }

    /// Hands what is new to the facade. Anybody may.
    pub(crate) fn publish(&self) {
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

#[cfg(test)]
mod tests {
    use std::thread;

    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use super::*;

    /// Four threads publish while one counts: the facade gets each report once.
    #[test]
    fn whoever_publishes_each_report_is_told_once() {
        let recorder = DebuggingRecorder::new();
        let meter =
            metrics::with_local_recorder(&recorder, || Meter::new("till"));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|_| meter.publish()));
            }
            for _ in 0..10_000 {
                meter.report(None);
            }
        });
        meter.publish();
        let told = recorder.snapshotter().snapshot().into_vec();
        let told: Vec<DebugValue> = told
            .into_iter()
            .filter(|(key, ..)| {
                key.key().name() == "kafka_messages_produced_total"
            })
            .map(|(.., value)| value)
            .collect();
        assert_eq!(told, [DebugValue::Counter(10_000)]);
    }

    #[test]
    fn the_latency_of_one_report_in_1024_is_measured() {
        let meter = Meter::new("till");
        let measured: Vec<u64> =
            (1..=2_049).filter(|_| meter.report(None)).collect();
        assert_eq!(measured, [1, 1_025, 2_049]);
    }
}
