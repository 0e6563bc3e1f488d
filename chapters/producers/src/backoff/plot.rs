//! The schedule as a picture.

use std::fmt::Write;
use std::time::Duration;

use super::{Backoff, Delay};

const WIDTH: f64 = 680.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 48.0;

/// Draws the delays of several schedules side by side, failure by failure, as SVG: a bar from the shortest to the
/// longest delay, a line at the one without jitter. Colours are those of the page around it.
///
/// `schedules` are named; the first two have looks of their own. At most 20 `failures` find room.
pub fn plot(
    title: &str,
    schedules: &[(&str, Backoff)],
    failures: u32,
) -> String {
    let failures = failures.clamp(1, 20);
    let top = schedules
        .iter()
        .flat_map(|(_, backoff)| {
            (1..=failures).map(|n| backoff.delay(n).at_most)
        })
        .max()
        .unwrap_or(Duration::from_millis(1))
        .as_secs_f64()
        * 1_000.0;
    let step = nice(top / 4.0);
    let top = (top / step).ceil() * step;
    let y = |ms: f64| HEIGHT - BOTTOM - ms / top * (HEIGHT - TOP - BOTTOM);
    let slot = (WIDTH - LEFT - RIGHT) / f64::from(failures);
    let bar = (slot * 0.7 / schedules.len().max(1) as f64).min(22.0);

    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "<svg class=\"plot\" role=\"img\" aria-labelledby=\"plot-backoff-title\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         xmlns=\"http://www.w3.org/2000/svg\" font-family=\"var(--mono-font, monospace)\" font-size=\"13\" \
         fill=\"currentColor\" style=\"max-inline-size: 100%; block-size: auto\">\n\
         <title id=\"plot-backoff-title\">{title}</title>"
    );
    let mut at = 0.0;
    while at <= top {
        let (line, text) = (y(at), y(at) + 4.5);
        let _ = writeln!(
            out,
            "<path d=\"M{LEFT} {line:.1}H{}\" stroke=\"currentColor\" stroke-opacity=\"0.2\"/>\n\
             <text x=\"{}\" y=\"{text:.1}\" text-anchor=\"end\">{at}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0
        );
        at += step;
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"18\" text-anchor=\"end\">ms</text>",
        LEFT - 8.0
    );
    for n in 1..=failures {
        let middle = LEFT + slot * (f64::from(n) - 0.5);
        let _ = writeln!(
            out,
            "<text x=\"{middle:.1}\" y=\"{}\" text-anchor=\"middle\">{n}</text>",
            HEIGHT - BOTTOM + 20.0
        );
        for (which, (name, backoff)) in schedules.iter().enumerate() {
            let left = middle
                + bar * (which as f64 - schedules.len() as f64 / 2.0);
            let Delay { expected, at_least, at_most } = backoff.delay(n);
            let [expected, at_least, at_most] =
                [expected, at_least, at_most]
                    .map(|delay| delay.as_secs_f64() * 1_000.0);
            let (above, height) = (y(at_most), y(at_least) - y(at_most));
            let (x, width) = (left + 1.0, bar - 2.0);
            let _ = writeln!(
                out,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" {}>\
                 <title>{name}, after failure {n}: {at_least} to {at_most} ms</title></rect>\n\
                 <path d=\"M{x:.1} {:.1}h{width:.1}\" stroke=\"currentColor\" stroke-width=\"2\"/>",
                above - if height < 3.0 { 1.5 } else { 0.0 },
                height.max(3.0),
                look(which),
                y(expected),
            );
        }
    }
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">how often it has failed</text>",
        LEFT + (WIDTH - LEFT - RIGHT) / 2.0,
        HEIGHT - 8.0
    );
    let mut legend = LEFT + 8.0;
    for (which, (name, _)) in schedules.iter().enumerate() {
        let _ = writeln!(
            out,
            "<rect x=\"{legend}\" y=\"8\" width=\"14\" height=\"12\" {}/>\n<text x=\"{}\" y=\"19\">{name}</text>",
            look(which),
            legend + 20.0
        );
        legend += 44.0 + 8.0 * name.chars().count() as f64;
    }
    out.push_str("</svg>\n");
    out
}

/// Told apart without colours too: the first is filled, the second an outline.
fn look(which: usize) -> &'static str {
    match which {
        0 => "fill=\"var(--links, #2a6fb0)\" fill-opacity=\"0.75\"",
        _ => {
            "fill=\"currentColor\" fill-opacity=\"0.12\" stroke=\"currentColor\" stroke-opacity=\"0.7\""
        }
    }
}

/// The next step of 1, 2 or 5 times a power of ten.
fn nice(step: f64) -> f64 {
    let power = 10_f64.powf(step.max(1e-3).log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * power >= step);
    factor.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::super::Client;
    use super::*;

    /// The page shows this file; `UPDATE_PLOTS=1 cargo test -p producers plot` draws it again.
    #[test]
    fn the_plot_in_the_book_is_of_this_code() {
        let of = |client| {
            Backoff::new(
                client,
                Duration::from_millis(100),
                Duration::from_millis(1_000),
            )
            .unwrap()
        };
        let drawn = plot(
            "Delays of librdkafka and of Kafka's Java client with their defaults",
            &[
                ("librdkafka", of(Client::Librdkafka)),
                ("Java", of(Client::Java)),
            ],
            8,
        );
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/plots/backoff.svg");
        if std::env::var_os("UPDATE_PLOTS").is_some() {
            std::fs::write(path, &drawn).unwrap();
        }
        let file = std::fs::read_to_string(path).unwrap();
        assert!(file == drawn, "run this test with UPDATE_PLOTS=1");
        // A blank line would end the picture in the middle of a page.
        assert!(!drawn.trim_end().contains("\n\n"));
    }
}
