//! The same orders sent twice, with one `.await` moved: `cargo xtask run producers speed`
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use events::{Factory, OrderEvent, SUNDAY};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::util::Timeout;
use tracing::info;

/// What is sent to `orders`, one way and the other.
const ORDERS: usize = 200;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let brokers = std::env::var("KAFKA_BROKERS").map_err(|_| {
        anyhow::anyhow!(
            "KAFKA_BROKERS is not set: start it with `cargo xtask run producers speed`"
        )
    })?;
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("linger.ms", "5") // librdkafka's default
        .create()?;
    let orders = orders()?;
    // The first answer comes late: there is a connection to make.
    one_after_the_other(&producer, &orders[..1]).await?;

    let measured = async {
        let start = Instant::now();
        one_after_the_other(&producer, &orders).await?;
        tell("each send awaited", start);
        let start = Instant::now();
        all_on_their_way(&producer, &orders).await?;
        tell("awaited afterwards", start);
        info!(target: "run", process = "checkout", acknowledged = 2 * ORDERS, "outcome");
        anyhow::Ok(())
    };
    tokio::select! {
        biased; // asked first, so watched before the first order
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            info!(target: "run", process = "checkout", "stopped");
        }
        done = measured => done?,
    }
    producer.flush(Duration::from_secs(10))?;
    Ok(())
}

// ANCHOR: one_after_the_other
async fn one_after_the_other(
    producer: &FutureProducer,
    orders: &[String],
) -> anyhow::Result<()> {
    for order in orders {
        let record = FutureRecord::<(), _>::to("orders").payload(order);
        let sent = producer.send(record, Timeout::Never);
        sent.await.map_err(|(error, _)| error)?;
    }
    Ok(())
}
// ANCHOR_END: one_after_the_other

// ANCHOR: all_on_their_way
async fn all_on_their_way(
    producer: &FutureProducer,
    orders: &[String],
) -> anyhow::Result<()> {
    let mut on_their_way = Vec::new();
    for order in orders {
        let record = FutureRecord::<(), _>::to("orders").payload(order);
        let sent = producer.send_result(record);
        on_their_way.push(sent.map_err(|(error, _)| error)?);
    }
    for sent in on_their_way {
        sent.await?.map_err(|(error, _)| error)?;
    }
    Ok(())
}
// ANCHOR_END: all_on_their_way

fn tell(shape: &str, start: Instant) {
    let duration_ms = start.elapsed().as_millis() as u64;
    info!(target: "run", process = "checkout", topic = "orders", orders = ORDERS, duration_ms, "{shape}");
}

/// Different orders, the same ones each time.
fn orders() -> anyhow::Result<Vec<String>> {
    let mut factory = Factory::new(7, SUNDAY);
    (0..ORDERS)
        .map(|_| {
            let user = factory.user();
            let order = OrderEvent::Placed(factory.order(&user));
            Ok(String::from_utf8(factory.first(order).to_json()?)?)
        })
        .collect()
}
