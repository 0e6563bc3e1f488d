//! `cargo xtask ci`: everything that must hold before a change lands, step by step, with its seconds.
//!
//! Every step builds with the features of the test suite, so that nothing is compiled twice.

mod external;
mod first;
mod leftovers;
mod steps;

use std::process::ExitCode;
use std::time::Instant;

use crate::child::Stop;
use crate::list::table;
use crate::project::Project;
use crate::say::{self, Usage};
use crate::suite::Surroundings;
use leftovers::Leftovers;

/// What `ci` takes.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask ci                    all steps\n  \
    cargo xtask ci --steps            their names\n  \
    cargo xtask ci fmt clippy tidy    some of them\n\n\
    All steps run, also after one that failed; a table at the end says which.\n\
    Ctrl-C stops after the step that runs.\n\
    A missing tool leaves its step out; with CI=true that is a failure.")]
pub struct Args {
    /// Steps to run; all where none is named
    #[arg(value_name = "STEP")]
    only: Vec<String>,
    /// Print the names of the steps
    #[arg(long)]
    steps: bool,
}

/// How a step came out.
pub enum Outcome {
    /// All is well.
    Passed,
    /// Something is wrong; it has been printed.
    Failed,
    /// It could not run here, because of this.
    LeftOut(String),
}

impl From<bool> for Outcome {
    fn from(passed: bool) -> Self {
        if passed { Outcome::Passed } else { Outcome::Failed }
    }
}

/// What steps share.
pub struct Context<'a> {
    project: &'a Project,
    around: Surroundings,
    /// What was there before the first step.
    before: Leftovers,
}

type Step = (&'static str, &'static str, fn(&Context<'_>) -> anyhow::Result<Outcome>);

/// Quick ones first, so that a slip is seen in seconds.
const STEPS: [Step; 22] = [
    ("fmt", "the code is formatted", steps::fmt),
    ("tidy", "the laws of this repository", steps::tidy),
    ("compose", "docker-compose.yml resolves for each profile", steps::compose),
    ("light", "the first run needs no OpenSSL, this tool no C library", steps::light),
    ("deny", "licences, sources, bans", steps::deny),
    ("clippy", "no warning", steps::clippy),
    ("first", "the first run, and a Kafka for play, without Java and Docker", first::prove),
    ("test", "the README's test command", steps::test),
    ("test-embedded", "the tests that the built-in broker serves", steps::test_embedded),
    ("test-docker", "the tests that Docker serves", steps::test_docker),
    (
        "test-external",
        "the tests on a Kafka of somebody else, who finds no topic left",
        external::prove,
    ),
    ("record", "recorded runs still come out so", steps::record),
    ("bench", "what is measured can still be measured", steps::bench),
    ("doc", "the documentation builds without warning", steps::doc),
    ("wasm", "each chapter's core compiles for browsers", steps::wasm),
    ("book-check", "the pages", steps::book_check),
    ("book-build", "the book", steps::book_build),
    ("book-test", "the book in a real browser", steps::book_test),
    ("new", "a new chapter compiles, and waits only to be written", steps::new),
    ("exercises", "each starter fails as it should, each solution passes", steps::exercises),
    ("copy", "each chapter builds and passes its tests away from here", steps::copy),
    ("leftovers", "no step has left a broker behind", steps::leftovers),
];

/// Runs the steps.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    if args.steps {
        for (name, about, _) in STEPS {
            println!("{name:14} {about}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(unknown) = args.only.iter().find(|only| STEPS.iter().all(|(name, ..)| name != only))
    {
        return Err(Usage::error(format!(
            "there is no step {unknown:?}: `cargo xtask ci --steps` lists them"
        )));
    }
    let stop = Stop::watch()?;
    let context = Context { project, around: Surroundings::probe(), before: Leftovers::look() };
    let start = Instant::now();
    let mut rows = Vec::new();
    let mut good = true;
    for (name, about, step) in STEPS {
        if !args.only.is_empty() && !args.only.iter().any(|only| only == name) {
            continue;
        }
        eprintln!("\n=== {name}: {about}");
        let began = Instant::now();
        let outcome = step(&context);
        let seconds = began.elapsed().as_secs();
        // A step ends by itself: its program gets the signal too.
        if stop.code().is_some() {
            eprintln!(
                "=== {name}: stopped by a signal, {seconds} s; the steps after it do not run"
            );
            rows.push([name.to_owned(), seconds.to_string(), "stopped".to_owned()]);
            break;
        }
        let outcome = outcome.unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Outcome::Failed
        });
        let (fine, verdict) = judge(&outcome, say::on_ci());
        eprintln!("=== {name}: {verdict}, {seconds} s");
        good &= fine;
        rows.push([name.to_owned(), seconds.to_string(), verdict]);
    }
    let stopped = stop.code();
    let verdict = match (stopped, good) {
        (Some(_), _) => "stopped",
        (None, true) => "passed",
        (None, false) => "failed",
    };
    rows.push(["all".to_owned(), start.elapsed().as_secs().to_string(), verdict.to_owned()]);
    print!("\n{}", table(&["Step".to_owned(), "Seconds".to_owned(), "Outcome".to_owned()], &rows));
    Ok(ExitCode::from(stopped.unwrap_or(u8::from(!good))))
}

/// Whether the whole can still pass, and a word for the table.
fn judge(outcome: &Outcome, ci: bool) -> (bool, String) {
    match outcome {
        Outcome::Passed => (true, "passed".to_owned()),
        Outcome::Failed => (false, "FAILED".to_owned()),
        Outcome::LeftOut(why) if ci => {
            (false, format!("FAILED: with CI=true nothing is left out: {why}"))
        }
        Outcome::LeftOut(why) => (true, format!("left out: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_fails_on_ci_only() {
        let left_out = Outcome::LeftOut("no cargo-deny".to_owned());
        assert_eq!(judge(&left_out, false), (true, "left out: no cargo-deny".to_owned()));
        assert!(!judge(&left_out, true).0);
        assert!(!judge(&Outcome::Failed, false).0);
        assert!(judge(&Outcome::Passed, true).0);
    }

    #[test]
    fn step_names_are_unique() {
        let mut names: Vec<&str> = STEPS.iter().map(|(name, ..)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
