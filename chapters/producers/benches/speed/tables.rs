//! The page's tables and sentences, made from what was measured.

use std::fmt::Write as _;

use super::results::{
    ALL_AT_ONCE, AWAIT_EACH, About, Cell, FLOOR, FUTURES, JAVA, LIBRARY,
    Line, Results, SIZES, Spread, times_the_cpu,
};

/// The codecs, in the order of tables and plots.
pub const CODECS: [&str; 5] = ["none", "snappy", "lz4", "gzip", "zstd"];

/// The batch size and the linger at which only the codec, or only the other one, is varied:
/// librdkafka's defaults.
pub const BATCH: u64 = 1_000_000;
pub const LINGER: u64 = 5;

/// All tables: file name and Markdown.
pub fn tables(results: &Results) -> Vec<(String, String)> {
    let about = &results.about;
    [
        ("shapes.md", lines(&results.shapes) + &foot(about, about.rounds)),
        ("peers.md", peers(results)),
        ("peers_paced.md", peers_paced(results)),
        ("codecs.md", codecs(results)),
        ("linger.md", linger(results)),
        ("grid.md", grid(results)),
        ("sentences.md", sentences(results)),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .to_vec()
}

/// A count, with thin groups: 1 234 567, rounded to three digits where there are more.
pub fn number(value: f64) -> String {
    let digits = value.abs().max(1.0).log10().floor() as i32 + 1;
    let unit = 10f64.powi((digits - 3).max(0));
    let whole = ((value / unit).round() * unit) as u64;
    let text = whole.to_string();
    let mut grouped = String::new();
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && (text.len() - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// A batch size, as one says it.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        1_000_000 => "1 MB".to_owned(),
        _ => format!("{} KiB", bytes / 1024),
    }
}

fn range(spread: Spread, show: impl Fn(f64) -> String) -> String {
    format!(
        "{} ({} to {})",
        show(spread.median),
        show(spread.low),
        show(spread.high)
    )
}

fn two(value: f64) -> String {
    format!("{value:.2}")
}

/// MB a second; one that is slow has digits after the point.
fn mb(value: f64) -> String {
    if value < 10.0 { two(value) } else { format!("{value:.0}") }
}

fn lines(lines: &[Line]) -> String {
    let mut text = String::from(
        "| shape | records/s | MB/s | CPU, s a million | memory, MiB |\n|---|---|---|---|---|\n",
    );
    for line in lines {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            line.name,
            range(line.rate, number),
            mb(line.mb()),
            range(line.cpu, two),
            number(line.peak_mib.median)
        );
    }
    text
}

fn peers(results: &Results) -> String {
    let mut text = String::from(
        "| | records/s | MB/s | CPU, s a million | times the floor | memory, MiB |\n|---|---|---|---|---|---|\n",
    );
    for size in SIZES {
        let floor = results.peer(FLOOR, size);
        for name in [FLOOR, LIBRARY, FUTURES, JAVA] {
            let Some(line) = results.peer(name, size) else { continue };
            let times = floor.and_then(|floor| times_the_cpu(line, floor));
            let times = times.map_or(String::new(), two);
            let _ = writeln!(
                text,
                "| {size} B, {name} | {} | {} | {} | {times} | {} |",
                range(line.rate, number),
                mb(line.mb()),
                range(line.cpu, two),
                number(line.peak_mib.median)
            );
        }
    }
    text + &foot(&results.about, results.about.rounds)
}

fn peers_paced(results: &Results) -> String {
    let mut text = String::from(
        "| | p50, ms | p99, ms | p99.9, ms |\n|---|---|---|---|\n",
    );
    for size in SIZES {
        for name in [FLOOR, LIBRARY, FUTURES] {
            let line = results.peer(name, size);
            let Some(latency) = line.and_then(|line| line.paced) else {
                continue;
            };
            let _ = writeln!(
                text,
                "| {size} B, {name} | {:.1} | {:.1} | {:.1} |",
                latency.p50_ms, latency.p99_ms, latency.p999_ms
            );
        }
    }
    text
}

/// What stands under each table: with what it was measured.
fn foot(about: &About, rounds: u32) -> String {
    let others = about.others_percent.map_or(String::new(), |(_, most)| {
        format!(
            "; all else took at most {most:.0} % of the processors before each round"
        )
    });
    format!(
        "\nMedian (lowest to highest) of {rounds} round{}; {}, {} cores, {:.0} GiB, {}{others}; Apache Kafka {}, one broker on the same machine; librdkafka {}; {}.\n",
        if rounds == 1 { "" } else { "s" },
        about.processor,
        about.processors,
        about.memory_gib,
        about.system,
        about.kafka,
        about.librdkafka,
        about.date,
    )
}

fn codecs(results: &Results) -> String {
    let mut text = String::from(
        "| codec | MB/s | CPU, s a million | ratio | ratio when paced | p99, ms |\n|---|---|---|---|---|---|\n",
    );
    let of = |codec| results.cell(BATCH, LINGER, codec);
    for cell in CODECS.into_iter().filter_map(of) {
        let _ = writeln!(
            text,
            "| {} | {:.0} | {} | {:.1} | {:.1} | {:.1} |",
            cell.codec,
            cell.mb.median,
            range(cell.cpu, two),
            cell.ratio,
            cell.paced.ratio,
            cell.paced.latency.p99_ms
        );
    }
    text + &foot(&results.about, results.about.setting_rounds)
}

fn linger(results: &Results) -> String {
    let mut text = String::from(
        "| batch.size | linger.ms | MB/s, flat out | CPU, s a million, paced | p50, ms | p99, ms | p99.9, ms |\n|---|---|---|---|---|---|---|\n",
    );
    let plain = |cell: &&Cell| cell.codec == CODECS[0];
    for cell in results.cells.iter().filter(plain) {
        let _ = writeln!(
            text,
            "| {} | {} | {:.0} | {:.2} | {:.1} | {:.1} | {:.1} |",
            bytes(cell.batch),
            cell.linger,
            cell.mb.median,
            cell.paced.cpu.median,
            cell.paced.latency.p50_ms,
            cell.paced.latency.p99_ms,
            cell.paced.latency.p999_ms
        );
    }
    text + &foot(&results.about, results.about.setting_rounds)
}

fn grid(results: &Results) -> String {
    let mut text = String::from(
        "| batch.size | linger.ms | codec | records/s | MB/s | ratio | CPU, s a million | memory, MiB | paced: ratio | paced: CPU, s a million | p50, ms | p99, ms | p99.9, ms |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for cell in &results.cells {
        let paced = &cell.paced;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {:.0} | {:.2} | {:.2} | {:.0} | {:.2} | {:.2} | {:.1} | {:.1} | {:.1} |",
            bytes(cell.batch),
            cell.linger,
            cell.codec,
            number(cell.rate.median),
            cell.mb.median,
            cell.ratio,
            cell.cpu.median,
            cell.peak_mib,
            paced.ratio,
            paced.cpu.median,
            paced.latency.p50_ms,
            paced.latency.p99_ms,
            paced.latency.p999_ms
        );
    }
    text + &foot(&results.about, results.about.setting_rounds)
}

/// Sentences with numbers, each under an anchor, so that no number is typed into the page.
fn sentences(results: &Results) -> String {
    let mut text = String::new();
    let mut say = |anchor: &str, sentence: String| {
        let _ = writeln!(
            text,
            "<!-- ANCHOR: {anchor} -->\n{sentence}\n<!-- ANCHOR_END: {anchor} -->"
        );
    };
    let in_flight = number(results.about.in_flight.into());
    let shape =
        |name: &str| results.shapes.iter().find(|line| line.name == name);
    if let (Some(slow), Some(fast)) = (shape(AWAIT_EACH), shape(FUTURES)) {
        let (slow, fast) = (slow.rate.median, fast.rate.median);
        say(
            "await",
            format!(
                "Awaiting each send: {} records a second. With {in_flight} in flight: {}. That is {} times as many.",
                number(slow),
                number(fast),
                number(fast / slow)
            ),
        );
    }
    let at_once = |many| shape(&format!("{} sends at once", number(many)));
    let most = results.about.in_flight.into();
    if let (Some(all), Some(bounded)) = (shape(ALL_AT_ONCE), at_once(most))
    {
        say(
            "unbounded",
            format!(
                "A future for each of {} records of {} bytes at once held {} MiB at its peak, and {in_flight} in flight held {} MiB.",
                number(all.records as f64),
                all.size,
                number(all.peak_mib.median),
                number(bounded.peak_mib.median)
            ),
        );
    }
    let bounds = [10.0, 1_000.0, most].map(at_once);
    if let [Some(few), Some(enough), Some(many)] = bounds {
        say(
            "bound",
            format!(
                "10 sends at once: {} records a second. 1\u{202f}000: {}, at {:.2} CPU seconds a million. {in_flight}: {}, at {:.2}.",
                number(few.rate.median),
                number(enough.rate.median),
                enough.cpu.median,
                number(many.rate.median),
                many.cpu.median
            ),
        );
    }
    let times = |size| {
        let java = results.peer(JAVA, size)?;
        let library = results.peer(LIBRARY, size)?;
        let memory = java.peak_mib.median / library.peak_mib.median;
        Some((times_the_cpu(java, library)?, memory))
    };
    let [small, large] = SIZES;
    if let (
        Some((at_small, small_memory)),
        Some((at_large, large_memory)),
    ) = (times(small), times(large))
    {
        say(
            "java",
            format!(
                "Kafka's own tool takes {at_small:.1} times the CPU of this chapter's producer at {small} bytes a record and {at_large:.1} times at {large}, each the median of what the rounds say, and {small_memory:.0} and {large_memory:.0} times the memory. Java's start is left out of the CPU: what counts is the difference between a run and one of twice as many records.",
            ),
        );
    }
    let settings: Vec<String> = results
        .about
        .settings
        .iter()
        .map(|(name, value)| format!("`{name}={value}`"))
        .collect();
    say(
        "settings",
        format!(
            "All of them with {}, and {in_flight} records in flight at most; what is not named is each client's default.",
            settings.join(", ")
        ),
    );
    let [at_small, at_large] =
        SIZES.map(|size| Some((size, throughput(results, size)?)));
    if let (Some((small, at_small)), Some((large, at_large))) =
        (at_small, at_large)
    {
        say(
            "throughput",
            format!(
                "At {small} bytes this chapter's producer sends {} records a second, {}; at {large} bytes {}, {}.",
                at_small.0, at_small.1, at_large.0, at_large.1
            ),
        );
    }
    let mb = |codec| {
        let cell = results.cell(BATCH, LINGER, codec)?;
        Some((codec, cell.mb))
    };
    if let (Some((_, plain)), Some((codec, quick))) =
        (mb("none"), mb("lz4"))
    {
        let why = if quick.low <= plain.high && plain.low <= quick.high {
            "no more than the rounds differ"
        } else if quick.median > plain.median {
            "what the broker need not write is worth the CPU"
        } else {
            "there is no network between the two that fewer bytes would spare"
        };
        let (quick, plain) = (quick.median, plain.median);
        say(
            "codec",
            format!(
                "With `{codec}` this machine sends {quick:.0} MB of orders a second, without a codec {plain:.0}: {why}. What `{codec}` gives is a shorter log."
            ),
        );
    }
    say(
        "order",
        format!(
            "An order is {:.0} bytes on average.",
            results.about.order_bytes
        ),
    );
    say(
        "java_command",
        format!("```text\n{}\n```", results.about.java_command),
    );
    text
}

/// How many records a second the library sends, and how that compares with the floor's rounds.
fn throughput(
    results: &Results,
    size: usize,
) -> Option<(String, &'static str)> {
    let floor = results.peer(FLOOR, size)?.rate;
    let rate = results.peer(LIBRARY, size)?.rate.median;
    let place = if rate > floor.high {
        "more than the floor in any round"
    } else if rate < floor.low {
        "fewer than the floor in any round"
    } else {
        "inside the floor's range"
    };
    Some((number(rate), place))
}

/// What predictions on the page ask for, each as a word that does not change with every measurement.
pub fn answers(results: &Results) -> String {
    let mut text = String::new();
    let mut say = |question: &str, answer: String| {
        let _ = writeln!(text, "{question}: {answer}");
    };
    let rate = |name: &str| {
        let mut shapes = results.shapes.iter();
        shapes.find(|line| line.name == name).map(|line| line.rate.median)
    };
    if let (Some(slow), Some(fast)) = (rate(AWAIT_EACH), rate(FUTURES)) {
        let word = match fast / slow {
            times if times >= 300.0 => "hundreds",
            times if times >= 3.0 => "10",
            _ => "1",
        };
        say("times as fast", word.to_owned());
    }
    let cell = |linger| results.cell(BATCH, linger, "none");
    if let (Some(hasty), Some(patient)) = (cell(0), cell(50)) {
        let more = hasty.paced.cpu.median > patient.paced.cpu.median;
        let word = if more { "more" } else { "less" };
        say("CPU of linger.ms=0, against 50", word.to_owned());
    }
    let ratio = |linger| {
        results.cell(BATCH, linger, "zstd").map(|cell| cell.paced.ratio)
    };
    if let (Some(hasty), Some(patient)) = (ratio(0), ratio(50)) {
        let word = if patient > 1.2 * hasty { "longer" } else { "equal" };
        say("log of zstd with linger.ms=0, against 50", word.to_owned());
    }
    text
}
