//! One log line as a value: a level, a message, and fields in the order in which they were written.
//!
//! Every form (terminal text, JSON, a recording) is made from this one type, so that none can show what
//! another does not have.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How much a line matters. Ordered: `Trace < Error`.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// One line a record, in the hot path of a library. Off unless asked for.
    Trace,
    /// What a developer of the program wants to know.
    Debug,
    /// What happened.
    #[default]
    Info,
    /// What happened and should not happen often.
    Warn,
    /// What failed.
    Error,
}

impl Level {
    /// The name in small letters, as JSON lines have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }

    /// The level of that name, in small or capital letters.
    pub fn parse(name: &str) -> Option<Self> {
        [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error]
            .into_iter()
            .find(|level| level.as_str().eq_ignore_ascii_case(name))
    }
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that fits into `i64`: offsets, partitions, counts, milliseconds.
    Int(i64),
    /// A finite number with a fraction.
    Float(f64),
    /// Everything else, as its `Display` or `Debug` form.
    Text(String),
}

impl Value {
    /// The text of a text value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of a whole-number value.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(value) => value.fmt(f),
            Value::Int(value) => value.fmt(f),
            Value::Float(value) => value.fmt(f),
            Value::Text(value) => value.fmt(f),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Value::Int(value.into())
    }
}

/// Numbers above `i64::MAX` become text: JSON readers that hold numbers as doubles would change them.
impl From<u64> for Value {
    fn from(value: u64) -> Self {
        i64::try_from(value)
            .map_or_else(|_| Value::Text(value.to_string()), Value::Int)
    }
}

/// Infinities and NaN become text: JSON has no number for them.
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        if value.is_finite() {
            Value::Float(value)
        } else {
            Value::Text(value.to_string())
        }
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(value)
    }
}

/// Fields in the order in which they were written; a name stands once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(String, Value)>);

impl Fields {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a field: a name that is there already keeps its place and takes the new value.
    pub fn set(
        &mut self,
        name: impl AsRef<str> + Into<String>,
        value: impl Into<Value>,
    ) {
        match self.0.iter_mut().find(|(known, _)| known == name.as_ref()) {
            Some((_, old)) => *old = value.into(),
            None => self.0.push((name.into(), value.into())),
        }
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Every field, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes all fields out and keeps the memory, for the next line.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<N: Into<String> + AsRef<str>, V: Into<Value>> FromIterator<(N, V)>
    for Fields
{
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut all = Fields::new();
        for (name, value) in fields {
            all.set(name, value);
        }
        all
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(
        &self,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object whose values are strings, numbers or booleans")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Fields, A::Error> {
                let mut fields = Fields::new();
                while let Some((name, value)) =
                    map.next_entry::<String, Value>()?
                {
                    fields.set(name, value);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// One log line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Milliseconds since the first line of the run.
    pub t_ms: u64,
    /// How much it matters.
    pub level: Level,
    /// Who wrote it: [`RUN`](crate::RUN) for the lines that tell the story of a run, `librdkafka` for the
    /// client's own, a module's path for the rest.
    pub target: String,
    /// What happened: a word of the [vocabulary](crate::vocabulary), or any text.
    pub message: String,
    /// The particulars. `process` names the actor.
    pub fields: Fields,
}

impl Line {
    /// A line of a run's story at level info, with no fields yet.
    pub fn new(t_ms: u64, message: impl Into<String>) -> Self {
        Line {
            t_ms,
            level: Level::Info,
            target: crate::RUN.to_owned(),
            message: message.into(),
            fields: Fields::new(),
        }
    }

    /// The line with one more field.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.set(name, value);
        self
    }

    /// The actor: the text of the field `process`.
    pub fn process(&self) -> Option<&str> {
        self.fields.get("process").and_then(Value::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_set_twice_keeps_its_place_and_takes_the_new_value() {
        let fields: Fields = [("a", 1), ("b", 2), ("a", 3)]
            .map(|(n, v)| (n, i64::from(v)))
            .into_iter()
            .collect();
        let all: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name, value.as_int()))
            .collect();
        assert_eq!(all, [("a", Some(3)), ("b", Some(2))]);
    }

    #[test]
    fn fields_keep_their_order_through_json() {
        let text = r#"{"zebra":1,"apple":"x","mango":true,"fig":0.5}"#;
        let fields: Fields = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&fields).unwrap(), text);
    }

    #[test]
    fn numbers_that_json_readers_would_change_become_text() {
        assert_eq!(
            Value::from(u64::MAX),
            Value::Text("18446744073709551615".into())
        );
        assert_eq!(Value::from(f64::NAN), Value::Text("NaN".into()));
        assert_eq!(Value::from(7_u64), Value::Int(7));
    }

    #[test]
    fn levels_are_ordered_and_named() {
        assert!(Level::Trace < Level::Debug && Level::Warn < Level::Error);
        assert_eq!(Level::parse("WARN"), Some(Level::Warn));
        assert_eq!(Level::parse("loud"), None);
    }
}
