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
/// It rises when a field changes its meaning, its unit or its type, and when a closed list gets a value: a currency, a
/// reason, a method. A reader that does not know the value cannot tell it from a slip, and refuses the record for good;
/// a version that it does not know it keeps for later. The version stays when an optional field or a type is added, for
/// readers ignore the one and refuse the other by name.
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::event::ShopEvent;

    /// A value that a closed list has not got is no newer type and no newer version, so its record is refused for good.
    /// Who adds one here also raises the version, and then this changes in both places.
    #[test]
    fn the_closed_lists_of_this_version() {
        let events = crate::fixtures::one_of_each();
        let lists =
            ["/data/total/currency", "/data/reason", "/data/method"];
        let mut refused = Vec::new();
        for event in events {
            let text = serde_json::to_value(&event).unwrap();
            for at in lists.iter().filter(|at| text.pointer(at).is_some()) {
                let mut text = text.clone();
                *text.pointer_mut(at).unwrap() = json!("new");
                let read = |text: &Value| {
                    Envelope::<ShopEvent>::from_json(
                        text.to_string().as_bytes(),
                    )
                    .unwrap_err()
                };
                let error = read(&text);
                assert!(!error.after_upgrade(), "{error}");
                // As far as it says what it would have taken.
                let said = error.to_string();
                let said =
                    said.split(" at line").next().unwrap_or_default();
                refused.push(format!("{}: {said}", event.data.type_name()));
                // With a higher version the reader knows that it does not know.
                text["schema_version"] = json!(SCHEMA_VERSION + 1);
                assert!(read(&text).after_upgrade());
            }
        }
        let lists =
            format!("version {SCHEMA_VERSION}\n{}", refused.join("\n"));
        insta::assert_snapshot!(lists, @r"
        version 1
        order_placed: data.total.currency: not one of the shop's currencies (CHF, EUR, GBP, JPY, KWD, SEK, USD)
        payment_failed: data.reason: unknown variant `new`, expected `declined` or `timed_out`
        payment_captured: data.method: unknown variant `new`, expected one of `card`, `voucher`, `transfer`
        order_cancelled: data.reason: unknown variant `new`, expected one of `customer`, `out_of_stock`, `unpaid`
        ");
    }
}
