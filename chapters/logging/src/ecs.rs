//! The JSON form: one object a line, with the field names of the Elastic Common Schema.
//!
//! A field goes to the first of these that takes its name and the type of its value:
//!
//! 1. the ECS name of one of our own short names: `process` is `service.name`;
//! 2. Kafka's own particulars below `kafka.`, named as Filebeat's Kafka input names them;
//! 3. a field that was written with its ECS name: `http.response.status_code`;
//! 4. `labels.`, where ECS keeps custom fields, with `_` for each dot of the name.
//!
//! The type counts because Elasticsearch refuses a whole line when one field has the wrong type.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::line::{Fields, Level, Line, Value};
use crate::timestamp;

/// The version of the Elastic Common Schema that the JSON form follows.
pub const ECS_VERSION: &str = "9.4.0";

/// Names and types of that version: those field sets that a service's log lines may use.
const ECS_FIELDS: &str = include_str!("ecs/fields.csv");

/// What Elasticsearch stores a field as, as far as our lines need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// `keyword` and the text types: any value serves.
    Text,
    /// `long`: whole numbers only.
    Long,
    /// `boolean`.
    Boolean,
    /// A type that no value of a log line has: dates, addresses, objects.
    Other,
}

impl Stored {
    fn takes(self, value: &Value) -> bool {
        match self {
            Stored::Text => true,
            Stored::Long => matches!(value, Value::Int(_)),
            Stored::Boolean => matches!(value, Value::Bool(_)),
            Stored::Other => false,
        }
    }
}

/// Our short names and their ECS names.
// ANCHOR: names
pub const ECS_NAMES: &[(&str, &str)] = &[
    ("process", "service.name"),
    ("trace_id", "trace.id"),
    ("span_id", "span.id"),
    ("error", "error.message"),
    ("error_code", "error.code"),
    ("code", "event.code"),
    ("thread", "process.thread.name"),
    ("exit_code", "process.exit_code"),
];
// ANCHOR_END: names

/// The fields of our declared namespace, `kafka.`: ECS has no names for them.
pub const KAFKA_NAMES: &[(&str, Stored)] = &[
    ("topic", Stored::Text),
    ("partition", Stored::Long),
    ("offset", Stored::Long),
    ("key", Stored::Text),
    ("group", Stored::Text),
    ("member_id", Stored::Text),
    ("generation", Stored::Long),
    ("producer_id", Stored::Long),
    ("transactional_id", Stored::Text),
    ("broker", Stored::Long),
    ("leader", Stored::Long),
    ("leader_epoch", Stored::Long),
    ("lag", Stored::Long),
];

/// `event.duration` counts nanoseconds; lines count milliseconds.
const DURATION: (&str, &str, i64) =
    ("duration_ms", "event.duration", 1_000_000);

/// The names that every line has and that no field may take.
const OF_THE_LINE: [&str; 5] =
    ["@timestamp", "log.level", "message", "ecs.version", "log.logger"];

/// What ECS stores a field as; none when it has no field of that name, or our list leaves out its field set.
pub fn stored_as(ecs_name: &str) -> Option<Stored> {
    static SORTED: OnceLock<Vec<(&str, &str)>> = OnceLock::new();
    let sorted = SORTED.get_or_init(|| {
        let lines =
            ECS_FIELDS.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split_once(',')).collect()
    });
    let at =
        sorted.binary_search_by_key(&ecs_name, |(name, _)| name).ok()?;
    Some(match sorted[at].1 {
        "keyword" | "constant_keyword" | "wildcard" | "match_only_text"
        | "text" => Stored::Text,
        "long" => Stored::Long,
        "boolean" => Stored::Boolean,
        _ => Stored::Other,
    })
}

/// The short name under which lines carry a field, whichever of its names was written.
///
/// So `service.name` in a span and `process` on a line are one field, and the line's value wins.
pub fn short_name(written: &str) -> Cow<'_, str> {
    let written = written.strip_prefix("r#").unwrap_or(written);
    let short = match written.split_once('.') {
        None => written,
        Some(("kafka", name)) if kafka_type(name).is_some() => name,
        Some(("labels", name)) => name,
        Some(_) => {
            let known = ECS_NAMES.iter().find(|(_, ecs)| *ecs == written);
            known.map_or(written, |(short, _)| short)
        }
    };
    // A recording keeps these beside the fields.
    match short {
        "message" | "level" | "t_ms" => Cow::Owned(format!("{short}_")),
        _ if OF_THE_LINE.contains(&short) => {
            Cow::Owned(short.replace(['.', '@'], "_"))
        }
        _ if short.contains('.') && stored_as(short).is_none() => {
            Cow::Owned(short.replace('.', "_"))
        }
        _ => Cow::Borrowed(short),
    }
}

fn kafka_type(name: &str) -> Option<Stored> {
    KAFKA_NAMES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, stored)| *stored)
}

/// The time and the service of a line: what the JSON form needs beside the line.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub micros: i64,
    /// `service.name` of a line that has no field `process`.
    pub service: &'a str,
}

/// Appends a line as one JSON object and a line end.
pub fn write_json(line: &Line, stamp: Stamp<'_>, out: &mut String) {
    // `@timestamp`, `log.level` and `message` first, in this order: Elastic's logging specification asks for it,
    // so that the line can be read by people too.
    out.push_str("{\"@timestamp\":\"");
    timestamp::write(out, stamp.micros);
    out.push_str("\",\"log.level\":\"");
    out.push_str(line.level.as_str());
    out.push_str("\",\"message\":");
    push_string(out, &line.message);
    out.push_str(",\"ecs.version\":\"");
    out.push_str(ECS_VERSION);
    out.push_str("\",\"log.logger\":");
    push_string(out, &line.target);
    if line.process().is_none() {
        out.push_str(",\"service.name\":");
        push_string(out, stamp.service);
    }
    for (name, value) in line.fields.iter() {
        out.push(',');
        push_field(out, name, value);
    }
    out.push_str("}\n");
}

fn push_field(out: &mut String, name: &str, value: &Value) {
    if let (true, Value::Int(ms)) = (name == DURATION.0, value)
        && let Some(nanos) = ms.checked_mul(DURATION.2)
    {
        push_string(out, DURATION.1);
        out.push(':');
        push_value(out, &Value::Int(nanos));
        return;
    }
    let ecs = ECS_NAMES
        .iter()
        .find(|(short, _)| *short == name)
        .map(|(_, ecs)| *ecs);
    let own = ecs.or_else(|| {
        (name.contains('.') && name != DURATION.1).then_some(name)
    });
    match own {
        Some(ecs) if fits(ecs, value) => push_string(out, ecs),
        _ if kafka_type(name).is_some_and(|stored| stored.takes(value)) => {
            push_string(out, &format!("kafka.{name}"));
        }
        _ => {
            push_string(out, &format!("labels.{}", name.replace('.', "_")))
        }
    }
    out.push(':');
    push_value(out, value);
}

/// Whether ECS has this field and stores values like this one in it. The actor must be text.
fn fits(ecs: &str, value: &Value) -> bool {
    let actor = ecs != "service.name" || value.as_str().is_some();
    actor && stored_as(ecs).is_some_and(|stored| stored.takes(value))
}

fn push_string(out: &mut String, text: &str) {
    // Strings and finite numbers always serialize.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

fn push_value(out: &mut String, value: &Value) {
    out.push_str(&serde_json::to_string(value).unwrap_or_default());
}

/// Why a text is not one of our JSON lines.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonLineError {
    /// Not an object of plain values.
    #[error("it is no JSON object of strings, numbers and booleans")]
    Json(#[from] serde_json::Error),
    /// A field that every line has is missing.
    #[error(
        "it has no `{0}`, or one in another form than `logging` writes"
    )]
    Missing(&'static str),
}

/// Reads what [`write_json`] wrote: the line (its `t_ms` is 0) and its time in microseconds since 1970.
///
/// # Errors
/// When the text is not such a line.
pub fn read_json(text: &str) -> Result<(i64, Line), JsonLineError> {
    let mut all: Fields = serde_json::from_str(text)?;
    let mut take = |name: &'static str| match all.remove(name) {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(JsonLineError::Missing(name)),
    };
    let micros = timestamp::parse(&take("@timestamp")?)
        .ok_or(JsonLineError::Missing("@timestamp"))?;
    let level = Level::parse(&take("log.level")?)
        .ok_or(JsonLineError::Missing("log.level"))?;
    let (message, target) = (take("message")?, take("log.logger")?);
    take("ecs.version")?;
    let mut fields = Fields::new();
    for (name, value) in all.iter() {
        match value {
            Value::Int(nanos) if name == DURATION.1 => {
                fields.set(DURATION.0, nanos / DURATION.2)
            }
            _ => fields.set(short_name(name).into_owned(), value.clone()),
        }
    }
    Ok((micros, Line { t_ms: 0, level, target, message, fields }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(line: &Line) -> String {
        let mut out = String::new();
        write_json(
            line,
            Stamp { micros: 1_709_251_199_000_250, service: "shop" },
            &mut out,
        );
        out
    }

    #[test]
    fn the_list_is_sorted_and_of_the_version_that_lines_claim() {
        let names: Vec<_> = ECS_FIELDS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert!(
            names.windows(2).all(|pair| pair[0] < pair[1]),
            "binary search needs order"
        );
        assert!(
            ECS_FIELDS
                .lines()
                .next()
                .is_some_and(|first| first.contains(ECS_VERSION))
        );
        for name in OF_THE_LINE {
            assert!(stored_as(name).is_some(), "{name} is no ECS field");
        }
        for (_, name) in ECS_NAMES {
            assert!(stored_as(name).is_some(), "{name} is no ECS field");
        }
        assert_eq!(stored_as(DURATION.1), Some(Stored::Long));
        assert_eq!(stored_as("service.nmae"), None);
    }

    #[test]
    fn a_line_in_full() {
        let line = Line::new(0, "acknowledged")
            .with("process", "checkout")
            .with("topic", "orders")
            .with("partition", 1)
            .with("offset", 34)
            .with("correlation_id", "9f86d081884c7d65")
            .with("duration_ms", 12)
            .with("http.response.status_code", 201)
            .with("retry", true);
        insta::assert_snapshot!(json(&line).replace(",\"", ",\n\""));
    }

    #[test]
    fn a_value_of_the_wrong_type_goes_to_the_labels() {
        let line = Line::new(0, "assigned")
            .with("partition", "0,1")
            .with("process", 7);
        let json = json(&line);
        assert!(json.contains(r#""labels.partition":"0,1""#), "{json}");
        assert!(json.contains(r#""labels.process":7"#), "{json}");
        assert!(json.contains(r#""service.name":"shop""#), "{json}");
    }

    #[test]
    fn names_of_the_line_itself_are_not_taken() {
        assert_eq!(short_name("log.level"), "log_level");
        assert_eq!(short_name("message"), "message_");
        assert_eq!(short_name("r#type"), "type");
        assert_eq!(short_name("service.name"), "process");
        assert_eq!(short_name("kafka.topic"), "topic");
        assert_eq!(short_name("kafka.nonsense"), "kafka_nonsense");
    }

    #[test]
    fn lines_that_are_not_ours_are_refused() {
        for text in [
            "",
            "hello",
            "[]",
            "{}",
            r#"{"@timestamp":"yesterday"}"#,
            r#"{"a":{"b":1}}"#,
        ] {
            assert!(read_json(text).is_err(), "{text}");
        }
    }

    pub(crate) fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<bool>().prop_map(Value::from),
            // Durations are multiplied by a million.
            (-1_000_000_000_i64..1_000_000_000_000).prop_map(Value::from),
            // Eighths have a short decimal form; serde_json may change the last bit of others.
            any::<i32>().prop_map(|x| Value::from(f64::from(x) / 8.0)),
            ".{0,20}".prop_map(Value::from),
        ]
    }

    fn any_line() -> impl Strategy<Value = Line> {
        let name = prop_oneof![
            prop::sample::select(vec![
                "process",
                "topic",
                "partition",
                "offset",
                "key",
                "error",
                "duration_ms",
                "trace_id",
                "correlation_id",
                "http.request.method",
                "thread",
                "event.duration",
                "message",
                "a.b",
            ])
            .prop_map(str::to_owned),
            "[a-z_.]{1,12}",
        ]
        .prop_map(|name| short_name(&name).into_owned());
        (".{1,12}", prop::collection::vec((name, any_value()), 0..8))
            .prop_map(|(message, fields)| {
                let mut line = Line::new(0, message);
                line.fields = fields.into_iter().collect();
                line
            })
    }

    proptest! {
        /// claim: every-name-is-the-schemas
        #[test]
        fn every_name_is_of_ecs_or_declared(line in any_line()) {
            let all: Fields = serde_json::from_str(&json(&line)).unwrap();
            for (name, value) in all.iter() {
                let declared = name.strip_prefix("kafka.").and_then(kafka_type);
                let label = name.strip_prefix("labels.").is_some_and(|label| !label.contains('.'));
                let stored = stored_as(name).or(declared);
                prop_assert!(label || stored.is_some(), "{name} is neither of ECS nor declared");
                let date = name == "@timestamp";
                prop_assert!(label || date || stored.unwrap().takes(value), "{name}: {value}");
            }
        }

        #[test]
        fn what_is_written_is_read(line in any_line(), process in ".{0,9}") {
            let line = line.with("process", process);
            let (micros, read) = read_json(json(&line).trim_end()).unwrap();
            prop_assert_eq!(micros, 1_709_251_199_000_250);
            // Two spellings of one duration are one field when read.
            prop_assume!(line.fields.get("event.duration").is_none());
            prop_assert_eq!(read, line);
        }

        #[test]
        fn no_value_is_written_twice(line in any_line()) {
            let text = json(&line);
            let map: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
            let fixed = 5 + usize::from(line.process().is_none());
            prop_assert!(map.len() <= fixed + line.fields.iter().count());
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            let _ = read_json(&text);
        }
    }
}
