//! Ten orders "sent", none stored.
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
    for _ in 0..10 {
        let producer = producer.clone();
        tokio::spawn(async move {
            let order =
                FutureRecord::to("orders").key("order").payload("mug");
            producer.send(order, None).await
        });
    }
    tracing::info!(orders = 10, "sent");
    Ok(())
}
