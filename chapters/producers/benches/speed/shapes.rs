//! The shapes: each sends the same records, and returns when all of them are acknowledged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::StreamExt;
use futures::future::try_join_all;
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
    Job, Measured, Meter, Shape, Used, peak_bytes, read_payloads,
};
use super::paced;

/// How many records are sent before the clock runs: connection, metadata and producer id are there then.
pub const WARM: u64 = 1_000;

/// How long the last acknowledgements may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where and what.
pub struct Work<'a> {
    pub topic: &'a str,
    payloads: Vec<Vec<u8>>,
}

impl Work<'_> {
    pub fn payload(&self, number: u64) -> &[u8] {
        &self.payloads[number as usize % self.payloads.len()]
    }

    pub fn bytes(&self, records: u64) -> u64 {
        (0..records).map(|number| self.payload(number).len() as u64).sum()
    }

    pub fn record(&self, number: u64) -> FutureRecord<'_, (), [u8]> {
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
        Shape::Futures => runtime()?.block_on(queued_futures(
            &config,
            &work,
            job.records,
            job.in_flight as usize,
        ))?,
        Shape::Unbounded => {
            // Room for all of them: with less, `send` sleeps for 100 ms where the queue is full.
            config.set(
                "queue.buffering.max.messages",
                (2 * job.records.max(WARM)).to_string(),
            );
            runtime()?.block_on(unbounded(&config, &work, job.records))?
        }
        Shape::Floor => {
            // librdkafka's own bound is the one that it has.
            config.set(
                "queue.buffering.max.messages",
                job.in_flight.to_string(),
            );
            floor(&config, &work, job.records)?
        }
        Shape::Library => {
            runtime()?.block_on(library(job, &work, job.records))?
        }
        Shape::Java => anyhow::bail!("not a shape of this process"),
    };
    let peak_bytes = peak_bytes(UsageWho::RUSAGE_SELF)?;
    let paced = match job.paced {
        Some(pace) => Some(paced::measure(job, &config, &work, pace)?),
        None => None,
    };
    Ok(Measured { flat_out, peak_bytes, paced })
}

pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime")
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

impl Count {
    fn answered(&self) -> u64 {
        let failed = self.failed.load(Ordering::Relaxed);
        self.acknowledged.load(Ordering::Relaxed) + failed
    }
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
    let count = producer.context();
    let send_all = |records| -> anyhow::Result<()> {
        let all = count.answered() + records;
        for number in 0..records {
            let record = BaseRecord::to(work.topic)
                .partition(0)
                .payload(work.payload(number));
            enqueue(&producer, record)?;
        }
        // Not by `flush`: where the producer's own thread takes the last answer, that waits for one more, for 100 ms.
        let begin = Instant::now();
        while count.answered() < all {
            anyhow::ensure!(begin.elapsed() < PATIENCE, "no answer");
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    };
    send_all(WARM)?;
    let meter = Meter::start()?;
    send_all(records)?;
    let failed = count.failed.load(Ordering::Relaxed);
    anyhow::ensure!(failed == 0, "{failed} records failed");
    let acknowledged = count.acknowledged.load(Ordering::Relaxed) - WARM;
    meter.stop(acknowledged, work.bytes(acknowledged))
}

/// What this chapter's producer is told: the settings that all others have.
pub fn library_config(job: &Job) -> anyhow::Result<ProducerConfig> {
    let property = |name: &str| {
        job.properties.get(name).with_context(|| format!("no {name}"))
    };
    let config = ProducerConfig {
        linger: Duration::from_millis(property("linger.ms")?.parse()?),
        batch_bytes: property("batch.size")?.parse()?,
        window_records: job.in_flight,
        ..ProducerConfig::new(property("bootstrap.servers")?)
    };
    let set = config.properties();
    for (name, value) in &job.properties {
        anyhow::ensure!(set.get(name) == Some(value), "{name} differs");
    }
    Ok(config)
}

async fn library(
    job: &Job,
    work: &Work<'_>,
    records: u64,
) -> anyhow::Result<Used> {
    let config = library_config(job)?;
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
pub fn enqueue<C, D>(
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
