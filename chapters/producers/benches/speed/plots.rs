//! The page's plots: horizontal bars as SVG, in the colours of the page around them.

use std::fmt::Write as _;

use super::results::{Results, Spread};
use super::tables::{BATCH, CODECS, LINGER, bytes, number};

/// A plot: groups of bars, one axis.
struct Plot {
    name: &'static str,
    title: String,
    /// For whom cannot see it: what it shows.
    description: String,
    groups: Vec<Group>,
    /// Each step to the right is ten times as much.
    logarithmic: bool,
}

struct Group {
    label: String,
    bars: Vec<Bar>,
}

struct Bar {
    label: String,
    value: f64,
    /// From the lowest round to the highest, where there were several.
    range: Option<(f64, f64)>,
    shown: String,
    /// Which of the page's colours.
    colour: usize,
}

/// The width of a plot, of the labels at its left and of the numbers at its right.
const WIDTH: f64 = 520.0;
const LABELS: f64 = 212.0;
const NUMBERS: f64 = 76.0;

/// The height of a line of text, and of a bar.
const ROW: f64 = 22.0;
const BAR: f64 = 14.0;

/// The page's colours, and what stands for them where there is no page around.
const COLOURS: [&str; 5] = [
    "var(--colour-0, #1f66b0)",
    "var(--colour-1, #b05000)",
    "var(--colour-2, #2b7a4b)",
    "var(--colour-3, #7a48b8)",
    "var(--colour-4, #0b7480)",
];

/// All plots: file name and SVG.
pub fn plots(results: &Results) -> Vec<(String, String)> {
    let plots =
        [shapes(results), codecs(results), cpu(results), latency(results)];
    plots
        .iter()
        .map(|plot| (format!("{}.svg", plot.name), svg(plot)))
        .collect()
}

fn spread(
    label: &str,
    spread: Spread,
    shown: String,
    colour: usize,
) -> Bar {
    Bar {
        label: label.to_owned(),
        value: spread.median,
        range: Some((spread.low, spread.high)),
        shown,
        colour,
    }
}

fn shapes(results: &Results) -> Plot {
    let bars: Vec<Bar> = results
        .shapes
        .iter()
        .map(|line| {
            let shown = number(line.rate.median);
            spread(&line.name, line.rate, shown, 0)
        })
        .collect();
    Plot {
        name: "shapes",
        title: "Records a second, by the shape of the code; each line is ten times the one before".into(),
        description: told(&bars, "records a second"),
        groups: vec![Group { label: String::new(), bars }],
        logarithmic: true,
    }
}

fn codecs(results: &Results) -> Plot {
    let lingers = lingers(results);
    let group = |linger: &u64| Group {
        label: format!("linger.ms={linger}"),
        bars: CODECS
            .iter()
            .enumerate()
            .filter_map(|(colour, codec)| {
                let cell = results.cell(BATCH, *linger, codec)?;
                let value = cell.paced.ratio;
                let shown = format!("{value:.1}");
                let label = (*codec).to_owned();
                Some(Bar { label, value, range: None, shown, colour })
            })
            .collect(),
    };
    let groups: Vec<Group> = lingers.iter().map(group).collect();
    Plot {
        name: "codecs",
        title: format!(
            "Bytes of orders for a byte of the log, at {} orders a second",
            number(results.about.paced_rate as f64)
        ),
        description: told(
            groups.iter().flat_map(|group| &group.bars),
            "to one",
        ),
        groups,
        logarithmic: false,
    }
}

fn cpu(results: &Results) -> Plot {
    let group = |batch: &u64| Group {
        label: format!("batch.size of {}", bytes(*batch)),
        bars: CODECS
            .iter()
            .enumerate()
            .filter_map(|(colour, codec)| {
                let cell = results.cell(*batch, LINGER, codec)?;
                let shown = format!("{:.2}", cell.cpu.median);
                Some(spread(codec, cell.cpu, shown, colour))
            })
            .collect(),
    };
    let groups: Vec<Group> = batches(results).iter().map(group).collect();
    Plot {
        name: "cpu",
        title: "CPU seconds of the client for a million orders, as fast as it goes".into(),
        description: told(groups.iter().flat_map(|group| &group.bars), "CPU seconds"),
        groups,
        logarithmic: false,
    }
}

fn latency(results: &Results) -> Plot {
    let group = |linger: &u64| {
        let latency =
            results.cell(BATCH, *linger, CODECS[0])?.paced.latency;
        let bar = |(colour, (label, value)): (usize, (&str, f64))| Bar {
            label: label.to_owned(),
            value,
            range: None,
            shown: format!("{value:.1} ms"),
            colour,
        };
        let values = [
            ("half of them", latency.p50_ms),
            ("99 of 100", latency.p99_ms),
            ("999 of 1000", latency.p999_ms),
        ];
        Some(Group {
            label: format!("linger.ms={linger}"),
            bars: values.into_iter().enumerate().map(bar).collect(),
        })
    };
    let groups: Vec<Group> =
        lingers(results).iter().filter_map(group).collect();
    Plot {
        name: "latency",
        title: format!(
            "Acknowledged within, at {} orders a second; each line is ten times the one before",
            number(results.about.paced_rate as f64)
        ),
        description: told(groups.iter().flat_map(|group| &group.bars), ""),
        groups,
        logarithmic: true,
    }
}

/// The lingers that were measured.
fn lingers(results: &Results) -> Vec<u64> {
    sorted(results.cells.iter().map(|cell| cell.linger))
}

fn batches(results: &Results) -> Vec<u64> {
    sorted(results.cells.iter().map(|cell| cell.batch))
}

fn sorted(values: impl Iterator<Item = u64>) -> Vec<u64> {
    let values: std::collections::BTreeSet<u64> = values.collect();
    values.into_iter().collect()
}

fn told<'a>(bars: impl IntoIterator<Item = &'a Bar>, unit: &str) -> String {
    let one = |bar: &Bar| {
        format!("{}: {} {unit}", bar.label, bar.shown).trim_end().to_owned()
    };
    let all: Vec<String> = bars.into_iter().map(one).collect();
    format!("{}.", all.join("; "))
}

fn svg(plot: &Plot) -> String {
    let bars = || plot.groups.iter().flat_map(|group| &group.bars);
    let highest = |bar: &Bar| bar.range.map_or(bar.value, |range| range.1);
    let lowest = |bar: &Bar| bar.range.map_or(bar.value, |range| range.0);
    let most = bars().map(highest).fold(f64::MIN_POSITIVE, f64::max);
    let least = bars().map(lowest).fold(f64::MAX, f64::min);
    // A bar needs a foot: a logarithmic axis begins at the power of ten below the smallest.
    let foot = least.log10().floor()
        - if least.log10().fract() < 0.1 { 1.0 } else { 0.0 };
    let span = WIDTH - LABELS - NUMBERS;
    let x = |value: f64| {
        let part = if plot.logarithmic {
            (value.log10() - foot) / (most.log10() - foot)
        } else {
            value / most
        };
        LABELS + span * part.clamp(0.0, 1.0)
    };
    let mut body = String::new();
    let mut y = 4.0;
    for group in &plot.groups {
        if !group.label.is_empty() {
            let _ = writeln!(
                body,
                "<text x=\"0\" y=\"{:.0}\" font-weight=\"600\">{}</text>",
                y + 16.0,
                group.label
            );
            y += ROW;
        }
        for bar in &group.bars {
            draw(&mut body, bar, y, &x);
            y += ROW;
        }
        y += 6.0;
    }
    let mut lines = String::new();
    if plot.logarithmic {
        let powers = (foot as i32)..=(most.log10().floor() as i32);
        for at in powers.map(|power| x(10f64.powi(power))) {
            let _ = writeln!(
                lines,
                "<path d=\"M {at:.1},2 V {:.0}\" stroke=\"currentColor\" stroke-opacity=\"0.2\"/>",
                y - 4.0
            );
        }
    }
    let id = format!("plot-{}", plot.name);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{y}\" viewBox=\"0 0 {WIDTH} {y}\" \
         role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" font-size=\"13px\" fill=\"currentColor\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n{lines}{body}</svg>\n",
        plot.title, plot.description
    )
}

fn draw(body: &mut String, bar: &Bar, y: f64, x: &impl Fn(f64) -> f64) {
    let (middle, end) = (y + ROW / 2.0, x(bar.value));
    let _ = writeln!(
        body,
        "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>\n\
         <rect x=\"{LABELS}\" y=\"{:.0}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{}\"/>",
        LABELS - 8.0,
        middle + 4.5,
        bar.label,
        middle - BAR / 2.0,
        (end - LABELS).max(1.0),
        COLOURS[bar.colour % COLOURS.len()],
    );
    let mut right = end;
    if let Some((low, high)) = bar.range {
        right = right.max(x(high));
        let _ = writeln!(
            body,
            "<path d=\"M {:.1},{middle:.0} H {:.1}\" stroke=\"currentColor\" stroke-width=\"1.5\"/>",
            x(low),
            x(high)
        );
    }
    let _ = writeln!(
        body,
        "<text x=\"{:.1}\" y=\"{:.0}\">{}</text>",
        right + 6.0,
        middle + 4.5,
        bar.shown
    );
}
