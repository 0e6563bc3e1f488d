//! Standard output: closed early, and shared by many threads.
//!
//! The program under test is this test's own executable, told by a variable to write lines.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

const ROLE: &str = "LOGGING_TEST_WRITES";

/// This test again, as a program that writes lines: some, or until its standard input ends.
fn writer(role: &str) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args([
            "--exact",
            "output::the_program_that_writes",
            "--nocapture",
            "--test-threads",
            "1",
        ])
        .env(ROLE, role)
        .env("LOG_FORMAT", "json")
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command.spawn()?)
}

/// What the other tests of this module start; run as a test, it does nothing.
#[test]
fn the_program_that_writes() {
    match std::env::var(ROLE).as_deref() {
        Ok("until told") => {
            logging::init().expect("the only subscriber");
            let told = std::thread::spawn(|| {
                std::io::stdin().read_to_end(&mut Vec::new())
            });
            while !told.is_finished() {
                tracing::info!(target: "run", "started");
            }
            for _ in 0..1000 {
                tracing::info!(target: "run", "stopped");
            }
            eprintln!("flushed");
            // The test harness would fail to write to the closed pipe.
            std::process::exit(7);
        }
        Ok("from four threads") => {
            logging::init().expect("the only subscriber");
            let again = logging::init().expect_err("there is one");
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    scope.spawn(move || {
                        for offset in 0..500 {
                            tracing::info!(target: "run", process = "writer", partition = thread, offset, "consumed");
                        }
                    });
                }
            });
            tracing::info!(target: "run", %again, "outcome");
        }
        _ => {}
    }
}

/// `cargo xtask run … | head -3`: the reader goes away, the program does its work to the end, without a complaint.
#[test]
fn a_closed_pipe_ends_the_lines_and_not_the_program() -> Result<()> {
    let mut child = writer("until told")?;
    let mut lines =
        BufReader::new(child.stdout.take().context("no stdout")?).lines();
    let seen = lines.by_ref().take(6).collect::<Result<Vec<_>, _>>()?;
    assert!(seen.iter().any(|line| line.contains("started")), "{seen:?}");

    drop(lines);
    // Whatever it writes from now on meets a closed pipe.
    drop(child.stdin.take());

    let output = child.wait_with_output()?;
    assert_eq!(String::from_utf8(output.stderr)?, "flushed\n");
    assert_eq!(output.status.code(), Some(7));
    Ok(())
}

/// Four threads write at once: no line is torn, none is missing, each thread's lines are in order, and a second
/// `init` is an error that says what to do.
#[test]
fn lines_of_many_threads_are_whole_and_in_order() -> Result<()> {
    let output = writer("from four threads")?.wait_with_output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    // The test harness writes lines of its own around ours.
    let ours = text
        .lines()
        .filter_map(|line| Some(&line[line.find('{')?..]))
        .collect::<Vec<_>>()
        .join("\n");
    let recording = logging::Recording::from_json_lines(
        logging::Header::default(),
        ours.as_bytes(),
    )?;
    let mut next = [0; 4];
    for line in
        recording.lines.iter().filter(|line| line.message == "consumed")
    {
        let number =
            |name| line.fields.get(name).and_then(logging::Value::as_int);
        let partition = number("partition").context("no partition")?;
        let next = &mut next[usize::try_from(partition)?];
        assert_eq!(number("offset"), Some(*next), "partition {partition}");
        *next += 1;
    }
    assert_eq!(next, [500; 4]);
    assert!(
        recording.lines.windows(2).all(|pair| pair[0].t_ms <= pair[1].t_ms)
    );
    let last = recording.lines.last().context("no line")?;
    let said = last
        .fields
        .get("again")
        .map(ToString::to_string)
        .unwrap_or_default();
    assert!(said.contains("call `logging::init()` once"), "{said}");
    Ok(())
}
