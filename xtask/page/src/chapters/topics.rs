//! `topics`: keys into partitions, and which of them move when partitions are added.

use topics::{Partitioner, moves};

use crate::answer::Try;
use crate::inputs::{Inputs, WrongInput};
use crate::output::{Column, Output};

/// What of this chapter can be tried.
pub const TRIES: &[Try] = &[Try { name: "keys", function: keys }];

/// The most keys of one table: beyond that it is too long to be read.
const MOST_KEYS: usize = 200;

/// Where each key goes today and tomorrow.
fn keys(inputs: &Inputs) -> Result<Output, WrongInput> {
    let text = inputs.text("keys")?;
    let before: u32 = inputs.number("before", 1..=1000)?;
    let added: u32 = inputs.number("added", 0..=1000)?;
    let after = before + added;
    let partitioner = match inputs.text("producer")? {
        "librdkafka (consistent_random)" => Partitioner::ConsistentRandom,
        "Java (murmur2_random)" => Partitioner::Murmur2Random,
        other => return Err(WrongInput::new("producer", format!("no producer {other:?}"))),
    };
    let keys: Vec<&str> = text.lines().map(str::trim).filter(|key| !key.is_empty()).collect();
    if keys.is_empty() || keys.len() > MOST_KEYS {
        return Err(WrongInput::new(
            "keys",
            format!("must be 1 to {MOST_KEYS} keys, is {}", keys.len()),
        ));
    }
    let moved = moves(partitioner, keys.iter().copied(), before, after);
    let at = |key: &str, partitions| {
        partitioner.partition(key.as_bytes(), partitions).unwrap_or_default().to_string()
    };
    let rows = keys.iter().map(|key| {
        let goes = moved.iter().any(|one| one.key == *key);
        let says = if goes { "moves" } else { "stays" };
        vec![(*key).to_owned(), at(key, before), at(key, after), says.to_owned()]
    });
    let columns = vec![
        Column::words("Key"),
        Column::amounts("Partition today"),
        Column::amounts("Partition tomorrow"),
        Column::words(""),
    ];
    let said = match moved.len() {
        0 => format!("None of {} moves.", keys.len()),
        1 => format!("1 of {} moves.", keys.len()),
        n => format!("{n} of {} move.", keys.len()),
    };
    Ok(Output::new().text(said).table("Where each key goes", columns, rows.collect()))
}
