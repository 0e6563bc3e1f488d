//! The way to Kafka and back.

use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::FutureRecord;

use crate::envelope::Envelope;
use crate::error::{Error, clip};
use crate::event::Event;
use crate::key::Key;

/// A checked and encoded event with its topic, key and headers, ready to be sent.
///
/// The headers repeat what routers, filters and traces want to know without parsing the payload: `event-id`,
/// `event-type`, `schema-version`, `correlation-id`, `causation-id` where there is one, `content-type`. Where they disagree with the payload, the
/// payload is right.
#[derive(Clone, Debug)]
pub struct Record {
    topic: String,
    key: Key,
    payload: Vec<u8>,
    headers: OwnedHeaders,
}

impl<E: Event> Envelope<E> {
    /// Checks and encodes the event.
    ///
    /// # Errors
    /// As [`Envelope::to_json`].
    pub fn to_record(&self) -> Result<Record, Error> {
        let id = self.id.to_string();
        let correlation_id = self.correlation_id.to_string();
        let version = self.schema_version.to_string();
        let mut headers = [
            ("event-id", id.as_str()),
            ("event-type", self.data.type_name()),
            ("schema-version", &version),
            ("correlation-id", &correlation_id),
            ("content-type", "application/json"),
        ]
        .into_iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        });
        if let Some(cause) = self.causation_id {
            let value = Some(cause.to_string());
            headers = headers.insert(Header {
                key: "causation-id",
                value: value.as_ref(),
            });
        }
        let (topic, key) = (self.data.topic().to_owned(), self.data.key());
        Ok(Record { topic, key, payload: self.to_json()?, headers })
    }
}

impl Record {
    /// The same record for another topic, as tests need that have topics of their own.
    #[must_use]
    pub fn to_topic(self, topic: impl Into<String>) -> Self {
        Self { topic: topic.into(), ..self }
    }

    /// The topic it goes to.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The key it goes by.
    pub fn key(&self) -> &Key {
        &self.key
    }

    // ANCHOR: future_record
    /// What rdkafka's producers take.
    ///
    /// It carries no timestamp, so the client stamps it when it is sent.
    /// With `occurred_at` for a timestamp, last year's events read again
    /// and sent again would be older than the topic's retention, and gone
    /// with the next clean-up.
    pub fn future_record(&self) -> FutureRecord<'_, str, [u8]> {
        FutureRecord::to(&self.topic)
            .key(self.key.as_str())
            .payload(self.payload.as_slice())
            .headers(self.headers.clone())
    }
    // ANCHOR_END: future_record
}

/// A record that holds no event a reader may act on. Says which record; why is its source.
#[derive(Debug, thiserror::Error)]
#[error("the record {topic}[{partition}]@{offset} was refused")]
pub struct Refused {
    /// The topic it was read from.
    pub topic: String,
    /// The partition it was read from.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Why.
    #[source]
    pub error: Error,
}

/// Reads and checks the event of a record, and that it goes by the key it must.
///
/// # Errors
/// [`Refused`], with the record's place in the log. Trying again does not help; commit past it, or set it aside.
pub fn from_message<E: Event>(
    message: &impl Message,
) -> Result<Envelope<E>, Refused> {
    decode(message).map_err(|error| Refused {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        error,
    })
}

fn decode<E: Event>(message: &impl Message) -> Result<Envelope<E>, Error> {
    let envelope =
        Envelope::<E>::from_json(message.payload().unwrap_or_default())?;
    let expected = envelope.data.key();
    if message.key() == Some(expected.as_ref()) {
        return Ok(envelope);
    }
    let found =
        message.key().map(|key| clip(&String::from_utf8_lossy(key)));
    Err(Error::WrongKey { found, expected })
}

#[cfg(test)]
mod tests {
    use rdkafka::Timestamp;
    use rdkafka::message::{Headers, OwnedMessage};

    use super::*;
    use crate::event::ShopEvent;
    use crate::fixtures;

    /// The record as a consumer would get it, without a broker in between.
    fn received(
        record: &Record,
        key: Option<&[u8]>,
        payload: Option<Vec<u8>>,
    ) -> OwnedMessage {
        let key = key.map(<[u8]>::to_vec);
        let headers = Some(record.headers.clone());
        OwnedMessage::new(
            payload,
            key,
            record.topic.clone(),
            Timestamp::NotAvailable,
            1,
            17,
            headers,
        )
    }

    #[test]
    fn every_event_survives_the_way() {
        for event in fixtures::one_of_each() {
            let record = event.to_record().unwrap();
            let message = received(
                &record,
                Some(record.key.as_ref()),
                Some(record.payload.clone()),
            );
            assert_eq!(from_message::<ShopEvent>(&message).unwrap(), event);
        }
    }

    #[test]
    fn headers_tell_what_a_router_wants_to_know() {
        let event = fixtures::one_of_each().remove(1);
        let cause = event.causation_id.unwrap();
        let record = event.to_record().unwrap();
        let headers: Vec<_> = record
            .headers
            .iter()
            .map(|header| {
                let value = String::from_utf8_lossy(
                    header.value.unwrap_or_default(),
                )
                .into_owned();
                (header.key.to_owned(), value)
            })
            .collect();
        let expected = [
            ("event-id", event.id.to_string()),
            ("event-type", "user_renamed".to_owned()),
            ("schema-version", "1".to_owned()),
            ("correlation-id", event.correlation_id.to_string()),
            ("content-type", "application/json".to_owned()),
            ("causation-id", cause.to_string()),
        ];
        assert_eq!(
            headers,
            expected.map(|(key, value)| (key.to_owned(), value))
        );
    }

    #[test]
    fn a_wrong_or_missing_key_is_refused() {
        let record = fixtures::one_of_each().remove(0).to_record().unwrap();
        for key in [None, Some(&b"payment-3"[..])] {
            let message =
                received(&record, key, Some(record.payload.clone()));
            let refused = from_message::<ShopEvent>(&message).unwrap_err();
            assert_eq!(
                refused.to_string(),
                "the record users[1]@17 was refused"
            );
            assert!(
                matches!(refused.error, Error::WrongKey { .. }),
                "{:?}",
                refused.error
            );
        }
    }

    #[test]
    fn a_tombstone_is_refused() {
        let record = fixtures::one_of_each().remove(0).to_record().unwrap();
        let message = received(&record, Some(record.key.as_ref()), None);
        let refused = from_message::<ShopEvent>(&message).unwrap_err();
        assert!(
            matches!(refused.error, Error::Empty),
            "{:?}",
            refused.error
        );
    }
}
