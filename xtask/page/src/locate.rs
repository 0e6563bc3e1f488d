//! Where in a JSON text the field of an error stands, so that the page can point to it.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Deserializer;

/// The line, from 1, of the value at `path`; where the text is no JSON, the line at which that shows.
///
/// Paths are those of garde and of serde_path_to_error: `data.items[0].quantity`. `None` for a path that leads nowhere,
/// and for the empty one, which means the whole text.
pub(crate) fn line(text: &str, path: &str) -> Option<usize> {
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(text.as_bytes()) {
        return Some(error.line().max(1));
    }
    let mut at = start(text, 0);
    let steps = steps(path);
    if steps.is_empty() {
        return None;
    }
    for step in steps {
        at = match step {
            Step::Field(name) => field(text, at, name)?,
            Step::Place(n) => element(text, at, n)?,
        };
    }
    Some(1 + text[..at].matches('\n').count())
}

enum Step<'a> {
    Field(&'a str),
    Place(usize),
}

fn steps(path: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (name, places) = part.split_once('[').unwrap_or((part, ""));
        if !name.is_empty() {
            steps.push(Step::Field(name));
        }
        let places = places.split(['[', ']']).filter_map(|place| place.parse().ok());
        steps.extend(places.map(Step::Place));
    }
    steps
}

/// Where the value of this field starts, in the object that starts at `at`.
fn field(text: &str, at: usize, name: &str) -> Option<usize> {
    let mut at = start(text, opened(text, at, '{')?);
    loop {
        let (key, end) = value::<String>(text, at)?;
        let colon = start(text, end);
        at = start(text, opened(text, colon, ':')?);
        if key == name {
            return Some(at);
        }
        at = next(text, at)?;
    }
}

/// Where the element with this number, from 0, starts, in the list that starts at `at`.
fn element(text: &str, at: usize, n: usize) -> Option<usize> {
    let mut at = start(text, opened(text, at, '[')?);
    for _ in 0..n {
        at = next(text, at)?;
    }
    (!text[at..].starts_with(']')).then_some(at)
}

/// Where the neighbour of the value at `at` starts, if there is one.
fn next(text: &str, at: usize) -> Option<usize> {
    let (IgnoredAny, end) = value(text, at)?;
    Some(start(text, opened(text, start(text, end), ',')?))
}

/// The value at `at`, and where it ends.
fn value<T: DeserializeOwned>(text: &str, at: usize) -> Option<(T, usize)> {
    let mut values = Deserializer::from_slice(&text.as_bytes()[at..]).into_iter::<T>();
    let value = values.next()?.ok()?;
    Some((value, at + values.byte_offset()))
}

/// The place behind this character, if it stands at `at`.
fn opened(text: &str, at: usize, what: char) -> Option<usize> {
    text[at..].starts_with(what).then(|| at + what.len_utf8())
}

/// The first place from `at` on that is no white space.
fn start(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
{
  \"data\": { \"no\": 1, \"x\": true ,
    \"items\": [
      [1, {\"quantity\": [ ] }],
      { \"say\": \"}, \\\"quantity\\\": 7\",
        \"quantity\": -2 }
    ],
    \"total\": null
  }
}";

    #[test]
    fn a_path_leads_to_the_line_of_its_value() {
        for (path, at) in [
            ("data", 3),
            ("data.x", 3),
            ("data.items", 4),
            ("data.items[0]", 5),
            ("data.items[0][1].quantity", 5),
            ("data.items[1].quantity", 7),
            ("data.total", 9),
        ] {
            assert_eq!(line(TEXT, path), Some(at), "{path}");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_has_no_line() {
        for path in [
            "",
            "gone",
            "data.gone",
            "data.items[2]",
            "data.items.quantity",
            "data.no.x",
            "data[0]",
            "data.items[0][1].quantity[0]",
        ] {
            assert_eq!(line(TEXT, path), None, "{path}");
        }
    }

    #[test]
    fn a_text_that_is_no_json_is_pointed_to_where_that_shows() {
        assert_eq!(line("{\n  \"id\": \"x\"\n  \"type\"", "id"), Some(3));
        assert_eq!(line("", ""), Some(1));
        assert_eq!(line("{\"größe\": 1,\n \"id\": }", ""), Some(2));
    }
}
