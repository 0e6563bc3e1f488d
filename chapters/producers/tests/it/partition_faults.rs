//! The programs about partitions that a reader starts: what they come to, and how they end.

use std::process::Output;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::common::{PATIENCE, Result, command, shop_of};

async fn output(mut command: Command) -> Result<Output> {
    Ok(timeout(PATIENCE, command.output())
        .await
        .map_err(|_| "still running")??)
}

/// The fields of the last line, which counts.
async fn outcome(command: Command) -> Result<String> {
    let output = output(command).await?;
    let text = String::from_utf8(output.stdout)?;
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let last = text.lines().last().unwrap_or_default();
    let (_, fields) = last.split_once("outcome").ok_or(text.clone())?;
    Ok(fields.split_whitespace().collect::<Vec<_>>().join(" "))
}

const TWELVE: [&str; 2] = ["orders:12", "payments:12"];

/// Two clients, two hashes: none of twelve orders meets its payment, though both topics have all twelve.
#[tokio::test]
async fn two_hashes_part_what_belongs_together() -> Result {
    let cluster = shop_of(&TWELVE).await?;
    let run = command("producers_join", &cluster.bootstrap)?;
    assert_eq!(
        outcome(run).await?,
        "orders=12 payments=12 joined=0 unpaid=12"
    );
    Ok(())
}

/// claim: two-hashes-join-a-twelfth
#[tokio::test]
async fn two_hashes_join_a_twelfth_by_chance() -> Result {
    let cluster = shop_of(&TWELVE).await?;
    let mut run = command("producers_join", &cluster.bootstrap)?;
    run.args(["--orders", "1200"]);
    assert_eq!(
        outcome(run).await?,
        "orders=1200 payments=1200 joined=97 unpaid=1103"
    );
    Ok(())
}

/// claim: one-hash-joins-all
#[tokio::test]
async fn one_hash_joins_all() -> Result {
    let cluster = shop_of(&TWELVE).await?;
    let mut run = command("producers_join", &cluster.bootstrap)?;
    run.arg("--mended");
    assert_eq!(
        outcome(run).await?,
        "orders=12 payments=12 joined=12 unpaid=0"
    );
    Ok(())
}

/// claim: no-key-stays-on-a-partition
///
/// 600 records without a key within one turn stand in one partition; without stickiness they stand in all six.
#[tokio::test]
async fn records_without_a_key_share_a_partition_for_a_while() -> Result {
    let cluster = shop_of(&["views:6"]).await?;
    let run = command("producers_keyless", &cluster.bootstrap)?;
    assert_eq!(outcome(run).await?, "views=600 sticky=1 spread=6");
    Ok(())
}

/// claim: more-partitions-do-not-cool-a-key
///
/// The fullest partition has 493 of 1,000 records; of twice as many it still has 441; with the hot key spread, 206.
#[tokio::test]
async fn a_hot_key_stays_hot_in_twice_as_many_partitions() -> Result {
    let cluster = shop_of(&["offers:6", "offers-12:12"]).await?;
    let run = command("producers_hot", &cluster.bootstrap)?;
    assert_eq!(
        outcome(run).await?,
        "offers=1000 hashed=493 doubled=441 spread=206"
    );
    Ok(())
}

/// Wrong words on the command line end the program with 2 and say what the right ones are.
#[tokio::test]
async fn wrong_usage_ends_with_2() -> Result {
    let cluster = shop_of(&TWELVE).await?;
    for words in [&["--orders", "none"][..], &["--order"], &["--orders"]] {
        let mut run = command("producers_join", &cluster.bootstrap)?;
        run.args(words);
        let output = output(run).await?;
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        let said = String::from_utf8(output.stderr)?;
        assert!(said.contains("--orders 1..10000"), "{said}");
    }
    Ok(())
}

/// Without a broker's address each program says what to do, and ends with 1.
#[tokio::test]
async fn no_address_ends_with_1() -> Result {
    let cluster = shop_of(&[]).await?;
    for program in ["producers_join", "producers_keyless", "producers_hot"]
    {
        let mut run = command(program, &cluster.bootstrap)?;
        run.env_remove("KAFKA_BROKERS");
        let output = output(run).await?;
        assert_eq!(output.status.code(), Some(1), "{program}");
        let said = String::from_utf8(output.stderr)?;
        assert!(said.contains("cargo xtask run"), "{said}");
    }
    Ok(())
}

/// Ctrl-C in the middle of sending: the program says so, and ends with 0.
#[tokio::test]
async fn ctrl_c_ends_the_join_cleanly() -> Result {
    let cluster = shop_of(&TWELVE).await?;
    let embedded = cluster.as_embedded().ok_or("not built in")?;
    // Each answer takes so long that the program is far from its end when Ctrl-C comes.
    embedded.round_trip_time(1, Duration::from_millis(400))?;
    let mut child =
        command("producers_join", &cluster.bootstrap)?.spawn()?;
    let mut lines =
        BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
    let first = timeout(PATIENCE, lines.next_line())
        .await
        .map_err(|_| "no line in 60 s")??;
    assert!(first.is_some_and(|line| line.contains("acknowledged")));

    let pid = i32::try_from(child.id().ok_or("already gone")?)?;
    kill(Pid::from_raw(pid), Signal::SIGINT)?;
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
