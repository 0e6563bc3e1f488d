//! What the page shows of the recorded run.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use logging::{Line, Moments, Recording, Stamp, Value, write_json};

fn path(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// The recordings stay with the book: a crate that somebody took home has neither them nor a page to hold.
fn taken_home() -> bool {
    !path("runs").exists()
}

/// Holds a file that the page includes to what the recording says; UPDATE_PAGE=1 writes it.
fn hold(file: &str, expected: &str) -> Result<()> {
    let path = path("tests/it/output").join(file);
    if std::env::var_os("UPDATE_PAGE").is_some() {
        std::fs::write(&path, expected)?;
    }
    let shown = std::fs::read_to_string(&path)
        .with_context(|| path.display().to_string())?;
    ensure!(
        shown == expected,
        "{file} is not what the recording says: run with UPDATE_PAGE=1"
    );
    Ok(())
}

fn id(line: &Line) -> Option<&str> {
    line.fields.get("correlation_id").and_then(Value::as_str)
}

/// The page searches the recorded run for one id, that of the second order, and shows what it finds.
#[test]
fn the_lines_of_one_order() -> Result<()> {
    if taken_home() {
        return Ok(());
    }
    let mut run = Recording::read(&path("runs/follow/1.jsonl"))?;
    let key = Value::from("order-1021");
    let first =
        run.lines.iter().find(|line| line.fields.get("key") == Some(&key));
    let wanted =
        first.and_then(id).context("the order has no id")?.to_owned();
    run.lines.retain(|line| id(line) == Some(&wanted));
    ensure!(run.lines.len() == 9, "{} lines", run.lines.len());
    // As the page's command does: without the brackets, whose id is the one that was searched for.
    let shown = run.transcript();
    let shown =
        shown.lines().map(|line| line.split("  [").next().unwrap_or(line));
    hold(
        "followed.txt",
        &shown.map(|line| format!("{line}\n")).collect::<String>(),
    )
}

/// The page shows one recorded line in its JSON form, a field a line.
#[test]
fn one_line_as_json() -> Result<()> {
    if taken_home() {
        return Ok(());
    }
    let run = Recording::read(&path("runs/follow/1.jsonl"))?;
    let line = run.lines.iter().find(|line| {
        line.process() == Some("payment") && line.message == "acknowledged"
    });
    let line = line.context("payment sent nothing")?;
    let mut json = String::new();
    // The recording keeps the time since its first line; the hour is noon.
    let noon = 1_778_760_000_000_000;
    let micros = noon + i64::try_from(line.t_ms)? * 1000;
    write_json(line, Stamp { micros, service: "shop" }, &mut json);
    hold(
        "line.json",
        &json
            .replace("\",\"", "\",\n \"")
            .replace(",\"kafka", ",\n \"kafka"),
    )
}

/// The moments that captions speak of are in every recording that is kept.
#[test]
fn every_recording_has_its_moments() -> Result<()> {
    if taken_home() {
        return Ok(());
    }
    for run in ["follow", "broken", "guard"] {
        let moments =
            Moments::read(&path(&format!("runs/{run}/moments.toml")))?;
        for number in 1..=3 {
            let file = path(&format!("runs/{run}/{number}.jsonl"));
            if file.exists() || number == 1 {
                let found = moments.locate(&Recording::read(&file)?.lines);
                ensure!(
                    found.iter().all(Option::is_some),
                    "{}: {found:?}",
                    file.display()
                );
            }
        }
    }
    Ok(())
}
