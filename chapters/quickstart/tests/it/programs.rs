//! The programs that a reader starts: what they print, and what the topic holds afterwards.

use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use testbed::embedded::Embedded;
use testbed::{Cluster, TopicSpec};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::common::{PATIENCE, Result, count};

/// The topic name stands in the programs, so each test has a cluster of its own: built in, 1 ms.
async fn shop(partitions: i32) -> Result<Cluster> {
    let cluster: Cluster = Embedded::start(1)?.into();
    cluster
        .create_topic(&TopicSpec {
            name: "orders".to_owned(),
            partitions,
            config: Vec::new(),
        })
        .await?;
    Ok(cluster)
}

fn command(program: &str, cluster: &Cluster) -> Command {
    // Examples are built beside the test: target/<profile>/deps/<test>, target/<profile>/examples.
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_quickstart"));
    let path = match (program, bin.parent()) {
        ("quickstart", _) | (_, None) => bin.to_owned(),
        (_, Some(folder)) => folder.join("examples").join(program),
    };
    let mut command = Command::new(path);
    command
        .env("KAFKA_BROKERS", &cluster.bootstrap)
        // A pipe gets no colours, also where nobody has asked for none.
        .env_remove("NO_COLOR")
        .env_remove("LOG_FORMAT")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn output(mut command: Command) -> Result<String> {
    let output = timeout(PATIENCE, command.output())
        .await
        .map_err(|_| "still running")??;
    let text = String::from_utf8(output.stdout)?;
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(text)
}

/// The first program prints its acknowledgement and its record, within a second of its start.
#[tokio::test]
async fn the_first_program_shows_its_order_within_a_second() -> Result {
    let mut fastest = Duration::MAX;
    // On a machine that does other things too, one start may wait for a core; five do not.
    for _ in 0..5 {
        let cluster = shop(1).await?;
        let start = Instant::now();
        let printed = output(command("quickstart", &cluster)).await?;
        fastest = fastest.min(start.elapsed());
        // The page shows this file: where the program prints something else, it changes too.
        assert_eq!(printed, include_str!("output/first.txt"));
        if fastest < Duration::from_secs(1) {
            return Ok(());
        }
    }
    panic!("the fastest of five took {fastest:?}");
}

/// Started by hand, without a broker's address: the message names what is missing.
#[tokio::test]
async fn without_an_address_it_says_what_to_do() -> Result {
    let mut first = command("quickstart", &shop(1).await?);
    first.env_remove("KAFKA_BROKERS").env("RUST_BACKTRACE", "0");
    let output = timeout(PATIENCE, first.output()).await??;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    // Troubleshooting shows this file.
    assert_eq!(said, include_str!("output/no_address.txt"));
    Ok(())
}

/// It is the first code that a reader sees, and every line is read: 35 lines, 150 in all.
#[test]
fn the_code_is_short_enough_to_be_read() {
    let first = include_str!("../../src/main.rs").lines().count();
    let rest = [
        include_str!("../../src/lib.rs"),
        include_str!("../../examples/run.rs"),
    ];
    let all =
        first + rest.iter().map(|file| file.lines().count()).sum::<usize>();
    assert!(first <= 35, "src/main.rs has {first} lines");
    assert!(all < 150, "the crate has {all} lines");
}

/// claim: spawned-sends-are-lost
///
/// Ten sends are handed to tasks, main returns, and the process ends with 0: nothing was stored.
#[tokio::test]
async fn sends_that_nobody_waits_for_are_lost() -> Result {
    let cluster = shop(1).await?;
    let printed = output(command("quickstart_forgotten", &cluster)).await?;

    assert_eq!(printed, include_str!("output/forgotten.txt"));
    assert_eq!(count(&cluster, "orders")?, 0);
    Ok(())
}

/// "Nothing arrives": packing comes after the first order and gets the second only; billing, which says that it
/// begins at the oldest, gets both, though packing has read one.
#[tokio::test]
async fn a_late_group_gets_what_comes_after_it() -> Result {
    let cluster = shop(1).await?;
    let printed = output(command("quickstart_late", &cluster)).await?;

    let last = printed.lines().last().unwrap_or_default();
    assert!(last.ends_with("sent=2  packed=1  billed=2"), "{printed}");
    let packed = printed.lines().filter(|line| line.contains("packing"));
    let packed: Vec<_> = packed.collect();
    assert!(
        matches!(packed[..], [only] if only.contains("order-2")),
        "{printed}"
    );
    assert_eq!(count(&cluster, "orders")?, 2, "reading removes nothing");
    Ok(())
}

/// The shop packs each order that it sold, and ends by itself.
#[tokio::test]
async fn the_shop_packs_what_it_sold() -> Result {
    let cluster = shop(3).await?;
    let printed = output(command("quickstart_run", &cluster)).await?;

    for n in 1..=5 {
        let lines = printed
            .lines()
            .filter(|line| line.contains(&format!("order-{n}")));
        assert_eq!(
            lines.count(),
            2,
            "order-{n} sent and packed:\n{printed}"
        );
    }
    Ok(())
}

/// A program that a test has started.
struct Started {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Started {
    fn new(program: &str, cluster: &Cluster) -> Result<Started> {
        let mut child = command(program, cluster).spawn()?;
        let stdout = child.stdout.take().ok_or("no stdout")?;
        Ok(Started { child, lines: BufReader::new(stdout).lines() })
    }

    /// Waits for a line in which all of `words` stand.
    async fn says(&mut self, words: &[&str]) -> Result {
        timeout(PATIENCE, async {
            while let Some(line) = self.lines.next_line().await? {
                if words.iter().all(|word| line.contains(word)) {
                    return Ok(());
                }
            }
            Err(format!("it ended before it said {words:?}").into())
        })
        .await
        .map_err(|_| format!("not said in 20 s: {words:?}"))?
    }

    fn signal(&self, signal: Signal) -> Result {
        let pid = i32::try_from(self.child.id().ok_or("already gone")?)?;
        Ok(kill(Pid::from_raw(pid), signal)?)
    }

    /// How it ended, and its last line.
    async fn end(mut self) -> Result<(ExitStatus, String)> {
        let status = timeout(PATIENCE, self.child.wait())
            .await
            .map_err(|_| "still running after the signal")??;
        let mut last = String::new();
        while let Some(line) = self.lines.next_line().await? {
            last = line;
        }
        Ok((status, last))
    }
}

/// claim: ctrl-c-ends-the-shop
///
/// Ctrl-C in the middle of the work, in the shop and where packing comes late: the program ends at once, with 0.
#[tokio::test]
async fn ctrl_c_ends_the_shop_cleanly() -> Result {
    let cluster = shop(3).await?;
    let embedded = cluster.as_embedded().ok_or("not built in")?;
    // Slow enough that the shop is still at work when Ctrl-C comes.
    embedded.round_trip_time(1, Duration::from_millis(200))?;
    for program in ["quickstart_run", "quickstart_late"] {
        let mut started = Started::new(program, &cluster)?;
        started.says(&["order-1"]).await?;
        started.signal(Signal::SIGINT)?;
        let (status, last) = started.end().await?;
        assert!(status.success(), "{program}: {status}");
        assert!(last.contains("stopped"), "{program}: {last}");
    }
    Ok(())
}

/// claim: kill-9-commits-nothing
///
/// The shop is ended while packing has read an order and not the last: after Ctrl-C the group has a position, after
/// `kill -9` it has none, and whoever comes next reads the order again.
#[tokio::test]
async fn a_killed_shop_has_committed_nothing() -> Result {
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let cluster = shop(3).await?;
        let embedded = cluster.as_embedded().ok_or("not built in")?;
        embedded.round_trip_time(1, Duration::from_millis(200))?;
        let mut started = Started::new("quickstart_run", &cluster)?;
        started.says(&["packing", "consumed"]).await?;
        started.signal(signal)?;
        let (status, _) = started.end().await?;

        let asked = signal == Signal::SIGINT;
        assert_eq!(status.success(), asked, "{signal}: {status}");
        assert_eq!(committed(&cluster, "packing")?, asked, "{signal}");
    }
    Ok(())
}

/// True if the group has committed a position in any of the three partitions of orders.
fn committed(cluster: &Cluster, group: &str) -> Result<bool> {
    let client: BaseConsumer =
        cluster.client_config().set("group.id", group).create()?;
    let mut asked = TopicPartitionList::new();
    asked.add_partition_range("orders", 0, 2);
    let positions = client.committed_offsets(asked, PATIENCE)?;
    Ok(positions
        .elements()
        .iter()
        .any(|position| matches!(position.offset(), Offset::Offset(_))))
}
