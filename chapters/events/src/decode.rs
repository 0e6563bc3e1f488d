//! From bytes to an event, in steps that each have an error of their own.
//!
//! 1. Not too large, and JSON at all.
//! 2. A version and a type that this reader knows.
//! 3. The shape that the type promises.
//!
//! The text is parsed twice, since what `data` must look like is known only after `type` was read, and JSON objects
//! have no order. The usual way around that (serde's `tag`) copies the text into a tree and loses the paths on the
//! way; a second pass over at most 64 KiB does not.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::envelope::{Envelope, MAX_BYTES, SCHEMA_VERSION};
use crate::error::{Error, clip};
use crate::event::Event;
use crate::ids::{CorrelationId, EventId};

/// What must be read before the rest can be.
#[derive(Deserialize)]
struct Head {
    schema_version: u32,
    r#type: String,
}

/// The envelope as it is written, with the data of one type.
#[derive(Deserialize)]
struct Wire<T> {
    id: EventId,
    correlation_id: CorrelationId,
    causation_id: Option<EventId>,
    schema_version: u32,
    occurred_at: Timestamp,
    data: T,
}

/// The text of an event whose type is known.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a>(&'a [u8]);

impl Json<'_> {
    /// Reads the envelope with data of type `T` and wraps the data into its event.
    ///
    /// # Errors
    /// [`Error::Shape`], with the path of the first field that is missing or of another type.
    pub fn read<T: DeserializeOwned, E: Event>(
        self,
        wrap: impl FnOnce(T) -> E,
    ) -> Result<Envelope<E>, Error> {
        // That it is JSON is known by now: whatever is wrong here is wrong with the shape.
        let wire: Wire<T> =
            parse(self.0).map_err(|(path, error)| shape(&path, &error))?;
        Ok(Envelope {
            id: wire.id,
            correlation_id: wire.correlation_id,
            causation_id: wire.causation_id,
            schema_version: wire.schema_version,
            occurred_at: wire.occurred_at,
            data: wrap(wire.data),
        })
    }
}

/// Reads an event without checking its rules.
pub(crate) fn read<E: Event>(bytes: &[u8]) -> Result<Envelope<E>, Error> {
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge { bytes: bytes.len() });
    }
    let head: Head =
        parse(bytes).map_err(|(path, error)| match error.is_data() {
            true => shape(&path, &error),
            false => Error::NotJson { reason: clip(&error.to_string()) },
        })?;
    if head.schema_version > SCHEMA_VERSION {
        return Err(Error::NewerSchema { found: head.schema_version });
    }
    E::decode(&head.r#type, Json(bytes)).unwrap_or_else(|| {
        Err(Error::UnknownType {
            found: clip(&head.r#type),
            known: E::types(),
        })
    })
}

/// Parses the whole text; an error comes with the path of the place that it is about.
fn parse<T: DeserializeOwned>(
    bytes: &[u8],
) -> Result<T, (String, serde_json::Error)> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| (error.path().to_string(), error.into_inner()))?;
    json.end().map_err(|error| (String::new(), error))?;
    Ok(value)
}

fn shape(path: &str, error: &serde_json::Error) -> Error {
    // serde_path_to_error writes the root, which has no name, as a dot.
    let path = if path == "." { String::new() } else { clip(path) };
    Error::Shape { path, reason: clip(&error.to_string()) }
}
