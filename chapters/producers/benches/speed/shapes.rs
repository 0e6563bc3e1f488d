//! The shapes: each sends the same records, and returns when all of them are acknowledged.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::StreamExt;
use futures::future::try_join_all;
use hdrhistogram::Histogram;
use nix::sys::resource::UsageWho;
use producers::{ProducerConfig, Record};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{
    BaseRecord, FutureProducer, FutureRecord, Producer, ProducerContext,
    ThreadedProducer,
};
use rdkafka::util::{IntoOpaque, Timeout};

use super::job::{
    Job, Measured, Meter, Pace, Paced, Shape, Used, peak_bytes,
    read_payloads,
};

/// How many records are sent before the clock runs: connection, metadata and producer id are there then.
pub const WARM: u64 = 1_000;

/// How long the last acknowledgements may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where and what.
struct Work<'a> {
    topic: &'a str,
    payloads: Vec<Vec<u8>>,
}

impl Work<'_> {
    fn payload(&self, number: u64) -> &[u8] {
        &self.payloads[number as usize % self.payloads.len()]
    }

    fn bytes(&self, records: u64) -> u64 {
        (0..records).map(|number| self.payload(number).len() as u64).sum()
    }

    fn record(&self, number: u64) -> FutureRecord<'_, (), [u8]> {
        FutureRecord::to(self.topic)
            .partition(0)
            .payload(self.payload(number))
    }
}

/// Does what the job says, in this process.
pub fn measure(job: &Job) -> anyhow::Result<Measured> {
    let payloads = read_payloads(&job.payloads)?;
    anyhow::ensure!(!payloads.is_empty(), "no payloads");
    let work = Work { topic: &job.topic, payloads };
    let mut config = ClientConfig::new();
    for (name, value) in &job.properties {
        config.set(name, value);
    }
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("no runtime")
    };
    let flat_out = match job.shape {
        Shape::AwaitEach => {
            runtime()?.block_on(await_each(&config, &work, job.records))?
        }
        Shape::Buffered(most) => runtime()?.block_on(buffered(
            &config,
            &work,
            job.records,
            most,
        ))?,
        Shape::Futures(most) => runtime()?.block_on(queued_futures(
            &config,
            &work,
            job.records,
            most,
        ))?,
        Shape::Unbounded => {
            runtime()?.block_on(unbounded(&config, &work, job.records))?
        }
        Shape::Floor => floor(&config, &work, job.records)?,
        Shape::Library => {
            runtime()?.block_on(library(job, &work, job.records))?
        }
        Shape::Java => anyhow::bail!("not a shape of this process"),
    };
    let paced = match job.paced {
        Some(pace) => Some(paced(&config, &work, pace)?),
        None => None,
    };
    let peak_bytes = peak_bytes(UsageWho::RUSAGE_SELF)?;
    Ok(Measured { flat_out, paced, peak_bytes })
}

async fn await_each(
    config: &ClientConfig,
    work: &Work<'_>,
    records: u64,
) -> anyhow::Result<Used> {
    let producer: FutureProducer = config.create()?;
    warm_up(&producer, work).await?;
    let meter = Meter::start()?;
    for number in 0..records {
        let sent = producer.send(work.record(number), Timeout::Never);
        sent.await.map_err(|(error, _)| error)?;
    }
    meter.stop(records, work.bytes(records))
}

async fn buffered(
    config: &ClientConfig,
    work: &Work<'_>,
    records: u64,
    most: usize,
) -> anyhow::Result<Used> {
    let producer: FutureProducer = config.create()?;
    warm_up(&producer, work).await?;
    let meter = Meter::start()?;
    let mut sends = futures::stream::iter(0..records)
        .map(|number| producer.send(work.record(number), Timeout::Never))
        .buffer_unordered(most);
    while let Some(sent) = sends.next().await {
        sent.map_err(|(error, _)| error)?;
    }
    meter.stop(records, work.bytes(records))
}

async fn queued_futures(
    config: &ClientConfig,
    work: &Work<'_>,
    records: u64,
    most: usize,
) -> anyhow::Result<Used> {
    let producer: FutureProducer = config.create()?;
    warm_up(&producer, work).await?;
    let meter = Meter::start()?;
    // ANCHOR: in_flight
    let mut in_flight = VecDeque::with_capacity(most);
    for number in 0..records {
        if in_flight.len() == most
            && let Some(oldest) = in_flight.pop_front()
        {
            acknowledged(oldest).await?;
        }
        let sent = producer.send_result(work.record(number));
        in_flight.push_back(sent.map_err(|(error, _)| error)?);
    }
    for sent in in_flight {
        acknowledged(sent).await?;
    }
    // ANCHOR_END: in_flight
    meter.stop(records, work.bytes(records))
}

async fn acknowledged(
    sent: rdkafka::producer::DeliveryFuture,
) -> anyhow::Result<()> {
    sent.await?.map_err(|(error, _)| error)?;
    Ok(())
}

async fn unbounded(
    config: &ClientConfig,
    work: &Work<'_>,
    records: u64,
) -> anyhow::Result<Used> {
    let producer: FutureProducer = config.create()?;
    warm_up(&producer, work).await?;
    let meter = Meter::start()?;
    let sends = (0..records).map(async |number| {
        producer.send(work.record(number), Timeout::Never).await
    });
    try_join_all(sends).await.map_err(|(error, _)| error)?;
    meter.stop(records, work.bytes(records))
}

async fn warm_up(
    producer: &FutureProducer,
    work: &Work<'_>,
) -> anyhow::Result<()> {
    let sends = (0..WARM)
        .map(|number| producer.send(work.record(number), Timeout::Never));
    try_join_all(sends).await.map_err(|(error, _)| error)?;
    Ok(())
}

/// Counts what is acknowledged.
#[derive(Default)]
struct Count {
    acknowledged: AtomicU64,
    failed: AtomicU64,
}

impl ClientContext for Count {}

impl ProducerContext for Count {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        let count = match result {
            Ok(_) => &self.acknowledged,
            Err(_) => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn floor(
    config: &ClientConfig,
    work: &Work<'_>,
    records: u64,
) -> anyhow::Result<Used> {
    let producer: ThreadedProducer<Count> =
        config.create_with_context(Count::default())?;
    let send_all = |records| -> anyhow::Result<()> {
        for number in 0..records {
            let record = BaseRecord::to(work.topic)
                .partition(0)
                .payload(work.payload(number));
            enqueue(&producer, record)?;
        }
        Ok(producer.flush(PATIENCE)?)
    };
    send_all(WARM)?;
    let meter = Meter::start()?;
    send_all(records)?;
    let count = producer.context();
    let failed = count.failed.load(Ordering::Relaxed);
    anyhow::ensure!(failed == 0, "{failed} records failed");
    let acknowledged = count.acknowledged.load(Ordering::Relaxed) - WARM;
    meter.stop(acknowledged, work.bytes(acknowledged))
}

/// This chapter's producer, with the settings that all others have.
async fn library(
    job: &Job,
    work: &Work<'_>,
    records: u64,
) -> anyhow::Result<Used> {
    let property = |name: &str| {
        job.properties.get(name).with_context(|| format!("no {name}"))
    };
    let config = ProducerConfig {
        linger: Duration::from_millis(property("linger.ms")?.parse()?),
        batch_bytes: property("batch.size")?.parse()?,
        ..ProducerConfig::new(property("bootstrap.servers")?)
    };
    let set = config.properties();
    for (name, value) in &job.properties {
        anyhow::ensure!(set.get(name) == Some(value), "{name} differs");
    }
    let failed = Arc::new(AtomicU64::new(0));
    let acknowledged = Arc::new(AtomicU64::new(0));
    let counts = (Arc::clone(&acknowledged), Arc::clone(&failed));
    let producer = producers::Producer::start(&config, move |outcome| {
        let count =
            if outcome.result.is_ok() { &counts.0 } else { &counts.1 };
        count.fetch_add(1, Ordering::Relaxed);
    })?;
    let send_all = async |records| -> anyhow::Result<()> {
        for number in 0..records {
            let payload = work.payload(number);
            let record = Record::new(work.topic, payload, number as usize);
            producer.send(record.partition(0)).await?;
        }
        Ok(producer.flush().await?)
    };
    send_all(WARM).await?;
    let meter = Meter::start()?;
    send_all(records).await?;
    let failed = failed.load(Ordering::Relaxed);
    anyhow::ensure!(failed == 0, "{failed} records failed");
    let acknowledged = acknowledged.load(Ordering::Relaxed) - WARM;
    meter.stop(acknowledged, work.bytes(acknowledged))
}

// ANCHOR: enqueue
/// Hands a record over, and waits while the queue is full.
fn enqueue<C, D>(
    producer: &ThreadedProducer<C>,
    mut record: BaseRecord<'_, (), [u8], D>,
) -> anyhow::Result<()>
where
    C: ProducerContext<DeliveryOpaque = D> + 'static,
    D: IntoOpaque,
{
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((
                KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull),
                refused,
            )) => record = refused,
            Err((error, _)) => return Err(error.into()),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
// ANCHOR_END: enqueue

/// Notes how long each record took.
struct Latencies {
    start: Instant,
    micros: Mutex<Histogram<u64>>,
}

impl ClientContext for Latencies {}

impl ProducerContext for Latencies {
    /// The moment at which the record should have been sent, in µs after the start.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, intended: usize) {
        let now = self.start.elapsed().as_micros() as usize;
        // A record that failed has no latency, and is missed in the count.
        if result.is_ok()
            && let Ok(mut micros) = self.micros.lock()
        {
            micros.saturating_record(now.saturating_sub(intended) as u64);
        }
    }
}

/// Sends at a fixed rate, whatever the broker does, and measures from the moment at which a record
/// *should* have been sent: a sender that waits for a slow answer before it sends the next record
/// would leave out exactly the waits.
fn paced(
    config: &ClientConfig,
    work: &Work<'_>,
    pace: Pace,
) -> anyhow::Result<Paced> {
    let context = Latencies {
        start: Instant::now(),
        micros: Mutex::new(Histogram::new_with_bounds(1, 60_000_000, 3)?),
    };
    let producer: ThreadedProducer<Latencies> =
        config.create_with_context(context)?;
    let start = producer.context().start;
    let record = |number| {
        let micros = start.elapsed().as_micros() as usize;
        BaseRecord::with_opaque_to(work.topic, micros)
            .partition(1)
            .payload(work.payload(number))
    };
    for number in 0..WARM {
        enqueue(&producer, record(number))?;
    }
    producer.flush(PATIENCE)?;
    producer.context().with(|micros| micros.reset())?;

    let meter = Meter::start()?;
    let begin = start.elapsed();
    for number in 0..pace.records {
        let due = Duration::from_micros(number * 1_000_000 / pace.rate);
        let intended = begin + due;
        if let Some(early) = intended.checked_sub(start.elapsed()) {
            std::thread::sleep(early);
        }
        let mut record = record(number);
        record.delivery_opaque = intended.as_micros() as usize;
        enqueue(&producer, record)?;
    }
    producer.flush(PATIENCE)?;
    let used = meter.stop(pace.records, work.bytes(pace.records))?;
    let latencies = producer.context().with(|micros| {
        let values = micros.iter_recorded();
        values
            .map(|value| {
                (value.value_iterated_to(), value.count_at_value())
            })
            .collect::<Vec<_>>()
    })?;
    let noted: u64 = latencies.iter().map(|(_, count)| count).sum();
    anyhow::ensure!(
        noted == pace.records,
        "{noted} of {} records were acknowledged",
        pace.records
    );
    Ok(Paced { used, latencies })
}

impl Latencies {
    fn with<T>(
        &self,
        look: impl FnOnce(&mut Histogram<u64>) -> T,
    ) -> anyhow::Result<T> {
        let lock = self.micros.lock();
        Ok(look(&mut *lock.map_err(|_| anyhow::anyhow!("poisoned"))?))
    }
}
