//! Asks for groups in all places of a log, with all three settings.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use topics_gap::{Log, Reset, missed};

fn main() -> ExitCode {
    let log = Log { start: 10, end: 25 };
    let cases = [
        (3, Reset::Earliest, 7),
        (3, Reset::Latest, 22),
        (3, Reset::Error, 7),
        (10, Reset::Earliest, 0),
        (10, Reset::Latest, 0),
        (17, Reset::Earliest, 0),
        (17, Reset::Latest, 0),
        (25, Reset::Latest, 0),
        (25, Reset::Error, 0),
    ];
    for (committed, reset, expected) in cases {
        let said = missed(committed, log, reset);
        if said != expected {
            let reset = format!("{reset:?}").to_lowercase();
            eprintln!(
                "a group with {reset} that committed {committed}, in a \
                 log from 10 to 25, misses {expected} records; the \
                 function says {said}"
            );
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
