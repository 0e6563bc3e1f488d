//! What a comparison found, as values and as sentences.

use std::fmt;

use crate::line::{Line, Value};

/// Lines whose order counts: those of one process, outside or inside one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The actor; empty when a line names none.
    pub process: String,
    /// The topic and the partition, as `orders-1`.
    pub partition: Option<String>,
}

impl Group {
    /// The group of a line.
    pub fn of(line: &Line) -> Self {
        let partition = line.fields.get("partition").map(|partition| {
            let topic =
                line.fields.get("topic").map(|topic| format!("{topic}-"));
            format!("{}{partition}", topic.unwrap_or_default())
        });
        Group {
            process: line.process().unwrap_or_default().to_owned(),
            partition,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.partition {
            None => write!(f, "{}", self.process),
            Some(partition) => write!(f, "{} on {partition}", self.process),
        }
    }
}

/// Which of the two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The recorded one.
    Recorded,
    /// The one that it is compared with.
    New,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Which::Recorded => "the recording",
            Which::New => "the new run",
        })
    }
}

/// One way in which a new run differs from the recorded one. Its `Display` is a sentence.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Difference {
    /// A recorded line has none in the new run.
    Missing {
        /// Where.
        group: Group,
        /// The recorded line.
        line: String,
    },
    /// A line of the new run has none in the recording.
    Unexpected {
        /// Where.
        group: Group,
        /// The new line.
        line: String,
    },
    /// Something else happened; what follows in this group was not compared.
    Another {
        /// Where.
        group: Group,
        /// The recorded line.
        recorded: String,
        /// The new line.
        new: String,
    },
    /// A field has another value.
    Field {
        /// Where.
        group: Group,
        /// The recorded line.
        line: String,
        /// The field's name.
        field: String,
        /// Its recorded value.
        recorded: Option<Value>,
        /// Its new value.
        new: Option<Value>,
    },
    /// A name stands for two things, or two names for one.
    Identity {
        /// Where.
        group: Group,
        /// The recorded line.
        line: String,
        /// The field's name.
        field: String,
        /// Which names, and what they stand for elsewhere.
        conflict: String,
    },
    /// Fewer alike lines in a row than there must be.
    TooFew {
        /// Where.
        group: Group,
        /// The new line.
        line: String,
        /// How many there must be.
        at_least: u32,
        /// How many there are.
        count: usize,
    },
    /// A moment does not occur, or not after the one before it.
    Moment {
        /// In which run.
        which: Which,
        /// The moment's name.
        name: String,
        /// What its line would have.
        wanted: String,
        /// The moment before it.
        after: Option<String>,
    },
    /// A run must have one outcome, as its last line.
    Outcomes {
        /// Which run.
        which: Which,
        /// How many outcomes it has.
        count: usize,
    },
    /// A field of the outcome has another value.
    Outcome {
        /// The field's name.
        field: String,
        /// Its recorded value.
        recorded: Option<Value>,
        /// Its new value.
        new: Option<Value>,
    },
}

impl Difference {
    pub(super) fn missing(group: &Group, line: &Line) -> Self {
        Difference::Missing { group: group.clone(), line: in_words(line) }
    }

    pub(super) fn unexpected(group: &Group, line: &Line) -> Self {
        Difference::Unexpected {
            group: group.clone(),
            line: in_words(line),
        }
    }

    pub(super) fn another(
        group: &Group,
        recorded: &Line,
        new: &Line,
    ) -> Self {
        let (recorded, new) = (in_words(recorded), in_words(new));
        Difference::Another { group: group.clone(), recorded, new }
    }

    pub(super) fn too_few(
        group: &Group,
        line: &Line,
        at_least: u32,
        count: usize,
    ) -> Self {
        Difference::TooFew {
            group: group.clone(),
            line: in_words(line),
            at_least,
            count,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Missing { group, line } => {
                write!(
                    f,
                    "{group}: the recorded line `{line}` is missing here"
                )
            }
            Difference::Unexpected { group, line } => {
                write!(
                    f,
                    "{group}: the line `{line}` was not recorded here"
                )
            }
            Difference::Another { group, recorded, new } => {
                write!(
                    f,
                    "{group}: expected `{recorded}`, got `{new}`; lines after it were not compared"
                )
            }
            Difference::Field { group, line, field, recorded, new } => {
                let (expected, got) = (shown(recorded), shown(new));
                write!(
                    f,
                    "{group}: `{line}`: expected {field} {expected}, got {got}"
                )
            }
            Difference::Identity { group, line, field, conflict } => {
                write!(f, "{group}: `{line}`: {field}: {conflict}")
            }
            Difference::TooFew { group, line, at_least, count } => {
                write!(
                    f,
                    "{group}: expected at least {at_least} of `{line}` in a row, got {count}"
                )
            }
            Difference::Moment { which, name, wanted, after } => {
                write!(
                    f,
                    "moment \"{name}\": {which} has no line `{wanted}`"
                )?;
                after.as_ref().map_or(Ok(()), |after| {
                    write!(f, " after the moment \"{after}\"")
                })
            }
            Difference::Outcomes { which, count } => {
                write!(
                    f,
                    "{which} must end with its one outcome line; it has {count}"
                )?;
                f.write_str(if *count == 1 {
                    ", and other lines after it"
                } else {
                    ""
                })
            }
            Difference::Outcome { field, recorded, new } => {
                write!(
                    f,
                    "outcome: expected {field} {}, got {}",
                    shown(recorded),
                    shown(new)
                )
            }
        }
    }
}

fn shown(value: &Option<Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::Text(text)) => format!("{text:?}"),
        Some(value) => value.to_string(),
    }
}

/// A line without its time and its process: the group says who.
pub(super) fn in_words(line: &Line) -> String {
    let mut words = line.message.clone();
    for (name, value) in
        line.fields.iter().filter(|(name, _)| *name != "process")
    {
        words.push_str(&format!(" {name}={value}"));
    }
    words
}
