//! Ten orders sent, and each of them acknowledged.
#![forbid(unsafe_code)]
use anyhow::Context;
use rdkafka::{
    ClientConfig, producer::FutureProducer, producer::FutureRecord,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().without_time().with_ansi(false).init();
    let brokers =
        std::env::var("KAFKA_BROKERS").context("KAFKA_BROKERS")?;
    let producer: FutureProducer =
        ClientConfig::new().set("bootstrap.servers", brokers).create()?;
    let mut sends = Vec::new();
    for _ in 0..10 {
        let producer = producer.clone();
        sends.push(tokio::spawn(async move {
            let order =
                FutureRecord::to("orders").key("order").payload("mug");
            producer.send(order, None).await
        }));
    }
    for send in sends {
        send.await?.map_err(|(error, _)| error)?;
    }
    tracing::info!(orders = 10, "sent");
    Ok(())
}
