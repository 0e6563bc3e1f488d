//! What results are made of, without their numbers: which rows in which order, and the columns of each.
//!
//! A trial is compared with what is committed: a measurement that has lost or moved a row would be noticed only when
//! somebody measures again.

use serde_json::Value;

/// What tells a row from the others.
const KEYS: [&str; 5] = ["name", "size", "batch", "linger", "codec"];

/// The first difference between a trial and what is committed; `None` where there is none.
pub fn difference(
    trial: &Value,
    committed: &Value,
    zstd: bool,
) -> Option<String> {
    let lines = |value| {
        let mut lines = Vec::new();
        describe("", value, &mut lines);
        // A build may be without this codec.
        lines.retain(|line| zstd || !line.contains("codec=\"zstd\""));
        lines
    };
    let (trial, committed) = (lines(trial), lines(committed));
    let longest = trial.len().max(committed.len());
    let mut places =
        (0..longest).map(|at| (trial.get(at), committed.get(at)));
    let (tried, kept) = places.find(|(tried, kept)| tried != kept)?;
    let shown = |line: Option<&String>| {
        line.map_or("nothing more".to_owned(), String::clone)
    };
    Some(format!("{} where {} was", shown(tried), shown(kept)))
}

/// One line for each column of each row.
fn describe(place: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(columns) => {
            let keys: Vec<String> = KEYS
                .iter()
                .filter_map(|key| {
                    Some(format!("{key}={}", columns.get(*key)?))
                })
                .collect();
            let row = if keys.is_empty() {
                place.to_owned()
            } else {
                format!("{place} [{}]", keys.join(", "))
            };
            for (name, value) in columns {
                describe(&format!("{row} {name}"), value, lines);
            }
        }
        Value::Array(rows) if rows.iter().any(Value::is_object) => {
            for row in rows {
                describe(place, row, lines);
            }
        }
        _ => lines.push(place.trim().to_owned()),
    }
}
