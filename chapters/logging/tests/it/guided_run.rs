//! The guided run: its chain of ids, the header that is forgotten, Ctrl-C, and what it refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use logging::{Header, Line, Moments, Recording, compare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rdkafka::consumer::{BaseConsumer, Consumer};
use testbed::embedded::Embedded;
use testbed::{Cluster, TopicSpec};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::PATIENCE;

/// The topics' names stand in the program, so each test has a cluster of its own: built in, 1 ms.
async fn shop() -> Result<Cluster> {
    let cluster: Cluster = Embedded::start(1)?.into();
    create_topics(&cluster).await?;
    Ok(cluster)
}

pub async fn create_topics(cluster: &Cluster) -> Result<()> {
    for name in ["orders", "payments", "parcels", "deliveries"] {
        let spec = TopicSpec {
            name: name.to_owned(),
            partitions: 3,
            config: Vec::new(),
        };
        cluster.create_topic(&spec).await?;
    }
    Ok(())
}

/// The guided run, which talks to this broker.
pub fn program(bootstrap: &str) -> Result<Command> {
    let mut command = example("logging_run")?;
    command.env("KAFKA_BROKERS", bootstrap);
    Ok(command)
}

/// A program: target/<profile>/deps holds this test, target/<profile>/examples the programs.
fn example(name: &str) -> Result<Command> {
    let test = std::env::current_exe()?;
    let profile = test
        .parent()
        .and_then(|deps| deps.parent())
        .context("no folder above the test")?;
    let path = profile.join("examples").join(name);
    ensure!(
        path.exists(),
        "{} is missing: cargo build -p logging --examples",
        path.display()
    );
    let mut command = Command::new(path);
    command
        .env("LOG_FORMAT", "json")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

async fn output(mut command: Command) -> Result<Output> {
    Ok(timeout(PATIENCE, command.output())
        .await
        .context("still running")??)
}

async fn recorded(arguments: &[&str]) -> Result<Recording> {
    recorded_on(&shop().await?, arguments).await
}

pub async fn recorded_on(
    cluster: &Cluster,
    arguments: &[&str],
) -> Result<Recording> {
    let mut command = program(&cluster.bootstrap)?;
    command.args(arguments);
    let output = output(command).await?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(Recording::from_json_lines(Header::default(), &output.stdout[..])?)
}

pub fn interrupt(child: &Child) -> Result<()> {
    let pid = child.id().context("it has ended")?;
    Ok(kill(Pid::from_raw(pid.try_into()?), Signal::SIGINT)?)
}

/// The last line of the run's story, when the program has closed its output.
pub async fn last_story_line(
    mut lines: Lines<BufReader<ChildStdout>>,
) -> Result<Line> {
    let mut last = None;
    while let Some(text) = timeout(PATIENCE, lines.next_line()).await?? {
        let (_, line) = logging::read_json(&text)?;
        last =
            Some(line).filter(|line| line.target == logging::RUN).or(last);
    }
    last.context("no line of the story")
}

fn text(line: &Line, field: &str) -> Option<String> {
    line.fields.get(field).map(ToString::to_string)
}

/// The processes that wrote lines with one id, by id.
fn processes_by_id(
    recording: &Recording,
) -> BTreeMap<String, BTreeSet<&str>> {
    let mut by_id: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for line in &recording.lines {
        if let (Some(id), Some(process)) =
            (text(line, "correlation_id"), line.process())
        {
            by_id.entry(id).or_default().insert(process);
        }
    }
    by_id
}

pub fn outcome(recording: &Recording) -> String {
    let last =
        recording.lines.last().filter(|line| line.message == "outcome");
    last.map_or_else(String::new, |line| {
        serde_json::to_string(&line.fields).unwrap_or_default()
    })
}

/// claim: one-id-through-five-services
///
/// Every line of the story bears an id; each id is in the lines of all five services; and each line but the
/// first names the record because of which it was written.
#[tokio::test]
async fn each_order_can_be_followed_through_five_services() -> Result<()> {
    let run = recorded(&[]).await?;

    let by_id = processes_by_id(&run);
    assert_eq!(by_id.len(), 3, "{by_id:?}");
    for (id, processes) in &by_id {
        let all = BTreeSet::from([
            "checkout", "payment", "packing", "shipping", "mail",
        ]);
        assert_eq!(processes, &all, "{id}");
        let mut places = BTreeSet::new();
        for line in run.lines.iter().filter(|line| {
            text(line, "correlation_id").as_ref() == Some(id)
        }) {
            if let Some(cause) = text(line, "causation_id") {
                assert!(
                    places.contains(&cause),
                    "{cause} is not a record that came before: {places:?}"
                );
            }
            let place = ["topic", "partition", "offset"]
                .map(|name| text(line, name).unwrap_or_default());
            places
                .insert(format!("{}-{}@{}", place[0], place[1], place[2]));
        }
        assert_eq!(places.len(), 4, "one record on each topic: {places:?}");
    }
    assert_eq!(
        outcome(&run),
        r#"{"process":"shop","orders":3,"mailed":3,"unbroken":3}"#
    );
    Ok(())
}

/// No key leads through the shop: each service has its own.
#[tokio::test]
async fn no_key_is_in_the_lines_of_all_services() -> Result<()> {
    let run = recorded(&[]).await?;
    let mut by_key: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for line in &run.lines {
        if let (Some(key), Some(process)) =
            (text(line, "key"), line.process())
        {
            by_key.entry(key).or_default().insert(process);
        }
    }
    assert!(!by_key.is_empty());
    for (key, processes) in by_key {
        assert!(processes.len() <= 2, "{key}: {processes:?}");
    }
    Ok(())
}

/// claim: a-dropped-header-breaks-the-chain
///
/// Payment forgets the header. Every order is still mailed, and no mail can be traced back to checkout: packing,
/// the first to see it, says so once for each record.
#[tokio::test]
async fn a_service_that_forgets_the_header_breaks_every_chain_and_the_next_one_says_so()
-> Result<()> {
    let run = recorded(&["--forget-header", "payment"]).await?;

    assert_eq!(
        outcome(&run),
        r#"{"process":"shop","orders":3,"mailed":3,"unbroken":0}"#
    );
    let orphaned: Vec<_> = run
        .lines
        .iter()
        .filter(|line| line.message == "orphaned")
        .collect();
    assert_eq!(orphaned.len(), 3);
    assert!(orphaned.iter().all(|line| line.process() == Some("packing")));
    assert!(orphaned.iter().all(|line| line.level == logging::Level::Warn));
    for (id, processes) in processes_by_id(&run) {
        assert!(
            processes == BTreeSet::from(["checkout", "payment"])
                || processes
                    == BTreeSet::from(["packing", "shipping", "mail"]),
            "{id}: {processes:?}"
        );
    }
    Ok(())
}

/// claim: a-held-guard-marks-others
///
/// Packing works on three orders at once. With a guard that is held while it waits, two lines of six bear the id
/// of another order; with `instrument` none of six.
#[tokio::test]
async fn a_guard_that_is_held_while_waiting_marks_other_lines() -> Result<()>
{
    let printed = output(example("logging_guard")?).await?;
    let run =
        Recording::from_json_lines(Header::default(), &printed.stdout[..])?;
    let drawn: BTreeMap<_, _> = run
        .lines
        .iter()
        .filter(|line| line.message == "drawn")
        .map(|line| (text(line, "key"), text(line, "correlation_id")))
        .collect();
    assert_eq!(drawn.len(), 6);
    let wrong: Vec<_> = run
        .lines
        .iter()
        .filter(|line| line.process() == Some("packing"))
        .filter(|line| {
            drawn[&text(line, "key")] != text(line, "correlation_id")
        })
        .filter_map(|line| text(line, "key"))
        .collect();
    assert_eq!(wrong, ["order-1", "order-2"]);
    assert_eq!(
        outcome(&run),
        r#"{"process":"shop","lines":12,"held":2,"given":0}"#
    );
    Ok(())
}

/// Two runs have other ids and other interleavings, and are equal; a broken chain is not equal to them.
#[tokio::test]
async fn runs_are_equal_and_a_broken_chain_is_not() -> Result<()> {
    let (one, other) = (recorded(&[]).await?, recorded(&[]).await?);
    assert_eq!(compare(&one, &other, &Moments::default()), []);
    let broken = recorded(&["--forget-header", "shipping"]).await?;
    let differences = compare(&one, &broken, &Moments::default());
    let all: Vec<String> =
        differences.iter().map(ToString::to_string).collect();
    assert!(
        all.contains(&"outcome: expected unbroken 3, got 0".to_owned()),
        "{all:#?}"
    );
    Ok(())
}

/// Somebody presses Ctrl-C while the orders cannot be sent, since there is no broker at all: the run says that it
/// stops, and ends; an order that was taken and never sent is an error, with its number and what to look at.
#[tokio::test]
async fn ctrl_c_ends_it_while_nothing_answers() -> Result<()> {
    let mut command = program("127.0.0.1:1")?;
    let mut child = command.spawn()?;
    let mut lines =
        BufReader::new(child.stdout.take().context("no stdout")?).lines();
    // Checkout hands its first order to the client before it looks at
    // anything else again.
    loop {
        let line = timeout(PATIENCE, lines.next_line()).await??;
        let (_, line) = logging::read_json(&line.context("no line")?)?;
        if line.target == logging::RUN && line.message == "started" {
            break;
        }
    }
    interrupt(&child)?;
    let last = last_story_line(lines).await?;
    assert_eq!(last.message, "stopped");
    let ended = timeout(PATIENCE, child.wait_with_output()).await??;
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr);
    // Troubleshooting shows this file; behind it stands what the client says.
    let shown = include_str!("output/never_acknowledged.txt").trim_end();
    assert!(said.starts_with(shown), "{said}");
    Ok(())
}

/// Killed with signal 9 in the middle, the run has said what it did: each line is whole, and each record that it
/// calls acknowledged is in its topic.
#[tokio::test]
async fn what_a_killed_run_has_said_is_whole_and_true() -> Result<()> {
    let cluster = shop().await?;
    let embedded = cluster.as_embedded().context("not built in")?;
    // Slow enough that there is work left when the signal comes.
    embedded.round_trip_time(1, Duration::from_millis(200))?;
    let mut child = program(&cluster.bootstrap)?.spawn()?;
    let mut said =
        BufReader::new(child.stdout.take().context("no stdout")?);
    let mut text = String::new();
    while !text.contains("payments") {
        ensure!(
            timeout(PATIENCE, said.read_line(&mut text)).await?? > 0,
            "it ended by itself:\n{text}"
        );
    }
    child.start_kill()?;
    timeout(PATIENCE, said.read_to_string(&mut text)).await??;
    let status = timeout(PATIENCE, child.wait()).await??;
    assert_eq!(status.signal(), Some(9), "{text}");
    embedded.round_trip_time(1, Duration::ZERO)?;

    assert!(text.ends_with('\n'), "the last line is cut: {text}");
    let mut acknowledged = 0;
    let client: BaseConsumer = cluster.client_config().create()?;
    for line in text.lines() {
        let (_, line) = logging::read_json(line)?;
        assert_ne!(line.message, "outcome", "{text}");
        if line.message != "acknowledged" {
            continue;
        }
        acknowledged += 1;
        let field = |name| self::text(&line, name).context("no such field");
        let (topic, partition) = (field("topic")?, field("partition")?);
        let offset: i64 = field("offset")?.parse()?;
        let (_, end) = client.fetch_watermarks(
            &topic,
            partition.parse()?,
            PATIENCE,
        )?;
        assert!(offset < end, "{topic}-{partition}@{offset} of {end}");
    }
    assert!(acknowledged >= 2, "{text}");
    Ok(())
}

/// With librdkafka's target at debug, its own lines are there, with the facility as a field; the story is not.
#[tokio::test]
async fn librdkafka_tells_what_it_does_when_it_is_asked() -> Result<()> {
    let cluster = shop().await?;
    let mut command = program(&cluster.bootstrap)?;
    command.env("RUST_LOG", "warn,librdkafka=debug");
    let output = output(command).await?;
    let mut codes = BTreeSet::new();
    for text in String::from_utf8(output.stdout)?.lines() {
        let (_, line) = logging::read_json(text)?;
        assert_eq!(line.target, logging::LIBRDKAFKA, "{text}");
        codes.extend(self::text(&line, "code"));
    }
    assert!(
        codes.contains("CONNECT") && codes.contains("CGRPSTATE"),
        "{codes:?}"
    );
    Ok(())
}

/// What the program cannot do, it says, with the exit code for it.
#[tokio::test]
async fn what_it_refuses() -> Result<()> {
    let mut command = program("127.0.0.1:1")?;
    command.args(["--forget-header", "mail"]);
    let refused = output(command).await?;
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&refused.stderr)
            .contains("--forget-header checkout|payment")
    );

    let mut command = program("127.0.0.1:1")?;
    command.env_remove("KAFKA_BROKERS");
    let refused = output(command).await?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&refused.stderr)
            .contains("cargo xtask run")
    );

    let mut command = program("127.0.0.1:1")?;
    command.env("LOG_FORMAT", "xml");
    let refused = output(command).await?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&refused.stderr)
            .contains("LOG_FORMAT is `xml`")
    );
    Ok(())
}
