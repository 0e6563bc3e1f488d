//! librdkafka's own delays, seen from outside, against our schedule.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use producers::backoff::{Backoff, Client};
use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use testbed::embedded::Embedded;
use testbed::{Cluster, TestTopic, eventually};

/// Longer than anything here takes, so that a hanging test ends with a message.
const PATIENCE: Duration = Duration::from_secs(60);

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// When librdkafka heard that a batch was refused.
#[derive(Clone, Default)]
struct Refusals(Arc<Mutex<Vec<Instant>>>);

impl ClientContext for Refusals {
    fn log(&self, _: RDKafkaLogLevel, _: &str, message: &str) {
        if message.contains("encountered error")
            && let Ok(mut at) = self.0.lock()
        {
            at.push(Instant::now());
        }
    }
}

/// A broker refuses a record so often, then takes it: when each refusal was heard, and the acknowledgement, since the
/// record was sent. Never before they happened; on a busy machine some time after.
async fn heard(
    first: u64,
    longest: u64,
    refusals: usize,
) -> Result<Vec<Duration>> {
    let cluster: Cluster = Embedded::start(1)?.into();
    let topic = TestTopic::new(&cluster, "orders", 1).await?;
    let embedded = cluster.as_embedded().ok_or("not built in")?;
    let seen = Refusals::default();
    let mut config = cluster.client_config();
    config
        .set("retry.backoff.ms", first.to_string())
        .set("retry.backoff.max.ms", longest.to_string())
        .set("linger.ms", "0")
        .set("debug", "msg")
        .set_log_level(RDKafkaLogLevel::Debug);
    let producer: FutureProducer<Refusals> =
        FutureProducer::from_config_and_context(&config, seen.clone())?;
    let send = async || {
        let record =
            FutureRecord::to(topic.name()).key("order-1").payload("");
        producer.send(record, PATIENCE).await.map_err(|(error, _)| error)
    };
    send().await?; // now the client knows the topic and its leader
    let refused = vec![
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS;
        refusals
    ];
    embedded.fail_next(RDKafkaApiKey::Produce, &refused)?;
    let start = Instant::now();
    send().await?;
    let end = Instant::now();
    let times = eventually(PATIENCE, "each refusal heard of", async || {
        let times =
            seen.0.lock().map_err(|_| "poisoned".to_owned())?.clone();
        let heard = times.len();
        if heard == refusals { Ok(times) } else { Err(heard.to_string()) }
    })
    .await?;
    Ok(times.into_iter().chain([end]).map(|at| at - start).collect())
}

/// claim: librdkafka-keeps-the-schedule
///
/// Eight refusals: none is answered by a retry before the shortest delays allow it, and the quickest of three is
/// done when the longest are over. Two seconds more are for a busy machine: without its cap a schedule would take ten.
#[tokio::test]
async fn librdkafka_keeps_the_schedule() -> Result {
    let (first, longest) = (50, 400);
    let ms = Duration::from_millis;
    let backoff = Backoff::new(Client::Librdkafka, ms(first), ms(longest))?;
    let mut quickest = Duration::MAX;
    let (mut at_least, mut at_most) = (ms(0), ms(0));
    for round in 0..3 {
        let heard = heard(first, longest, 8).await?;
        (at_least, at_most) = (ms(0), ms(0));
        for (failed, next) in (1..).zip(&heard[1..]) {
            let delay = backoff.delay(failed);
            at_least += delay.at_least;
            at_most += delay.at_most;
            // librdkafka counts in microseconds and may wake one early.
            assert!(
                *next + ms(1) >= at_least,
                "round {round}: {failed} failures, then a retry: {heard:?}"
            );
        }
        quickest = quickest.min(heard[8]);
    }
    assert_eq!(at_least, ms(2_200));
    assert!(quickest <= at_most + ms(2_000), "{quickest:?} > {at_most:?}");
    Ok(())
}

/// claim: librdkafka-forgets-its-delay
///
/// With 1,000 ms doubled up to a cap of 50 ms, the 23rd failure makes librdkafka's int negative. Its delay is gone,
/// as our schedule says: the next retries follow at once.
#[tokio::test]
async fn librdkafka_forgets_its_delay_after_many_failures() -> Result {
    let ms = Duration::from_millis;
    let backoff = Backoff::new(Client::Librdkafka, ms(1_000), ms(50))?;
    assert_eq!(backoff.overflows_at(), Some(23));
    let heard = heard(1_000, 50, 34).await?;
    let gap =
        |failed: usize| heard[failed].saturating_sub(heard[failed - 1]);
    let quickest_of = |wanted: Duration| {
        let of = |failed: &usize| {
            backoff.delay(*failed as u32).expected == wanted
        };
        (1..=34).filter(of).map(gap).min().unwrap_or_default()
    };
    assert!(quickest_of(ms(0)) < ms(20), "{heard:?}");
    // Up to there, no two retries came before their delays were over.
    assert!(heard[22] + ms(1) >= ms(50) * 22, "{heard:?}");
    Ok(())
}
