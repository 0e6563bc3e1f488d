//! Clients, programs and reading that the tests share.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use logging::{Header, Line, Moments, Recording, Value};
use testbed::embedded::Embedded;
use testbed::{Cluster, TopicSpec};
use tokio::process::Command;
use tokio::time::timeout;

/// Longer than anything here takes, so that a hanging test ends with a message.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub type Result<T = ()> =
    std::result::Result<T, Box<dyn std::error::Error>>;

/// The topic's name stands in the programs, so each test has a cluster of its own: built in, 1 ms.
pub async fn built_in(topic: &str) -> Result<Cluster> {
    let cluster: Cluster = Embedded::start(1)?.into();
    let spec: TopicSpec = topic.parse()?;
    cluster.create_topic(&spec).await?;
    Ok(cluster)
}

/// A program of this chapter: the binary `topics`, or an example.
pub fn command(program: &str, brokers: Option<&str>) -> Command {
    // Examples are built beside the test: target/<profile>/deps/<test>, target/<profile>/examples.
    let bin = Path::new(env!("CARGO_BIN_EXE_topics"));
    let path = match (program, bin.parent()) {
        ("topics", _) | (_, None) => bin.to_owned(),
        (_, Some(folder)) => folder.join("examples").join(program),
    };
    let mut command = Command::new(path);
    command
        .env_remove("KAFKA_BROKERS")
        .env_remove("RUST_LOG")
        .env("LOG_FORMAT", "json")
        .env("NO_COLOR", "1")
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(brokers) = brokers {
        command.env("KAFKA_BROKERS", brokers);
    }
    command
}

/// Runs a program to its end, and reads its story.
pub async fn told(mut command: Command) -> Result<Recording> {
    let output = timeout(PATIENCE * 2, command.output())
        .await
        .map_err(|_| "still running")??;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    Ok(Recording::from_json_lines(
        Header::default(),
        output.stdout.as_slice(),
    )?)
}

/// The named moments of a recorded run occur in this one, in their order.
pub fn has_moments(run: &Recording, name: &str) -> Result {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runs");
    let file = folder.join(name).join("moments.toml");
    let places = Moments::read(&file)?.locate(&run.lines);
    assert!(places.iter().all(Option::is_some), "{places:?}");
    Ok(())
}

/// The number in this field of the last line.
pub fn outcome(run: &Recording, field: &str) -> Result<i64> {
    let last = run.lines.last().ok_or("it said nothing")?;
    let value = last.fields.get(field).and_then(Value::as_int);
    Ok(value.ok_or_else(|| format!("no number {field} in {last:?}"))?)
}

/// The lines with this message.
pub fn lines<'a>(
    run: &'a Recording,
    message: &'a str,
) -> impl Iterator<Item = &'a Line> {
    run.lines.iter().filter(move |line| line.message == message)
}

/// A field as a number; -1 if it is none.
pub fn int(line: &Line, field: &str) -> i64 {
    line.fields.get(field).and_then(Value::as_int).unwrap_or(-1)
}

/// A field as a text; empty if it is none.
pub fn text<'a>(line: &'a Line, field: &str) -> &'a str {
    line.fields.get(field).and_then(Value::as_str).unwrap_or_default()
}
