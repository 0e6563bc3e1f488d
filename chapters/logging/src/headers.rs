//! The ids in the headers of a record.

use rdkafka::message::{Header, Headers, Message, OwnedHeaders};

use crate::correlation::{
    CausationId, Correlation, CorrelationId, IdError,
};

/// The header that holds the correlation id.
pub const CORRELATION_ID: &str = "correlation-id";

/// The header that holds the causation id.
pub const CAUSATION_ID: &str = "causation-id";

/// Why the ids could not be taken from a record's headers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The header is there and has no value.
    #[error(
        "the header `{0}` has no value: the service that sent the record must set one, or leave the header away"
    )]
    NoValue(&'static str),
    /// The header's bytes are no id.
    #[error(
        "the header `{header}` holds no id: mend the service that sent the record"
    )]
    NoId {
        /// The header's name.
        header: &'static str,
        /// What is wrong with its bytes.
        source: IdError,
    },
}

impl Correlation {
    /// Puts the ids behind the headers that are there.
    // ANCHOR: put
    pub fn put_in(&self, headers: OwnedHeaders) -> OwnedHeaders {
        let id =
            Header { key: CORRELATION_ID, value: Some(self.id.as_str()) };
        let headers = headers.insert(id);
        let Some(cause) = &self.cause else { return headers };
        headers.insert(Header {
            key: CAUSATION_ID,
            value: Some(cause.as_str()),
        })
    }
    // ANCHOR_END: put

    /// Takes the ids from a record's headers; none when it has no correlation id. Where a header stands more than
    /// once, the last one counts, as with Java's `lastHeader`.
    ///
    /// # Errors
    /// When a header is there but holds no id. A consumer decides: it may go on without.
    // ANCHOR: take
    pub fn take_from(
        message: &impl Message,
    ) -> Result<Option<Self>, HeaderError> {
        let headers = message.headers();
        let Some(id) = last(headers, CORRELATION_ID, CorrelationId::new)?
        else {
            return Ok(None);
        };
        let cause = last(headers, CAUSATION_ID, CausationId::new)?;
        Ok(Some(Correlation { id, cause }))
    }
    // ANCHOR_END: take

    /// What the records carry that are sent because of this one, which carries `self`.
    pub fn next_after(&self, message: &impl Message) -> Self {
        self.next(message.topic(), message.partition(), message.offset())
    }
}

fn last<'a, T>(
    headers: Option<&'a impl Headers>,
    name: &'static str,
    new: fn(&'a [u8]) -> Result<T, IdError>,
) -> Result<Option<T>, HeaderError> {
    let Some(header) = headers.and_then(|headers| {
        headers.iter().filter(|header| header.key == name).last()
    }) else {
        return Ok(None);
    };
    let value = header.value.ok_or(HeaderError::NoValue(name))?;
    new(value)
        .map(Some)
        .map_err(|source| HeaderError::NoId { header: name, source })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rdkafka::Timestamp;
    use rdkafka::message::OwnedMessage;

    use super::*;

    fn message(headers: Option<OwnedHeaders>) -> OwnedMessage {
        OwnedMessage::new(
            None,
            None,
            "orders".into(),
            Timestamp::NotAvailable,
            1,
            34,
            headers,
        )
    }

    fn with(headers: &[(&str, Option<&[u8]>)]) -> OwnedMessage {
        let put = |all: OwnedHeaders,
                   (key, value): &(&str, Option<&[u8]>)| {
            all.insert(Header { key, value: *value })
        };
        message(Some(headers.iter().fold(OwnedHeaders::new(), put)))
    }

    #[test]
    fn what_is_put_in_is_taken_out() {
        let first = Correlation::start(CorrelationId::from_number(7));
        let sent = message(Some(first.put_in(OwnedHeaders::new())));
        assert_eq!(Correlation::take_from(&sent), Ok(Some(first.clone())));
        let next = first.next_after(&sent);
        let sent = message(Some(next.put_in(OwnedHeaders::new())));
        assert_eq!(
            Correlation::take_from(&sent)
                .unwrap()
                .unwrap()
                .cause
                .unwrap()
                .as_str(),
            "orders-1@34"
        );
    }

    #[test]
    fn a_record_without_the_header_is_no_error() {
        assert_eq!(Correlation::take_from(&message(None)), Ok(None));
        assert_eq!(
            Correlation::take_from(&with(&[("type", Some(b"order"))])),
            Ok(None)
        );
    }

    #[test]
    fn the_last_header_counts() {
        let sent = with(&[
            (CORRELATION_ID, Some(b"old")),
            (CORRELATION_ID, Some(b"new")),
        ]);
        assert_eq!(
            Correlation::take_from(&sent).unwrap().unwrap().id.as_str(),
            "new"
        );
    }

    #[test]
    fn bad_headers_say_what_is_wrong() {
        let none = Correlation::take_from(&with(&[(CORRELATION_ID, None)]))
            .unwrap_err();
        assert_eq!(none, HeaderError::NoValue(CORRELATION_ID));
        let bytes: &[u8] = &[0xff, 0xfe];
        let error =
            Correlation::take_from(&with(&[(CORRELATION_ID, Some(bytes))]))
                .unwrap_err();
        assert!(error.to_string().contains("`correlation-id`"), "{error}");
        let good: &[u8] = b"c-1";
        let cause = Correlation::take_from(&with(&[
            (CORRELATION_ID, Some(good)),
            (CAUSATION_ID, Some(b"")),
        ]));
        assert_eq!(
            cause,
            Err(HeaderError::NoId {
                header: CAUSATION_ID,
                source: IdError::Empty
            })
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let taken = Correlation::take_from(&with(&[(CORRELATION_ID, Some(&bytes))]));
            prop_assert_eq!(taken.is_ok(), CorrelationId::new(&bytes).is_ok());
        }
    }
}
