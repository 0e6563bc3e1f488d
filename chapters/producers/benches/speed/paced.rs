//! Records at a fixed rate, and how long each of them takes.
//!
//! The next record leaves when it is due, whatever the broker does, and its latency counts from then: a sender that
//! waits for a slow answer before it sends the next record would leave out exactly the waits.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use producers::Record;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{
    BaseRecord, FutureProducer, Producer, ProducerContext, ThreadedProducer,
};

use super::job::{Job, Meter, Pace, Paced, Shape, Used};
use super::results::Latency;
use super::shapes::{
    PATIENCE, WARM, Work, enqueue, library_config, runtime,
};

/// When a record is due that only warms up.
const NEVER: usize = usize::MAX;

/// Sends to partition 1. A shape without a pace of its own has the floor's.
pub fn measure(
    job: &Job,
    config: &ClientConfig,
    work: &Work<'_>,
    pace: Pace,
) -> anyhow::Result<Paced> {
    let latencies = Arc::new(Latencies {
        start: Instant::now(),
        micros: Mutex::new(histogram()?),
    });
    let used = match job.shape {
        Shape::Futures => futures(config, work, pace, &latencies)?,
        Shape::Library => library(job, work, pace, &latencies)?,
        _ => floor(config, work, pace, &latencies)?,
    };
    let latencies = latencies.values()?;
    let noted: u64 = latencies.iter().map(|(_, count)| count).sum();
    anyhow::ensure!(
        noted == pace.records,
        "{noted} of {} records were acknowledged",
        pace.records
    );
    Ok(Paced { used, latencies })
}

/// Of all records of several measurements; `None` where there is none.
pub fn latency<'a>(
    measurements: impl IntoIterator<Item = &'a Paced>,
) -> anyhow::Result<Option<Latency>> {
    let mut micros = histogram()?;
    for (value, count) in measurements
        .into_iter()
        .flat_map(|measurement| &measurement.latencies)
    {
        micros.record_n(*value, *count)?;
    }
    let ms = |micros: u64| micros as f64 / 1000.0;
    Ok((!micros.is_empty()).then(|| Latency {
        p50_ms: ms(micros.value_at_quantile(0.5)),
        p99_ms: ms(micros.value_at_quantile(0.99)),
        p999_ms: ms(micros.value_at_quantile(0.999)),
        max_ms: ms(micros.max()),
    }))
}

/// Microseconds up to a minute, to three digits.
fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}

/// Notes how long each record took.
struct Latencies {
    start: Instant,
    micros: Mutex<Histogram<u64>>,
}

impl Latencies {
    /// Notes a record that is acknowledged now, and was due so many µs after the start.
    fn note(&self, due: usize) {
        let now = self.start.elapsed().as_micros() as usize;
        if let Some(took) = now.checked_sub(due)
            && let Ok(mut micros) = self.micros.lock()
        {
            micros.saturating_record(took as u64);
        }
    }

    /// How many records at each value.
    fn values(&self) -> anyhow::Result<Vec<(u64, u64)>> {
        let lock = self.micros.lock();
        let micros = lock.map_err(|_| anyhow::anyhow!("poisoned"))?;
        let values = micros.iter_recorded();
        Ok(values
            .map(|value| {
                (value.value_iterated_to(), value.count_at_value())
            })
            .collect())
    }

    /// Hands over each record when it is due: its number, and that moment in µs after the start.
    ///
    /// It blocks the thread also where the client is async: tokio's timers go by whole milliseconds, and records
    /// would leave ten at a time.
    fn keep_pace(
        &self,
        pace: Pace,
        send: impl Fn(u64, usize) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let begin = self.start.elapsed();
        for number in 0..pace.records {
            let due = begin
                + Duration::from_micros(number * 1_000_000 / pace.rate);
            if let Some(early) = due.checked_sub(self.start.elapsed()) {
                std::thread::sleep(early);
            }
            send(number, due.as_micros() as usize)?;
        }
        Ok(())
    }
}

/// The floor's callback.
struct Noting(Arc<Latencies>);

impl ClientContext for Noting {}

impl ProducerContext for Noting {
    /// When the record was due.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, due: usize) {
        // A record that failed has no latency, and is missed in the count.
        if result.is_ok() {
            self.0.note(due);
        }
    }
}

fn floor(
    config: &ClientConfig,
    work: &Work<'_>,
    pace: Pace,
    latencies: &Arc<Latencies>,
) -> anyhow::Result<Used> {
    let producer: ThreadedProducer<Noting> =
        config.create_with_context(Noting(Arc::clone(latencies)))?;
    let send = |number, due| {
        let record = BaseRecord::with_opaque_to(work.topic, due)
            .partition(1)
            .payload(work.payload(number));
        enqueue(&producer, record)
    };
    (0..WARM).try_for_each(|number| send(number, NEVER))?;
    producer.flush(PATIENCE)?;
    let meter = Meter::start()?;
    latencies.keep_pace(pace, send)?;
    producer.flush(PATIENCE)?;
    meter.stop(pace.records, work.bytes(pace.records))
}

/// A task awaits the oldest: one partition answers in order, so it is late for none of the others.
fn futures(
    config: &ClientConfig,
    work: &Work<'_>,
    pace: Pace,
    latencies: &Arc<Latencies>,
) -> anyhow::Result<Used> {
    let runtime = runtime()?;
    let producer: FutureProducer = config.create()?;
    let (queue, mut sent) = tokio::sync::mpsc::unbounded_channel();
    let noted = Arc::clone(latencies);
    let answers = runtime.spawn(async move {
        while let Some((due, answer)) = sent.recv().await {
            let answer: rdkafka::producer::DeliveryFuture = answer;
            if matches!(answer.await, Ok(Ok(_))) {
                noted.note(due);
            }
        }
    });
    let send = |number, due| -> anyhow::Result<()> {
        let record = work.record(number).partition(1);
        let answer = producer.send_result(record);
        Ok(queue.send((due, answer.map_err(|(error, _)| error)?))?)
    };
    (0..WARM).try_for_each(|number| send(number, NEVER))?;
    producer.flush(PATIENCE)?;
    let meter = Meter::start()?;
    latencies.keep_pace(pace, send)?;
    drop(queue);
    runtime.block_on(answers)?;
    meter.stop(pace.records, work.bytes(pace.records))
}

fn library(
    job: &Job,
    work: &Work<'_>,
    pace: Pace,
    latencies: &Arc<Latencies>,
) -> anyhow::Result<Used> {
    let runtime = runtime()?;
    let noted = Arc::clone(latencies);
    let producer = producers::Producer::start(
        &library_config(job)?,
        move |outcome| {
            if outcome.result.is_ok() {
                noted.note(outcome.token);
            }
        },
    )?;
    let send = |number, due| -> anyhow::Result<()> {
        let record = Record::new(work.topic, work.payload(number), due);
        Ok(runtime.block_on(producer.send(record.partition(1)))?)
    };
    (0..WARM).try_for_each(|number| send(number, NEVER))?;
    runtime.block_on(producer.flush())?;
    let meter = Meter::start()?;
    latencies.keep_pace(pace, send)?;
    runtime.block_on(producer.flush())?;
    meter.stop(pace.records, work.bytes(pace.records))
}
