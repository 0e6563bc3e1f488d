//! The envelope: what every event carries, whatever happened.

use garde::Validate;
use jiff::Timestamp;
use serde::Serialize;

use crate::decode;
use crate::error::{Error, Violations};
use crate::event::Event;
use crate::ids::{CorrelationId, EventId};
use crate::rules;

/// The version of the schema that this crate writes, and the highest it reads.
///
/// It rises when a field changes its meaning, its unit or its type; it stays when an optional field or a type is
/// added, for readers ignore the one and refuse the other by name.
pub const SCHEMA_VERSION: u32 = 1;

/// The most bytes an event may take as JSON.
///
/// A reader refuses more before it parses a byte, so that what one record can cost is known: about four times this
/// in memory. Every event that keeps the rules fits (a test tries the largest), and Kafka's own default limit, a
/// megabyte for a batch, is far away.
pub const MAX_BYTES: usize = 64 * 1024;

// ANCHOR: envelope
/// An event and what every event carries.
#[derive(Clone, Debug, PartialEq, Serialize, Validate)]
pub struct Envelope<E: Event> {
    /// Names this event: seen twice, it is still one event.
    #[garde(custom(rules::set))]
    pub id: EventId,
    /// Names the flow: all that followed from one click shares it.
    #[garde(custom(rules::set))]
    pub correlation_id: CorrelationId,
    /// The event that made this one happen; none for the first.
    #[garde(inner(custom(rules::set)), custom(is_not(self.id)))]
    pub causation_id: Option<EventId>,
    /// How to read this: the version that the producer wrote.
    #[garde(custom(rules::between(1, SCHEMA_VERSION)))]
    pub schema_version: u32,
    /// When it happened, by the producer's clock.
    #[garde(custom(rules::since_2000))]
    pub occurred_at: Timestamp,
    /// What happened: `type` and `data` of the JSON text.
    #[serde(flatten)]
    #[garde(dive)]
    pub data: E,
}
// ANCHOR_END: envelope

impl<E: Event> Envelope<E> {
    /// Reads an event and checks it: what this returns keeps every rule.
    ///
    /// Unknown fields are ignored. A shape that does not fit is reported at its first place; after that, broken
    /// rules are reported all at once, each with the path of its field. Never panics, whatever the bytes.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::after_upgrade`] tells those that a newer reader may accept.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        let envelope = decode::read::<E>(bytes)?;
        envelope.check()?;
        Ok(envelope)
    }

    /// Checks the event and writes it, in one line.
    ///
    /// A producer that sends only what this returns cannot write what its readers refuse.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all broken rules; [`Error::NotWritable`] where an own event type fails to serialize.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        let json = serde_json::to_vec(self)
            .map_err(|error| Error::NotWritable { error })?;
        if json.len() > MAX_BYTES {
            return Err(Error::TooLarge { bytes: json.len() });
        }
        Ok(json)
    }

    /// Checks every rule.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all broken rules.
    pub fn check(&self) -> Result<(), Error> {
        self.validate()
            .map_err(|report| Error::Invalid(Violations::from(report)))
    }

    /// The same envelope around another event, as for `envelope.map(ShopEvent::from)`.
    pub fn map<F: Event>(self, event: impl FnOnce(E) -> F) -> Envelope<F> {
        Envelope {
            id: self.id,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            schema_version: self.schema_version,
            occurred_at: self.occurred_at,
            data: event(self.data),
        }
    }
}

/// Nothing causes itself. An event that says so sends whoever walks up the causes round in a circle.
fn is_not(
    own: EventId,
) -> impl FnOnce(&Option<EventId>, &()) -> garde::Result {
    move |cause, ()| {
        if *cause == Some(own) {
            return Err(garde::Error::new(
                "must not be the event's own id",
            ));
        }
        Ok(())
    }
}
