//! The terminal form: short aligned lines, and a colour for each process and each partition.
//!
//! ```text
//!    0.012  checkout    acknowledged  orders-1@34  key=order-1017  [9f86d081884c7d65]
//! ```
//!
//! Seconds since the first line; who; what; where (topic, partition, offset); the other fields; the
//! correlation id in brackets. Without colour this is also the transcript of a recording.

use std::fmt::Write;

use crate::line::{Level, Line, Value};

/// Colours that can be told apart on dark and on light ground: cyan, green, magenta, yellow, blue, red.
const COLOURS: [u8; 6] = [36, 32, 35, 33, 34, 31];

const DIM: u8 = 2;
const BOLD: u8 = 1;

/// Gives each process a colour, in the order in which they first appear.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    processes: Vec<String>,
}

impl Palette {
    /// A program with more actors than this shares colours; the list must not grow with what a network sends.
    const MOST: usize = 64;

    fn of_process(&mut self, name: &str) -> u8 {
        let at = self
            .processes
            .iter()
            .position(|known| known == name)
            .unwrap_or_else(|| {
                if self.processes.len() < Self::MOST {
                    self.processes.push(name.to_owned());
                }
                self.processes.len() - 1
            });
        COLOURS[at % COLOURS.len()]
    }

    fn of_partition(partition: i64) -> u8 {
        let colours = COLOURS.len() as i64;
        COLOURS[usize::try_from(partition.rem_euclid(colours)).unwrap_or(0)]
    }
}

/// Appends a line and a line end. With a palette it is coloured by ANSI escapes, else plain.
pub fn write_text(
    line: &Line,
    palette: Option<&mut Palette>,
    out: &mut String,
) {
    let start = out.len();
    let coloured = palette.is_some();
    let mut put = |colour: Option<u8>, text: &str| match colour
        .filter(|_| coloured)
    {
        // Writing to a String cannot fail.
        Some(colour) => {
            let _ = write!(out, "\x1b[{colour}m{text}\x1b[0m");
        }
        None => out.push_str(text),
    };

    put(
        Some(DIM),
        &format!("{:>5}.{:03}  ", line.t_ms / 1000, line.t_ms % 1000),
    );

    let who = line.process().unwrap_or_else(|| {
        line.target.rsplit("::").next().unwrap_or_default()
    });
    let who = printable(who);
    let colour = match palette {
        Some(palette) if line.process().is_some() => {
            palette.of_process(&who)
        }
        _ => DIM,
    };
    put(Some(colour), &format!("{who:<10}"));
    put(None, "  ");

    let what = match line.level {
        Level::Info => printable(&line.message),
        level => format!(
            "{}: {}",
            level.as_str().to_uppercase(),
            printable(&line.message)
        ),
    };
    let emphasis = match line.level {
        Level::Error => Some(31),
        Level::Warn => Some(33),
        Level::Info => Some(BOLD).filter(|_| line.target == crate::RUN),
        _ => Some(DIM),
    };
    put(emphasis, &format!("{what:<12}"));

    let topic = line.fields.get("topic").and_then(Value::as_str);
    let partition = line.fields.get("partition").and_then(Value::as_int);
    let offset = line.fields.get("offset").and_then(Value::as_int);
    let mut shown = vec!["process", "correlation_id", "causation_id"];
    if let Some(topic) = topic {
        shown.push("topic");
        let mut place = printable(topic);
        if let Some(partition) = partition {
            shown.push("partition");
            let _ = write!(place, "-{partition}");
            if let Some(offset) = offset {
                shown.push("offset");
                let _ = write!(place, "@{offset}");
            }
        }
        put(None, "  ");
        put(partition.map(Palette::of_partition), &place);
    }
    for (name, value) in
        line.fields.iter().filter(|(name, _)| !shown.contains(name))
    {
        put(None, "  ");
        put(Some(DIM), &format!("{}=", printable(name)));
        put(None, &shown_value(value));
    }

    let mark = |name| {
        line.fields.get(name).map(|value| printable(&value.to_string()))
    };
    match (mark("correlation_id"), mark("causation_id")) {
        (Some(id), Some(cause)) => {
            put(Some(DIM), &format!("  [{id} < {cause}]"))
        }
        (Some(id), None) => put(Some(DIM), &format!("  [{id}]")),
        (None, Some(cause)) => put(Some(DIM), &format!("  [< {cause}]")),
        (None, None) => {}
    }

    if !coloured {
        out.truncate(start + out[start..].trim_end().len());
    }
    out.push('\n');
}

/// A value as the right side of `name=`: quoted when a reader could not tell where it ends.
fn shown_value(value: &Value) -> String {
    match value {
        Value::Text(text)
            if text.is_empty() || text.contains([' ', '"', '=']) =>
        {
            format!("\"{}\"", printable(text).replace('"', "\\\""))
        }
        other => printable(&other.to_string()),
    }
}

/// The text with control characters escaped: a key or an error message that came over the network must not be
/// able to start a new line or to drive the terminal.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Besides control characters: the marks that turn the direction of writing around.
        if c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
        {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(line: &Line) -> String {
        let mut out = String::new();
        write_text(line, None, &mut out);
        out
    }

    fn lines() -> Vec<Line> {
        let line = |t_ms, process: &str, message: &str| {
            Line::new(t_ms, message).with("process", process)
        };
        let mut refused = line(1214, "mail", "failed")
            .with("error", "Broker: Not enough in-sync replicas");
        refused.level = Level::Error;
        let client = Line {
            level: Level::Warn,
            target: "librdkafka".into(),
            ..Line::new(2001, "Connection refused").with("code", "FAIL")
        };
        vec![
            line(0, "checkout", "started"),
            line(12, "checkout", "acknowledged")
                .with("topic", "orders")
                .with("partition", 1)
                .with("offset", 34)
                .with("key", "order-1017")
                .with("correlation_id", "9f86d081884c7d65"),
            line(15, "payment", "produced")
                .with("topic", "payments")
                .with("key", "order 1017")
                .with("correlation_id", "9f86d081884c7d65")
                .with("causation_id", "orders-1@34"),
            refused,
            client,
            Line {
                target: "shop::packing".into(),
                ..Line::new(83_456, "shelf counted")
            },
        ]
    }

    #[test]
    fn plain_lines() {
        insta::assert_snapshot!(
            lines().iter().map(plain).collect::<String>()
        );
    }

    #[test]
    fn coloured_lines_say_the_same() {
        let mut palette = Palette::default();
        for line in lines() {
            let mut out = String::new();
            write_text(&line, Some(&mut palette), &mut out);
            let mut stripped = String::new();
            let mut rest = out.as_str();
            while let Some((before, after)) = rest.split_once("\x1b[") {
                stripped.push_str(before);
                rest = after.split_once('m').unwrap().1;
            }
            stripped.push_str(rest);
            assert_eq!(stripped.trim_end(), plain(&line).trim_end());
        }
    }

    #[test]
    fn a_process_keeps_its_colour_and_the_next_has_another() {
        let mut palette = Palette::default();
        let first = palette.of_process("checkout");
        assert_ne!(palette.of_process("payment"), first);
        assert_eq!(palette.of_process("checkout"), first);
        assert_ne!(Palette::of_partition(0), Palette::of_partition(1));
        for n in 0..1000 {
            palette.of_process(&n.to_string());
        }
        assert_eq!(palette.processes.len(), Palette::MOST);
    }

    #[test]
    fn a_key_cannot_forge_a_line() {
        let line = Line::new(0, "consumed")
            .with("key", "a\n   0.000  checkout    acknowledged\x1b[2J");
        let text = plain(&line);
        assert_eq!(text.lines().count(), 1);
        assert!(!text.contains('\x1b'), "{text}");
    }

    proptest! {
        #[test]
        fn one_line_whatever_is_in_it(message in ".{0,30}", name in ".{0,9}", value in ".{0,30}") {
            let text = plain(&Line::new(1, message).with(&name, value.clone()).with("process", value));
            prop_assert_eq!(text.matches(char::is_control).count(), 1);
        }
    }
}
