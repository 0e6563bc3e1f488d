//! Our partitioners inside rdkafka's producers.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use rdkafka::ClientConfig;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{self, PARTITION_UA, ProducerContext};
use rdkafka::statistics::Statistics;

use super::{Partitioner, Record};

/// A partitioner as rdkafka wants one: called from any thread that sends.
///
/// rdkafka says nothing of a record's size, so a [`Rule::Bytes`](super::Rule::Bytes) never ends a turn here: use
/// [`Rule::Time`](super::Rule::Time). Whether a partition has a leader is not asked: a key's partition is the same
/// one, with or without.
///
/// A partitioner that panics ends the process: librdkafka's C code calls it, and no panic passes that.
#[derive(Debug)]
pub struct Custom<P> {
    partitioner: Mutex<P>,
    start: Instant,
}

impl<P: Partitioner> producer::Partitioner for Custom<P> {
    fn partition(
        &self,
        _topic: &str,
        key: Option<&[u8]>,
        partitions: i32,
        _is_available: impl Fn(i32) -> bool,
    ) -> i32 {
        let Some(partitions) =
            u32::try_from(partitions).ok().and_then(NonZeroU32::new)
        else {
            return PARTITION_UA;
        };
        let record = Record { key, bytes: 0, at: self.start.elapsed() };
        // Poisoned only by whoever calls it from Rust and catches the panic: no panic passes librdkafka's C code.
        let mut partitioner =
            self.partitioner.lock().unwrap_or_else(PoisonError::into_inner);
        let chosen = partitioner.partition(record, partitions);
        i32::try_from(chosen).unwrap_or(PARTITION_UA)
    }
}

// ANCHOR: partitioned
/// A producer's context with a partitioner of yours: for `BaseProducer` and
/// `ThreadedProducer`.
///
/// `FutureProducer` (rdkafka 0.39) never asks its context for one. There,
/// and anywhere else, choose the partition yourself and give it to the
/// record: `FutureRecord::to("orders").partition(n)`.
#[derive(Debug)]
pub struct Partitioned<P, C> {
    custom: Custom<P>,
    context: C,
}

impl<P, C> ProducerContext<Custom<P>> for Partitioned<P, C>
where
    P: Partitioner + Send + 'static,
    C: ProducerContext,
{
    type DeliveryOpaque = C::DeliveryOpaque;

    fn delivery(
        &self,
        result: &DeliveryResult<'_>,
        opaque: Self::DeliveryOpaque,
    ) {
        self.context.delivery(result, opaque);
    }

    fn get_custom_partitioner(&self) -> Option<&Custom<P>> {
        Some(&self.custom)
    }
}
// ANCHOR_END: partitioned

impl<P, C> Partitioned<P, C> {
    /// `context` hears of deliveries, as before; `partitioner` chooses.
    pub fn new(partitioner: P, context: C) -> Self {
        let custom = Custom {
            partitioner: Mutex::new(partitioner),
            start: Instant::now(),
        };
        Self { custom, context }
    }
}

impl<P, C> ClientContext for Partitioned<P, C>
where
    P: Send + 'static,
    C: ClientContext,
{
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = C::ENABLE_REFRESH_OAUTH_TOKEN;

    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        self.context.log(level, fac, message);
    }

    fn stats(&self, statistics: Statistics) {
        self.context.stats(statistics);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.context.stats_raw(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }

    fn generate_oauth_token(
        &self,
        config: Option<&str>,
    ) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.context.generate_oauth_token(config)
    }
}

// ANCHOR: config
/// The configuration with what a partitioner of yours needs of it.
///
/// librdkafka keeps records without a key for its own sticky partition
/// unless `sticky.partitioning.linger.ms` is 0. And rdkafka 0.39 gives your
/// partitioner to the configuration of topics, which does not exist before
/// a property of topics is set: without one the program ends with SIGSEGV.
/// This sets one, `message.timeout.ms`, to its default unless you have.
pub fn partitioned_config(config: &ClientConfig) -> ClientConfig {
    let mut config = config.clone();
    config.set("sticky.partitioning.linger.ms", "0");
    let names = ["message.timeout.ms", "delivery.timeout.ms"];
    if names.iter().all(|name| config.get(name).is_none()) {
        config.set("message.timeout.ms", "300000");
    }
    config
}
// ANCHOR_END: config
