//! A broker that refuses 34 times: `cargo xtask run producers refused`
//!
//! One order, and a built-in broker that has too few replicas for a while. librdkafka tries again; each line says how
//! long it has waited. Its first delay is set to 1,000 ms and its longest to 50 ms, so that its int overflows within
//! two seconds and not within twenty-three.
#![forbid(unsafe_code)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use producers::backoff::{Backoff, Client};
use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use testbed::Cluster;
use testbed::embedded::Embedded;
use tracing::info;

const FIRST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 50;
const REFUSALS: usize = 34;
/// Longer than anything here takes: then the broker is gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// Hears of each refusal, by librdkafka's own debug lines: there is no callback for it.
#[derive(Clone, Default)]
struct Refusals(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    failures: u32,
    last: Option<Instant>,
}

impl ClientContext for Refusals {
    fn log(&self, _: RDKafkaLogLevel, _: &str, message: &str) {
        if message.contains("encountered error")
            && let Ok(mut heard) = self.0.lock()
        {
            heard.tell();
        }
    }
}

impl Heard {
    fn tell(&mut self) {
        let now = Instant::now();
        if let Some(last) = self.last.replace(now) {
            let attempt = self.failures;
            let duration_ms = (now - last).as_millis() as u64;
            info!(target: "run", process = "checkout", topic = "orders", attempt, duration_ms, "retried");
        }
        self.failures += 1;
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    tokio::select! {
        biased;
        signal = tokio::signal::ctrl_c() => {
            signal?;
            info!(target: "run", process = "checkout", "stopped");
        }
        done = checkout() => done?,
    }
    Ok(())
}

async fn checkout() -> anyhow::Result<()> {
    let built_in = Embedded::start(1)?;
    built_in.create_topic("orders", 1, 1)?;
    let cluster: Cluster = built_in.into();
    let built_in = cluster.as_embedded().context("not built in")?;
    let heard = Refusals::default();
    // ANCHOR: settings
    let mut config = cluster.client_config();
    config
        .set("retry.backoff.ms", FIRST_MS.to_string())
        .set("retry.backoff.max.ms", LONGEST_MS.to_string())
        .set("linger.ms", "0")
        .set("debug", "msg")
        .set_log_level(RDKafkaLogLevel::Debug);
    // ANCHOR_END: settings
    let producer: FutureProducer<Refusals> =
        FutureProducer::from_config_and_context(&config, heard)?;
    let too_few = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS];
    built_in
        .fail_next(RDKafkaApiKey::Produce, &too_few.repeat(REFUSALS))?;
    let key = "order-1";
    let record = FutureRecord::to("orders").key(key).payload("2 mugs");
    let sent = producer
        .send(record, PATIENCE)
        .await
        .map_err(|(error, _)| error)?;
    let (partition, offset) = (sent.partition, sent.offset);
    info!(target: "run", process = "checkout", topic = "orders", partition, offset, key, "acknowledged");

    let ms = Duration::from_millis;
    let schedule =
        Backoff::new(Client::Librdkafka, ms(FIRST_MS), ms(LONGEST_MS))?;
    let after = |failed| schedule.delay(failed).expected.as_millis() as u64;
    let (after_22_ms, after_23_ms) = (after(22), after(23));
    info!(target: "run", process = "checkout", refused = REFUSALS, after_22_ms, after_23_ms, "outcome");
    Ok(())
}
