//! The programs that a reader starts: what they print, and how they end.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use events::{Ledger, Settlement, ShopEvent, fixtures, from_message};
use logging::{Header, Moments, Recording};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rdkafka::consumer::Consumer;
use testbed::embedded::Embedded;
use testbed::{Cluster, TopicSpec, eventually};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::common::{PATIENCE, Result, consumer, next, producer, send};

/// The topic names stand in the programs, so each test has a cluster of its own: built in, 1 ms.
async fn shop() -> Result<Cluster> {
    let cluster: Cluster = Embedded::start(1)?.into();
    for name in topics() {
        let spec = TopicSpec {
            name: name.to_owned(),
            partitions: 3,
            config: Vec::new(),
        };
        cluster.create_topic(&spec).await?;
    }
    Ok(cluster)
}

/// A program of this chapter: target/<profile>/deps holds this test, target/<profile>/examples the programs.
fn command(program: &str, cluster: &Cluster) -> Result<Command> {
    let test = std::env::current_exe()?;
    let profile = test
        .parent()
        .and_then(|deps| deps.parent())
        .ok_or("no folder above the test")?;
    let path = profile.join("examples").join(program);
    if !path.exists() {
        return Err(format!(
            "{} is missing: cargo build -p events --examples",
            path.display()
        )
        .into());
    }
    let mut command = Command::new(path);
    command
        .env("KAFKA_BROKERS", &cluster.bootstrap)
        .env("NO_COLOR", "1")
        .env_remove("LOG_FORMAT")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

async fn output(mut command: Command) -> Result<std::process::Output> {
    Ok(timeout(PATIENCE, command.output())
        .await
        .map_err(|_| "still running")??)
}

async fn printed(command: Command) -> Result<String> {
    let output = output(command).await?;
    let text = String::from_utf8(output.stdout)?;
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(text)
}

/// The fields of the last line, which counts.
fn outcome(printed: &str) -> Result<Vec<&str>> {
    let last = printed.lines().last().ok_or("printed nothing")?;
    assert!(last.contains("outcome"), "{last}");
    Ok(last.split_whitespace().filter(|word| word.contains('=')).collect())
}

/// A day is sent and read; three payloads are refused, each with its paths; the payments add up.
#[tokio::test]
async fn the_day_counts_what_was_sent_read_and_refused() -> Result {
    let printed = printed(command("events_run", &shop().await?)?).await?;

    let counts = outcome(&printed)?;
    for count in
        ["sent=18", "read=15", "refused=3", "orders=3", "settled=3"]
    {
        assert!(
            counts.contains(&count),
            "{count} is missing in {counts:?}\n{printed}"
        );
    }
    for path in
        ["data.items[0].unit_price: ", "data.items[0].quantity: ", "type: "]
    {
        let refusals = printed.lines().filter(|line| line.contains(path));
        assert_eq!(refusals.count(), 1, "{path}\n{printed}");
    }
    Ok(())
}

/// The moments that the page names occur, in their order; the page shows them in the recorded run.
#[tokio::test]
async fn the_moments_of_the_day_occur() -> Result {
    let cluster = shop().await?;
    let mut program = command("events_run", &cluster)?;
    program.env("LOG_FORMAT", "json");
    let printed = printed(program).await?;
    let run =
        Recording::from_json_lines(Header::default(), printed.as_bytes())?;

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runs/day");
    let moments = Moments::read(&folder.join("moments.toml"))?;
    let located = moments.locate(&run.lines);
    assert_eq!(located.len(), 5);
    assert!(located.iter().all(Option::is_some), "{located:?}");
    Ok(())
}

/// The same seed sends the same events to the same places, and another seed others.
#[tokio::test]
async fn a_seed_is_a_day() -> Result {
    let day = async |seed: &str| -> Result<Vec<String>> {
        let cluster = shop().await?;
        let mut program = command("events_run", &cluster)?;
        program.args(["--seed", seed]);
        let printed = printed(program).await?;
        // The lines of the senders; the reader's may come in another order each time.
        let key = |line: &str| {
            line.split_whitespace()
                .find(|word| word.starts_with("key="))
                .map(str::to_owned)
        };
        Ok(printed
            .lines()
            .filter(|line| line.contains("acknowledged"))
            .filter_map(key)
            .collect())
    };
    let one = day("1031").await?;
    assert_eq!(one.len(), 18);
    assert_eq!(one, day("1031").await?);
    assert_ne!(one, day("8").await?);
    Ok(())
}

/// A record of an earlier day, on a broker that was kept, is not counted.
#[tokio::test]
async fn the_day_counts_its_own_records() -> Result {
    let cluster = shop().await?;
    let yesterday = fixtures::one_of_each().remove(2).to_record()?;
    send(&producer(&cluster)?, &yesterday).await?;
    let printed = printed(command("events_run", &cluster)?).await?;
    assert!(outcome(&printed)?.contains(&"sent=18"), "{printed}");
    assert_eq!(printed.matches("processed").count(), 15, "{printed}");
    Ok(())
}

/// The report that believes its records gives the number that opens the page; the one that checks gives one a
/// currency.
#[tokio::test]
async fn a_report_that_believes_adds_yen_to_euros() -> Result {
    let printed =
        printed(command("events_trusting", &shop().await?)?).await?;
    assert_eq!(printed, include_str!("output/trusting.txt"));
    Ok(())
}

/// Wrong words on the command line end the program with 2 and say what the right ones are.
#[tokio::test]
async fn wrong_usage_ends_with_2() -> Result {
    let mut program = command("events_run", &shop().await?)?;
    program.args(["--seed", "seven"]);
    let output = output(program).await?;
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr)?.contains("--seed NUMBER"));
    Ok(())
}

/// Without a broker's address the program says what to do, and ends with 1.
#[tokio::test]
async fn no_address_ends_with_1() -> Result {
    let mut program = command("events_run", &shop().await?)?;
    program.env_remove("KAFKA_BROKERS");
    let output = output(program).await?;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr)?.contains("cargo xtask run"));
    Ok(())
}

/// Ctrl-C in the middle of the day: the program flushes, leaves its group, says so, and ends with 0.
#[tokio::test]
async fn ctrl_c_ends_the_day_cleanly() -> Result {
    let cluster = shop().await?;
    let embedded = cluster.as_embedded().ok_or("not built in")?;
    // Each answer takes so long that the day is far from over when Ctrl-C comes.
    embedded.round_trip_time(1, Duration::from_millis(400))?;
    let mut child = command("events_run", &cluster)?.spawn()?;
    let mut lines =
        BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
    let first = timeout(PATIENCE, lines.next_line())
        .await
        .map_err(|_| "no line in 30 s")??;
    assert!(first.is_some_and(|line| line.contains("started")));

    kill(
        Pid::from_raw(i32::try_from(child.id().ok_or("already gone")?)?),
        Signal::SIGINT,
    )?;
    let status = timeout(PATIENCE, child.wait())
        .await
        .map_err(|_| "still running")??;

    assert!(status.success(), "{status}");
    let mut last = String::new();
    while let Some(line) = lines.next_line().await? {
        last = line;
    }
    assert!(last.contains("stopped"), "{last}");
    Ok(())
}

/// Ctrl-C while the trusting report still sends: it leaves its group, says so, and ends with 0.
#[tokio::test]
async fn ctrl_c_ends_the_report_cleanly() -> Result {
    let cluster = shop().await?;
    let embedded = cluster.as_embedded().ok_or("not built in")?;
    embedded.round_trip_time(1, Duration::from_millis(200))?;
    let child = command("events_trusting", &cluster)?.spawn()?;
    let looker = consumer(&cluster, &topics())?;
    // Its first record is there, so it listens.
    eventually(PATIENCE, "the report has sent an order", async || {
        let mut held = 0;
        for partition in 0..3 {
            let marks = looker.fetch_watermarks(
                events::topics::ORDERS,
                partition,
                PATIENCE,
            );
            held += marks.map_err(|error| error.to_string())?.1;
        }
        if held > 0 { Ok(()) } else { Err("none".to_owned()) }
    })
    .await?;

    kill(
        Pid::from_raw(i32::try_from(child.id().ok_or("already gone")?)?),
        Signal::SIGINT,
    )?;
    let output = timeout(PATIENCE, child.wait_with_output())
        .await
        .map_err(|_| "still running")??;

    assert!(output.status.success(), "{}", output.status);
    let printed = String::from_utf8(output.stdout)?;
    let last = printed.lines().last().unwrap_or_default();
    assert!(last.contains("stopped"), "{printed}");
    Ok(())
}

/// The shop is killed in the middle of its day. What the topics hold is whole: every record is an event that keeps
/// the rules, and no order was paid more than it costs.
#[tokio::test]
async fn a_killed_shop_leaves_whole_events() -> Result {
    let cluster = shop().await?;
    let embedded = cluster.as_embedded().ok_or("not built in")?;
    embedded.round_trip_time(1, Duration::from_millis(50))?;
    let mut child = command("events_run", &cluster)?.spawn()?;
    let mut lines =
        BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
    let mut acknowledged = 0;
    while acknowledged < 8 {
        let line = timeout(PATIENCE, lines.next_line())
            .await
            .map_err(|_| "no line in 30 s")??;
        acknowledged += i64::from(
            line.ok_or("the day ended before")?.contains("acknowledged"),
        );
    }
    child.kill().await?;
    embedded.round_trip_time(1, Duration::ZERO)?;

    let consumer = consumer(&cluster, &topics())?;
    let mut held = 0;
    for topic in topics() {
        for partition in 0..3 {
            let (low, high) =
                consumer.fetch_watermarks(topic, partition, PATIENCE)?;
            held += high - low;
        }
    }
    assert!(
        (acknowledged..18).contains(&held),
        "{held} records, {acknowledged} acknowledged"
    );
    let mut ledger = Ledger::default();
    for _ in 0..held {
        ledger.tell(
            &from_message::<ShopEvent>(&next(&consumer).await?)?.data,
        )?;
    }
    for (order, settlement) in ledger.orders() {
        assert!(
            !matches!(
                settlement,
                Settlement::Over(_) | Settlement::Impossible
            ),
            "{order}: {settlement:?}"
        );
    }
    Ok(())
}

fn topics() -> [&'static str; 3] {
    [
        events::topics::USERS,
        events::topics::ORDERS,
        events::topics::PAYMENTS,
    ]
}
