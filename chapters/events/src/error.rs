//! Why an event was refused, where, and what to do about it.

use std::fmt;

use crate::envelope::{MAX_BYTES, SCHEMA_VERSION};
use crate::key::Key;

/// Why an event was refused.
///
/// None of these goes away by trying again. Two go away when the reader is upgraded: [`Error::after_upgrade`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no text at all: a tombstone, or a producer that sent nothing.
    #[error(
        "there is no payload; these topics are not compacted, so nobody may send a tombstone"
    )]
    Empty,
    /// More than [`MAX_BYTES`]; nothing of it was parsed.
    #[error(
        "{bytes} bytes, and an event may take {MAX_BYTES}; put what is large elsewhere and send its address"
    )]
    TooLarge {
        /// The size found.
        bytes: usize,
    },
    /// Not JSON, or cut off.
    #[error(
        "not JSON: {reason}; look at what the producer sent, another format or half a text"
    )]
    NotJson {
        /// What the parser said.
        reason: String,
    },
    /// A field is missing or of another type.
    #[error("{}{reason}; fix the producer, readers cannot guess", At(path))]
    Shape {
        /// The path of the field; of the object around it, when it is missing; empty for the whole text.
        path: String,
        /// What the parser said.
        reason: String,
    },
    /// A type this reader does not know.
    #[error(
        "type: \"{found}\" is none of {}; upgrade this reader, or set the record aside until it is",
        Types(known)
    )]
    UnknownType {
        /// The type found, shortened when long.
        found: String,
        /// The types this reader knows.
        known: Vec<&'static str>,
    },
    /// A schema version this reader does not know.
    #[error(
        "schema_version: is {found}, and this reader knows up to {SCHEMA_VERSION}; upgrade this reader first, \
         and producers after it"
    )]
    NewerSchema {
        /// The version found.
        found: u32,
    },
    /// Broken rules, all of them.
    #[error("{0}; fix the producer, this record will never be valid")]
    Invalid(Violations),
    /// The record goes by another key than its event must.
    #[error(
        "the record's key is {}, and the event goes by {expected}; key by `Event::key`, \
         or what happened to one order is read out of order",
        match found { Some(key) => format!("\"{key}\""), None => "missing".to_owned() }
    )]
    WrongKey {
        /// The record's key, shortened when long.
        found: Option<String>,
        /// The key it should have.
        expected: Key,
    },
    /// An event that cannot be written as JSON: a bug of its type.
    #[error(
        "the event cannot be written as JSON; its type has a map with keys that are no text, or the like"
    )]
    NotWritable {
        /// What the serializer said.
        #[source]
        error: serde_json::Error,
    },
}

impl Error {
    /// Whether a newer release of this reader may accept the same bytes.
    ///
    /// Such records are worth keeping for later; all others are broken for good.
    pub fn after_upgrade(&self) -> bool {
        match self {
            // The producer knows more than we do. This is how a roll-out in the wrong order looks.
            Self::UnknownType { .. } | Self::NewerSchema { .. } => true,
            // An event never grows valid: the rules of a version, and its closed lists, change only by a new version.
            Self::Empty
            | Self::TooLarge { .. }
            | Self::NotJson { .. }
            | Self::Shape { .. }
            | Self::Invalid(_)
            | Self::WrongKey { .. }
            | Self::NotWritable { .. } => false,
        }
    }

    /// The paths of the fields at fault; none where the text as a whole is.
    pub fn paths(&self) -> Vec<&str> {
        match self {
            Self::Shape { path, .. } => vec![path],
            Self::UnknownType { .. } => vec!["type"],
            Self::NewerSchema { .. } => vec!["schema_version"],
            Self::Invalid(violations) => {
                violations.iter().map(|v| v.path.as_str()).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field in the JSON text, such as `data.items[2].quantity`; empty for the whole.
    pub path: String,
    /// What the rule is and what was found.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", At(&self.path), self.message)
    }
}

/// All the rules that one event breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// How many of them Display shows. A hostile order of a thousand broken items must not make a log line of a
    /// hundred kilobytes.
    const SHOWN: usize = 8;

    /// The violations, in the order of their fields' names.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.0.iter()
    }
}

impl From<garde::Report> for Violations {
    fn from(report: garde::Report) -> Self {
        let violation =
            |(path, error): (garde::Path, garde::Error)| Violation {
                path: path.to_string(),
                message: error.message().to_owned(),
            };
        Self(report.into_inner().into_iter().map(violation).collect())
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, violation) in self.0.iter().take(Self::SHOWN).enumerate() {
            let between = if n == 0 { "" } else { "; " };
            write!(f, "{between}{violation}")?;
        }
        match self.0.len().saturating_sub(Self::SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// `path: `, or nothing for the whole text.
struct At<'a>(&'a str);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{}: ", self.0) }
    }
}

/// The types a reader knows: by name where they are few, by number where a list would bury the message.
struct Types<'a>(&'a [&'static str]);

impl fmt::Display for Types<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            0..=4 => f.write_str(&self.0.join(", ")),
            many => write!(f, "the {many} that this reader knows"),
        }
    }
}

/// What somebody else wrote, fit for a log line: no control characters, which could forge lines of their own, and
/// no more than 160 characters.
pub(crate) fn clip(text: &str) -> String {
    const MOST: usize = 160;
    let mut clean: String =
        text.chars()
            .take(MOST)
            .map(|c| {
                if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }
            })
            .collect();
    if text.chars().nth(MOST).is_some() {
        clean.push('…');
    }
    clean
}
