//! Three orders through five services: `cargo xtask run logging`
//!
//! Checkout sends three orders. Payment, packing and shipping each read one topic and send to the next; mail
//! tells the customer. Each service has keys of its own, so no key leads from one to the next: the correlation
//! id does. The last line counts how many mails can be traced back to checkout.
//!
//! `-- --forget-header payment` makes one service forget to hand the id on: the chain breaks there.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use logging::{Correlation, CorrelationId, process_span};
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Message, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{Instrument, Level, enabled, info, warn};

/// How many orders there are.
const ORDERS: usize = 3;

/// A record that does not come within this time does not come: the topic was deleted, or the broker died.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service that reads a topic and, unless it is the last, sends to the next.
#[derive(Clone, Copy)]
struct Service {
    name: &'static str,
    reads: &'static str,
    sends: Option<Sends>,
}

/// Where a service sends, and its number for the first order.
///
/// The numbers are such that the three records of a topic lie in three partitions: in one partition, two that
/// come from different partitions would stand in an order that timing decides.
#[derive(Clone, Copy)]
struct Sends {
    topic: &'static str,
    thing: &'static str,
    first: usize,
}

const CHECKOUT: Sends =
    Sends { topic: "orders", thing: "order", first: 1020 };

const SERVICES: [Service; 4] = [
    Service {
        name: "payment",
        reads: "orders",
        sends: Some(Sends {
            topic: "payments",
            thing: "payment",
            first: 801,
        }),
    },
    Service {
        name: "packing",
        reads: "payments",
        sends: Some(Sends {
            topic: "parcels",
            thing: "parcel",
            first: 2701,
        }),
    },
    Service {
        name: "shipping",
        reads: "parcels",
        sends: Some(Sends {
            topic: "deliveries",
            thing: "delivery",
            first: 4001,
        }),
    },
    Service { name: "mail", reads: "deliveries", sends: None },
];

/// What a service needs to work.
#[derive(Clone)]
struct Shop {
    config: ClientConfig,
    producer: FutureProducer,
    /// The service that forgets to hand the correlation id on.
    forgets: Arc<str>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let forgets = match arguments(std::env::args().skip(1)) {
        Ok(forgets) => forgets,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    match run(forgets).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(
    mut words: impl Iterator<Item = String>,
) -> Result<String, String> {
    match (words.next().as_deref(), words.next().as_deref(), words.next()) {
        (None, ..) => Ok(String::new()),
        (Some("--forget-header"), Some(name), None)
            if ["checkout", "payment", "packing", "shipping"].contains(&name) =>
        {
            Ok(name.to_owned())
        }
        _ => Err("Say nothing, or --forget-header checkout|payment|packing|shipping".to_owned()),
    }
}

async fn run(forgets: String) -> anyhow::Result<()> {
    logging::init()?;
    // Before the first client: from here on Ctrl-C ends this run in order.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let brokers = std::env::var("KAFKA_BROKERS").context(
        "KAFKA_BROKERS is not set: run this through `cargo xtask run`",
    )?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    // ANCHOR: debug
    if enabled!(target: "librdkafka", Level::DEBUG) {
        config.set("debug", "broker,cgrp");
    }
    // ANCHOR_END: debug
    let producer: FutureProducer = config.create()?;
    let shop = Shop { config, producer, forgets: forgets.into() };
    tokio::select! {
        _ = interrupt.recv() => {
            info!(target: "run", process = "shop", "stopped");
        }
        done = day(&shop) => {
            let (mailed, unbroken) = done?;
            info!(target: "run", process = "shop", orders = ORDERS, mailed, unbroken, "outcome");
        }
    }
    // What is queued is sent; the services' consumers left their groups when their tasks ended.
    shop.producer.flush(Duration::from_secs(10)).with_context(|| {
        let waiting = shop.producer.in_flight_count();
        format!("{waiting} records were never acknowledged: is a broker at KAFKA_BROKERS?")
    })?;
    Ok(())
}

/// Lets all five services work until mail has had every order. How many it mailed, and how many of those bear an
/// id that checkout gave.
async fn day(shop: &Shop) -> anyhow::Result<(usize, usize)> {
    let mut services = JoinSet::new();
    for service in SERVICES {
        let work = work(shop.clone(), service);
        services.spawn(work.instrument(process_span(service.name)));
    }
    let given = checkout(shop).instrument(process_span("checkout")).await?;
    let mut mailed = Vec::new();
    while let Some(ended) = services.join_next().await {
        mailed.extend(ended??);
    }
    let unbroken = mailed.iter().filter(|id| given.contains(id)).count();
    Ok((mailed.len(), unbroken))
}

/// Sends the orders, each with an id of its own.
async fn checkout(shop: &Shop) -> anyhow::Result<HashSet<CorrelationId>> {
    info!(target: "run", orders = ORDERS, "started");
    let mut given = HashSet::new();
    for order in 0..ORDERS {
        let id = CorrelationId::random();
        given.insert(id.clone());
        let correlation = Correlation::start(id);
        let span = correlation.span();
        send(shop, "checkout", CHECKOUT, order, &correlation)
            .instrument(span)
            .await?;
    }
    Ok(given)
}

/// Works on every order once. The ids with which the orders left the last service.
async fn work(
    shop: Shop,
    service: Service,
) -> anyhow::Result<Vec<CorrelationId>> {
    let consumer: StreamConsumer = shop
        .config
        .clone()
        .set("group.id", service.name)
        .set("auto.offset.reset", "earliest")
        .create()?;
    consumer.subscribe(&[service.reads])?;
    let mut ended = Vec::new();
    for _ in 0..ORDERS {
        let record = match timeout(PATIENCE, consumer.recv()).await {
            Ok(record) => record?.detach(),
            Err(_) => anyhow::bail!(
                "{}: no record came in {PATIENCE:?}",
                service.name
            ),
        };
        let correlation = follow(&record);
        let span = correlation.span();
        hop(&shop, service, &record, &correlation).instrument(span).await?;
        if service.sends.is_none() {
            ended.push(correlation.id);
        }
    }
    Ok(ended)
}

/// The chain that a record belongs to: its own, or a new one.
// ANCHOR: follow
fn follow(record: &OwnedMessage) -> Correlation {
    let (topic, key) = (record.topic(), key(record));
    let (partition, offset) = (record.partition(), record.offset());
    let error = match Correlation::take_from(record) {
        Ok(Some(correlation)) => return correlation,
        Ok(None) => None,
        Err(error) => Some(error.to_string()),
    };
    let new = Correlation::start(CorrelationId::random());
    let _entered = new.span().entered();
    warn!(target: "run", topic, partition, offset, key, error, "orphaned");
    new
}
// ANCHOR_END: follow

/// Reads one record and sends the next because of it.
// ANCHOR: hop
async fn hop(
    shop: &Shop,
    service: Service,
    record: &OwnedMessage,
    correlation: &Correlation,
) -> anyhow::Result<()> {
    let (topic, key) = (record.topic(), key(record));
    let (partition, offset) = (record.partition(), record.offset());
    info!(target: "run", topic, partition, offset, key, "consumed");
    let Some(sends) = service.sends else {
        info!(target: "run", topic, partition, offset, key, "processed");
        return Ok(());
    };
    let order = payload(record)?;
    let next = correlation.next_after(record);
    let span = next.span();
    send(shop, service.name, sends, order, &next).instrument(span).await
}
// ANCHOR_END: hop

// ANCHOR: send
async fn send(
    shop: &Shop,
    from: &str,
    to: Sends,
    order: usize,
    correlation: &Correlation,
) -> anyhow::Result<()> {
    let headers = match &*shop.forgets == from {
        true => OwnedHeaders::new(),
        false => correlation.put_in(OwnedHeaders::new()),
    };
    let key = format!("{}-{}", to.thing, to.first + order);
    let payload = order.to_string();
    let record = FutureRecord::to(to.topic)
        .key(&key)
        .payload(&payload)
        .headers(headers);
    let sent = shop.producer.send(record, PATIENCE).await;
    let sent = sent.map_err(|(error, _): (KafkaError, _)| error)?;
    let (partition, offset) = (sent.partition, sent.offset);
    info!(
        target: "run",
        topic = to.topic, partition, offset, key,
        "acknowledged"
    );
    Ok(())
}
// ANCHOR_END: send

fn key(record: &OwnedMessage) -> String {
    String::from_utf8_lossy(record.key().unwrap_or_default()).into_owned()
}

/// The order's number of the day: which of them a record is about.
fn payload(record: &OwnedMessage) -> anyhow::Result<usize> {
    let payload = record.payload_view::<str>().and_then(Result::ok);
    let number = payload
        .and_then(|text| text.parse().ok())
        .filter(|&order| order < ORDERS);
    number.with_context(|| {
        format!("{}: a record that is no order's number", record.topic())
    })
}
