//! What an error means: not now, this record, or this producer.

use std::time::Duration;

use producers::error::StartError;
use producers::{
    Class, Compression, DeliveryError, Producer, Record, SendError,
};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::common::{
    Result, come, config, order, send, shop, start, stored,
};

/// claim: producers-a-record-times-out
///
/// No broker answers: after `delivery_timeout` the outcome says so, and that another attempt may succeed.
#[tokio::test]
async fn class_not_now_no_broker_answers() -> Result {
    let cluster = shop().await?;
    cluster.as_embedded().ok_or("not built in")?.broker_down(1)?;
    let mut config = config(&cluster);
    config.delivery_timeout = Duration::from_millis(300);
    let (producer, outcomes) = start(&config)?;
    send(&producer, "orders", 1).await?;

    come(&outcomes, 1).await?;
    let error = outcomes.all()[0].result.err().ok_or("acknowledged")?;
    assert_eq!(error.code, RDKafkaErrorCode::MessageTimedOut);
    assert_eq!(error.class(), Class::Retriable);
    Ok(())
}

/// Too large for the broker: its answer comes at once, and is not worth another attempt.
#[tokio::test]
async fn class_record_it_is_too_large() -> Result {
    let cluster = shop().await?;
    let (producer, outcomes) = start(&config(&cluster))?;
    let broker = cluster.as_embedded().ok_or("not built in")?;
    broker.fail_next(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE],
    )?;
    send(&producer, "orders", 1).await?;
    producer.flush().await?;
    let error = outcomes.all()[0].result.err().ok_or("acknowledged")?;
    assert_eq!(error.class(), Class::Record);
    Ok(())
}

/// The broker has lost count of a numbered producer: which records are in the log cannot be known any more. The
/// producer is dead, says so of the record and of each that comes after it, and a new one goes on.
#[tokio::test]
async fn class_producer_a_broker_lost_count() -> Result {
    let cluster = shop().await?;
    let broker = cluster.as_embedded().ok_or("not built in")?;
    let (producer, outcomes) = start(&config(&cluster))?;
    send(&producer, "orders", 1).await?;
    producer.flush().await?;
    broker.fail_next(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER],
    )?;
    producer.send(order("orders", 1)).await?;
    producer.flush().await?;

    let lost = outcomes.all()[1].result.err().ok_or("acknowledged")?;
    assert_eq!(lost.class(), Class::Fatal, "{lost}");
    let next = producer.send(order("orders", 2)).await;
    let next = next.err().ok_or("queued by a dead producer")?;
    assert_eq!(next.class(), Class::Fatal, "{next:?}");
    assert_eq!(producer.under_way().records, 0, "what was refused left");

    let (another, _) = start(&config(&cluster))?;
    send(&another, "orders", 1).await?;
    another.flush().await?;
    assert_eq!(stored(&cluster, "orders")?, 2);
    Ok(())
}

/// The broker knows a newer epoch of a numbered producer: the record has failed, and the producer goes on with another
/// epoch, so that the same record may be sent again.
#[tokio::test]
async fn an_old_epoch_ends_the_record_and_not_the_producer() -> Result {
    let cluster = shop().await?;
    let broker = cluster.as_embedded().ok_or("not built in")?;
    let (producer, outcomes) = start(&config(&cluster))?;
    send(&producer, "orders", 1).await?;
    producer.flush().await?;
    broker.fail_next(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH],
    )?;
    producer.send(order("orders", 1)).await?;
    producer.flush().await?;
    let error = outcomes.all()[1].result.err().ok_or("acknowledged")?;
    assert_eq!(error.code, RDKafkaErrorCode::InvalidProducerEpoch);
    assert_eq!(error.class(), Class::Retriable);

    producer.send(order("orders", 1)).await?;
    producer.flush().await?;
    outcomes.all()[2].result?;
    assert_eq!(stored(&cluster, "orders")?, 2);
    Ok(())
}

/// claim: producers-some-errors-come-at-once
///
/// The broker says a code that librdkafka does not try again: it comes at once, though a second attempt would be
/// taken, and another attempt may succeed.
#[tokio::test]
async fn a_code_that_librdkafka_does_not_name_comes_at_once() -> Result {
    let cluster = shop().await?;
    let broker = cluster.as_embedded().ok_or("not built in")?;
    let (producer, outcomes) = start(&config(&cluster))?;
    broker.fail_next(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN],
    )?;
    send(&producer, "orders", 1).await?;
    producer.flush().await?;
    let error = outcomes.all()[0].result.err().ok_or("tried again")?;
    assert_eq!(error.code, RDKafkaErrorCode::Unknown);
    assert_eq!(error.class(), Class::Retriable);
    Ok(())
}

/// The broker has the batch already: its records are delivered, and nobody says at which offset.
#[tokio::test]
async fn a_duplicates_answer_is_ok_without_an_offset() -> Result {
    let cluster = shop().await?;
    let broker = cluster.as_embedded().ok_or("not built in")?;
    let (producer, outcomes) = start(&config(&cluster))?;
    broker.fail_next(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER],
    )?;
    send(&producer, "orders", 2).await?;
    producer.flush().await?;
    let first = outcomes.all()[0].result?;
    assert!(first.offset < 0, "{first:?}");
    send(&producer, "orders", 1).await?;
    producer.flush().await?;
    assert!(outcomes.all()[2].result?.offset >= 0);
    Ok(())
}

/// The largest record is taken, and one byte more is refused with both sizes, as librdkafka would: with headers
/// too, whose lengths count.
#[tokio::test]
async fn the_largest_record_is_librdkafkas() -> Result {
    let cluster = shop().await?;
    let config = config(&cluster);
    let limit = usize::try_from(config.max_record_bytes)?;
    let (producer, _) = start(&config)?;
    let mut properties = ClientConfig::new();
    for (key, value) in config.properties() {
        properties.set(key, value);
    }
    let librdkafka: BaseProducer = properties.create()?;

    let large = vec![0; limit];
    let value = vec![0; 8_192];
    let headers = || {
        let trace = Header { key: "trace", value: Some(&value) };
        let none: Header<'_, &Vec<u8>> = Header { key: "n", value: None };
        OwnedHeaders::new().insert(trace).insert(none)
    };
    // Three bytes for the length of the value, one for each other length.
    let of_headers = "trace".len() + "n".len() + value.len() + 3 + 3;
    for (headers, around) in
        [(None, 36), (Some(headers()), 36 + of_headers)]
    {
        let key = b"order-1".as_slice();
        let most = limit - around - key.len();
        for (bytes, fits) in [(most, true), (most + 1, false)] {
            let payload = &large[..bytes];
            let mut record = Record::new("orders", payload, 0).key(key);
            record.headers = headers.clone();
            let refused = SendError::TooLarge {
                bytes: config.max_record_bytes as u64 + 1,
                limit: config.max_record_bytes.into(),
            };
            let expected = if fits { Ok(()) } else { Err(refused) };
            assert_eq!(producer.try_send(record), expected, "{bytes}");

            let mut record: BaseRecord<'_, [u8], [u8]> =
                BaseRecord::to("orders").key(key).payload(payload);
            record.headers = headers.clone();
            let code = librdkafka.send(record).err().and_then(
                |(error, _): (KafkaError, _)| error.rdkafka_error_code(),
            );
            let expected =
                (!fits).then_some(RDKafkaErrorCode::MessageSizeTooLarge);
            assert_eq!(code, expected, "{bytes}");
        }
    }
    Ok(())
}

/// A topic's name that no topic can have is refused at once, and is no better next time.
#[tokio::test]
async fn an_impossible_name_is_this_records_error() -> Result {
    let (producer, _) = start(&config(&shop().await?))?;
    let refused = producer.send(order("or\0ders", 0)).await;
    let code = RDKafkaErrorCode::InvalidTopic;
    let expected = SendError::Refused(DeliveryError { code });
    assert_eq!(refused, Err(expected.clone()));
    assert_eq!(expected.class(), Class::Record);
    assert_eq!(producer.under_way().records, 0);
    Ok(())
}

/// A property that librdkafka does not know is named, and its value is not: it may be a password.
#[tokio::test]
async fn a_wrong_property_is_named_without_its_value() -> Result {
    let mut config = producers::ProducerConfig::new("localhost:9092");
    config.extra.insert("sasl.pasword".into(), "hunter2".into());
    let error = start(&config).err().ok_or("started")?;
    let said = format!("{error} {error:?}");
    assert!(said.contains("sasl.pasword"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    Ok(())
}

/// zstd is not in each build of librdkafka: where it is not, the error names the property.
#[tokio::test]
async fn a_codec_that_is_not_built_in_is_named() -> Result {
    let mut config = producers::ProducerConfig::new("localhost:9092");
    config.compression = Compression::Zstd;
    match Producer::start(&config, |_| {}) {
        Ok(_) => {}
        Err(StartError::Property { property, .. }) => {
            assert_eq!(property, "compression.type");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Only a real broker keeps a topic's `max.message.bytes`.
mod real_kafka {
    use testbed::{TestTopic, TopicSpec, cluster};

    use super::*;

    /// claim: producers-a-large-batch-fails-small-records
    ///
    /// 200 records of 100 bytes for a topic that takes 10,000 bytes at once: with `batch.size` above that, all share
    /// a batch and each is called too large; with 8,000 all are stored.
    #[tokio::test]
    async fn a_large_batch_fails_small_records() -> Result {
        let cluster = cluster("admin").await?;
        let topic = TestTopic::with(
            &cluster,
            TopicSpec {
                name: "orders".to_owned(),
                partitions: 1,
                config: vec![(
                    "max.message.bytes".to_owned(),
                    "10000".to_owned(),
                )],
            },
        )
        .await?;
        let mut config = config(&cluster);
        // So long that all of them are there when the batch leaves.
        config.linger = Duration::from_secs(1);
        for (batch_bytes, stored_in_all) in [(1_000_000, 0), (8_000, 200)] {
            config.batch_bytes = batch_bytes;
            let (producer, outcomes) = start(&config)?;
            for token in 0..200 {
                let record = Record::new(topic.name(), &[b'x'; 100], token);
                producer.send(record).await?;
            }
            producer.flush().await?;
            assert_eq!(outcomes.all().len(), 200);
            for outcome in outcomes.all() {
                let code = outcome.result.err().map(|error| error.code);
                let expected = (stored_in_all == 0)
                    .then_some(RDKafkaErrorCode::MessageSizeTooLarge);
                assert_eq!(code, expected, "{batch_bytes}");
            }
            assert_eq!(stored(&cluster, topic.name())?, stored_in_all);
        }
        Ok(())
    }
}
