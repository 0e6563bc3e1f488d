//! Which order a line belongs to: correlation and causation ids.
//!
//! A **correlation id** is given once, where an order enters the shop, and handed on with every record that is
//! sent because of it. A **causation id** names the record because of which this one was sent. With the first
//! one finds all lines of an order, with the second their sequence.

use std::fmt;

use tracing::Span;

/// The id that all records and lines of one piece of business share: 1 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CorrelationId(String);

/// Names the record because of which another was sent: 1 to 300 visible ASCII characters. Kafka's own name for
/// a record is its place, so [`of_record`](Self::of_record) needs no further id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CausationId(String);

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It would make every line and every record long.
    #[error("it has {length} bytes, and {most} are the most")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The greatest length.
        most: usize,
    },
    /// It holds something that cannot be seen or searched for.
    #[error(
        "byte {at} is 0x{byte:02x}: only visible ASCII is allowed, no spaces"
    )]
    NotVisible {
        /// The index of the first such byte.
        at: usize,
        /// The byte.
        byte: u8,
    },
}

fn check(id: &[u8], most: usize) -> Result<String, IdError> {
    if id.is_empty() {
        return Err(IdError::Empty);
    }
    if id.len() > most {
        return Err(IdError::TooLong { length: id.len(), most });
    }
    match id.iter().enumerate().find(|(_, byte)| !byte.is_ascii_graphic()) {
        Some((at, &byte)) => Err(IdError::NotVisible { at, byte }),
        None => Ok(id.iter().map(|&byte| char::from(byte)).collect()),
    }
}

impl CorrelationId {
    /// The greatest length in bytes: a UUID has 36, a W3C trace id 32.
    pub const MOST: usize = 128;

    /// Takes an id that was made elsewhere: a UUID, the id of the request, the order's number.
    ///
    /// # Errors
    /// When it is empty, too long, or not of visible ASCII characters.
    pub fn new(id: impl AsRef<[u8]>) -> Result<Self, IdError> {
        check(id.as_ref(), Self::MOST).map(CorrelationId)
    }

    /// The id of 16 hexadecimal digits that stands for a number. Who draws the number sees to it that it is
    /// drawn once.
    pub fn from_number(number: u64) -> Self {
        CorrelationId(format!("{number:016x}"))
    }

    /// A new id, drawn at random from 64 bits. Among ten million ids, the chance that two are equal is one in
    /// 370 000; where that is too much, give a UUID to [`new`](Self::new).
    #[cfg(feature = "subscriber")]
    pub fn random() -> Self {
        use std::hash::{BuildHasher, RandomState};
        // The standard library seeds its hash maps from the system's random numbers, and each one differently.
        Self::from_number(RandomState::new().hash_one(std::process::id()))
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CausationId {
    /// The greatest length in bytes: a topic's name has up to 249, the numbers at most 30.
    pub const MOST: usize = 300;

    /// Takes the text of an id.
    ///
    /// # Errors
    /// When it is empty, too long, or not of visible ASCII characters.
    pub fn new(id: impl AsRef<[u8]>) -> Result<Self, IdError> {
        check(id.as_ref(), Self::MOST).map(CausationId)
    }

    /// The name of a record: `orders-1@34`.
    pub fn of_record(topic: &str, partition: i32, offset: i64) -> Self {
        CausationId(format!("{topic}-{partition}@{offset}"))
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for CausationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a record carries so that it can be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correlation {
    /// Which piece of business it belongs to.
    pub id: CorrelationId,
    /// The record because of which it was sent; none for the first.
    pub cause: Option<CausationId>,
}

impl Correlation {
    /// The first of a chain.
    pub fn start(id: CorrelationId) -> Self {
        Correlation { id, cause: None }
    }

    /// What the records carry that are sent because of the record at this place, which carries `self`.
    pub fn next(&self, topic: &str, partition: i32, offset: i64) -> Self {
        let cause = Some(CausationId::of_record(topic, partition, offset));
        Correlation { id: self.id.clone(), cause }
    }

    /// A span that gives its fields to every line inside it: `correlation_id`, and `causation_id` where there
    /// is one.
    ///
    /// In async code, use `future.instrument(correlation.span())`: a guard that is held over an `.await` marks
    /// the lines of other tasks too.
    pub fn span(&self) -> Span {
        // At level error: the line that needs the id most is the one that is written when all others are off.
        let span = tracing::error_span!(
            target: "run",
            "correlation",
            correlation_id = self.id.as_str(),
            causation_id = tracing::field::Empty,
        );
        if let Some(cause) = &self.cause {
            span.record("causation_id", cause.as_str());
        }
        span
    }
}

/// A span that names the actor of every line inside it: the field `process`.
pub fn process_span(name: &str) -> Span {
    tracing::error_span!(target: "run", "process", process = name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_are_short_and_visible() {
        assert_eq!(CorrelationId::new("").unwrap_err(), IdError::Empty);
        assert_eq!(
            CorrelationId::new("a b").unwrap_err(),
            IdError::NotVisible { at: 1, byte: b' ' }
        );
        let long = CorrelationId::new("x".repeat(129)).unwrap_err();
        assert_eq!(long, IdError::TooLong { length: 129, most: 128 });
        assert_eq!(
            long.to_string(),
            "it has 129 bytes, and 128 are the most"
        );
        assert_eq!(
            CorrelationId::new([b'a', 0xff]).unwrap_err().to_string(),
            "byte 1 is 0xff: only visible ASCII is allowed, no spaces"
        );
        assert_eq!(
            CorrelationId::from_number(255).as_str(),
            "00000000000000ff"
        );
    }

    #[test]
    fn a_record_is_named_by_its_place() {
        let longest =
            CausationId::of_record(&"t".repeat(249), i32::MAX, i64::MAX);
        assert_eq!(CausationId::new(longest.as_str()), Ok(longest));
        let first = Correlation::start(CorrelationId::from_number(1));
        let second = first.next("orders", 1, 34);
        assert_eq!(second.id, first.id);
        assert_eq!(second.cause.unwrap().to_string(), "orders-1@34");
    }

    #[cfg(feature = "subscriber")]
    #[test]
    fn random_ids_differ() {
        let ids: std::collections::HashSet<_> =
            (0..1000).map(|_| CorrelationId::random()).collect();
        assert_eq!(ids.len(), 1000);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_as_they_are_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..140)) {
            match CorrelationId::new(&bytes) {
                Ok(id) => prop_assert_eq!(id.as_str().as_bytes(), &bytes[..]),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}
