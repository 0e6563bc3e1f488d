//! `producers`: where keys go, how evenly records are spread, and when a producer tries again.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use producers::backoff::{Backoff, Client, Delay};
use producers::partition::{
    Balance, Crc32, HotKeys, Murmur2, Partitioner, Random, Record, Rule, SpaceSaving, SplitMix64,
    Spread, Sticky, Weighted, crc32, murmur2, partition_for_key,
};

use crate::answer::Try;
use crate::inputs::{Inputs, WrongInput};
use crate::output::{Bar, Column, Output};

/// What of this chapter can be tried.
pub const TRIES: &[Try] = &[
    Try { name: "keys", function: keys },
    Try { name: "balance", function: balance },
    Try { name: "backoff", function: backoff },
];

/// More partitions are more bars than can be compared.
const MOST_PARTITIONS: u32 = 48;
/// A list that somebody typed; longer ones come from a file, and a page has none.
const MOST_KEYS: usize = 500;
/// `batch.size` of Java's client.
const BATCH: usize = 16_384;
/// What a record adds to its batch here.
const RECORD_BYTES: usize = 100;

fn partitions(inputs: &Inputs) -> Result<NonZeroU32, WrongInput> {
    let number: u32 = inputs.number("partitions", 1..=MOST_PARTITIONS)?;
    Ok(NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN))
}

/// Each typed key, as Java's client and as librdkafka's default place it.
fn keys(inputs: &Inputs) -> Result<Output, WrongInput> {
    let partitions = partitions(inputs)?;
    let keys: Vec<&str> = inputs.text("keys")?.lines().filter(|key| !key.is_empty()).collect();
    if keys.is_empty() || keys.len() > MOST_KEYS {
        let message = format!("must be 1 to {MOST_KEYS} keys, one a line; is {}", keys.len());
        return Err(WrongInput::new("keys", message));
    }
    let mut balances = [Balance::new(partitions.get()), Balance::new(partitions.get())];
    let mut alike = 0;
    let rows: Vec<Vec<String>> = keys
        .iter()
        .map(|key| {
            let key = key.as_bytes();
            let (java, crc) = (partition_for_key(key, partitions), crc32(key) % partitions);
            balances[0].count(java);
            balances[1].count(crc);
            alike += usize::from(java == crc);
            vec![
                String::from_utf8_lossy(key).into_owned(),
                format!("{:08x}", murmur2(key)),
                java.to_string(),
                format!("{:08x}", crc32(key)),
                crc.to_string(),
                if java == crc { "yes" } else { "no" }.to_owned(),
            ]
        })
        .collect();
    let [java, crc] = balances;
    Ok(Output::new()
        .text(format!(
            "{alike} of {} have the same partition in both. A join by partition finds these and no others.",
            count(keys.len(), "key")
        ))
        .table(
            "Where each key goes",
            vec![
                Column::words("Key"),
                Column::words("murmur2"),
                Column::amounts("Java's client"),
                Column::words("CRC-32"),
                Column::amounts("librdkafka"),
                Column::words("Same"),
            ],
            rows,
        )
        .bars(caption("Keys a partition, Java's client", &java), bars(&java))
        .bars(caption("Keys a partition, librdkafka's default", &crc), bars(&crc)))
}

/// Records from a seed, spread by one partitioner.
fn balance(inputs: &Inputs) -> Result<Output, WrongInput> {
    let partitions = partitions(inputs)?;
    let records: u32 = inputs.number("records", 1..=100_000)?;
    let keys: u32 = inputs.number("keys", 1..=100_000)?;
    let hot: u32 = inputs.number("hot", 0..=100)?;
    let ways: u32 = inputs.number("ways", 1..=MOST_PARTITIONS)?;
    let seed: u32 = inputs.number("seed", 0..=u32::MAX)?;
    let weights = weights(inputs.text("weights")?)?;
    let named = inputs.text("partitioner")?;
    let one = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    let sticky = || Sticky::new(Rule::Bytes(BATCH), seed.into());
    let keyless = matches!(named, "sticky" | "random");
    let mut partitioner: Box<dyn Partitioner> = match named {
        "murmur2" => Box::new(Murmur2::new(sticky())),
        "crc32" => Box::new(Crc32::consistent_random(sticky())),
        "sticky" => Box::new(sticky()),
        "random" => Box::new(Random::new(seed.into())),
        "weighted" => Box::new(
            Weighted::new(weights, seed.into())
                .map_err(|error| WrongInput::new("weights", error.to_string()))?,
        ),
        "spread" => {
            let hot = HotKeys::Named(vec![key(0)]);
            Box::new(Spread::new(hot, one(ways), sticky()))
        }
        other => {
            return Err(WrongInput::new("partitioner", format!("there is no {other}")));
        }
    };

    let mut random = SplitMix64::new(seed.into());
    let mut balance = Balance::new(partitions.get());
    let mut counter = SpaceSaving::new(one(8));
    let mut hot_in = Balance::new(partitions.get());
    let mut customers = BTreeMap::new();
    for _ in 0..records {
        let n = if random.below(one(100)) < hot { 0 } else { random.below(one(keys)) };
        let key = key(n);
        counter.count(&key);
        let record = Record {
            key: (!keyless).then_some(key.as_slice()),
            bytes: RECORD_BYTES,
            at: Duration::ZERO,
        };
        let partition = partitioner.partition(record, partitions);
        balance.count(partition);
        *customers.entry(n).or_default() += 1;
        if n == 0 {
            hot_in.count(partition);
        }
    }
    let chance = match draws(named, &customers, ways) {
        Some(draws) => format!("chance alone gives about {:.0}", balance.by_chance(draws)),
        None => "weights are not meant to be even".to_owned(),
    };
    let mut output = Output::new().text(format!(
        "The fullest partition has {:.2} times the mean. Chi square is {:.0}; {chance}.",
        balance.max_over_mean(),
        balance.chi_square(),
    ));
    if hot > 0 && !keyless {
        output = output.text(format!(
            "The records of customer-0 stand in {}{}",
            count(hot_in.used(), "partition"),
            if hot_in.used() > 1 { ": they have no order any more." } else { ", in order." }
        ));
    }
    let found: Vec<Vec<String>> = counter
        .hot(10)
        .into_iter()
        .map(|(key, counted)| {
            let key = String::from_utf8_lossy(key).into_owned();
            vec![key, counted.at_least().to_string(), counted.count.to_string()]
        })
        .collect();
    output = output.bars(caption("Records a partition", &balance), bars(&balance));
    Ok(if found.is_empty() {
        output.text(
            "No key surely has a tenth of the records: a counter with room for 8 keys says so.",
        )
    } else {
        output.table(
            "Keys that surely have a tenth of the records, by a counter with room for 8",
            vec![Column::words("Key"), Column::amounts("At least"), Column::amounts("At most")],
            found,
        )
    })
}

/// How many records go together whenever a partition is drawn, and to how many partitions, so that chance can be
/// told from a pattern. `None` for weights: an even spread is not what they are for.
fn draws(partitioner: &str, customers: &BTreeMap<u32, u64>, ways: u32) -> Option<Vec<(u64, u32)>> {
    let records: u64 = customers.values().sum();
    // As often as one fits, and what is left.
    let equal = |together: u64| {
        let starts = (0..records).step_by(together as usize);
        starts.map(|start| (together.min(records - start), 1)).collect()
    };
    let keys = |ways| {
        let draw = |(n, records): (&u32, &u64)| (*records, if *n == 0 { ways } else { 1 });
        customers.iter().map(draw).collect()
    };
    match partitioner {
        "weighted" => None,
        "random" => Some(equal(1)),
        "sticky" => Some(equal(BATCH.div_ceil(RECORD_BYTES) as u64)),
        "spread" => Some(keys(ways)),
        _ => Some(keys(1)),
    }
}

/// `1 1 2`: numbers between spaces or commas.
fn weights(text: &str) -> Result<Vec<u32>, WrongInput> {
    let words = text.split([' ', ',', '\n']).filter(|word| !word.is_empty());
    let number = |word: &str| {
        word.parse().map_err(|_| {
            WrongInput::new("weights", format!("{word} is no weight: write whole numbers, 1 1 2"))
        })
    };
    words.map(number).collect()
}

fn key(n: u32) -> Vec<u8> {
    format!("customer-{n}").into_bytes()
}

/// The delays of both clients, and how often a record is sent before it is given up.
fn backoff(inputs: &Inputs) -> Result<Output, WrongInput> {
    let ms = |name, most| {
        let number: u64 = inputs.number(name, 1..=most)?;
        Ok::<_, WrongInput>(Duration::from_millis(number))
    };
    let (first, longest) = (ms("first", 300_000)?, ms("longest", 300_000)?);
    let timeout = ms("timeout", 3_600_000)?;
    let answer = Duration::from_millis(inputs.number("answer", 0..=300_000)?);
    let mut output = Output::new();
    for (client, name) in [(Client::Librdkafka, "librdkafka"), (Client::Java, "Java's client")] {
        let backoff = Backoff::new(client, first, longest)
            .map_err(|error| WrongInput::new("first", error.to_string()))?;
        let attempts = backoff.attempts(timeout, answer);
        let times = match (attempts.start(), attempts.end()) {
            (least, most) if least == most => format!("{least}"),
            (least, most) => format!("{least} to {most}"),
        };
        output = output.text(format!("{name} sends a record {times} times before it gives up."));
        if let Some(at) = backoff.overflows_at().filter(|at| at <= attempts.end()) {
            output = output.text(format!(
                "After failure {at} its 32-bit int overflows, and it does not wait at all."
            ));
        }
        let shown = (*attempts.end()).clamp(1, 12);
        let bar = |failed| {
            let Delay { expected, at_least, at_most } = backoff.delay(failed);
            Bar {
                label: format!("after failure {failed}"),
                from: micros(at_least),
                to: micros(at_most),
                text: format!("{} ({} to {}) ms", in_ms(expected), in_ms(at_least), in_ms(at_most)),
            }
        };
        output = output.bars(format!("Delays of {name}"), (1..=shown).map(bar));
    }
    Ok(output)
}

fn micros(delay: Duration) -> u64 {
    u64::try_from(delay.as_micros()).unwrap_or(u64::MAX)
}

fn in_ms(delay: Duration) -> f64 {
    micros(delay) as f64 / 1_000.0
}

fn caption(what: &str, balance: &Balance) -> String {
    format!("{what}: the fullest has {:.2} times the mean", balance.max_over_mean())
}

fn bars(balance: &Balance) -> Vec<Bar> {
    let bar = |(n, count): (usize, &u64)| Bar::amount(format!("partition {n}"), *count);
    balance.counts().iter().enumerate().map(bar).collect()
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
