//! The programs that a reader starts.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testbed::Cluster;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

use crate::common::{PATIENCE, Result, command, shop, stored};

async fn output(program: &str, cluster: &Cluster) -> Result<String> {
    let mut program = command(program, &cluster.bootstrap)?;
    let output = timeout(PATIENCE, program.output()).await??;
    let printed = String::from_utf8(output.stdout)?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{said}");
    Ok(printed)
}

/// All five orders are queued before the broker has the first; 200 that are awaited each take 5 ms each; then 20,000
/// go through in less time, each acknowledged.
#[tokio::test]
async fn orders_are_queued_before_the_first_is_acknowledged() -> Result {
    let cluster = shop().await?;
    let printed = output("producers_run", &cluster).await?;
    let place = |word: &str| {
        let at = |line: &str| line.contains(word);
        (
            printed.lines().position(at),
            printed.lines().filter(|line| at(line)).count(),
        )
    };
    let (first, acknowledged) = place("acknowledged  ");
    let (_, produced) = place("produced");
    assert_eq!(produced, 5, "{printed}");
    assert!(acknowledged >= 5 && first >= Some(5), "{printed}");
    let duration_ms = |word: &str| -> Result<u64> {
        let line = printed.lines().find(|line| line.contains(word));
        let (_, ms) = line
            .and_then(|line| line.split_once("duration_ms="))
            .ok_or(word)?;
        Ok(ms.split_whitespace().next().unwrap_or(ms).parse()?)
    };
    let each = duration_ms("awaited each answer")?;
    let room = duration_ms("awaited room")?;
    assert!(each >= 1_000 && room < each, "{printed}");
    assert!(
        printed.trim_end().ends_with("acknowledged=20005"),
        "{printed}"
    );
    assert_eq!(stored(&cluster, "orders")?, 20_205);
    Ok(())
}

/// 100 orders are dropped with their producer, and 100 are closed in.
#[tokio::test]
async fn a_dropped_producer_against_a_closed_one() -> Result {
    let cluster = shop().await?;
    let printed = output("producers_dropped", &cluster).await?;
    assert!(
        printed.trim_end().ends_with("sent=100  dropped=0  closed=100"),
        "{printed}"
    );
    Ok(())
}

/// Five orders leave in five requests, and the first is refused once: it stands behind the others.
#[tokio::test]
async fn a_refused_order_stands_behind_its_followers() -> Result {
    // It has a broker of its own.
    let mut program = command("producers_overtaken", "unused")?;
    let output = timeout(PATIENCE, program.output()).await??;
    let printed = String::from_utf8(output.stdout)?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{said}");
    let last = printed.trim_end();
    assert!(last.ends_with("log=\"2 3 4 5 1\""), "{printed}");
    Ok(())
}

/// The guided run with a broker that does not answer, until its five orders are queued.
async fn queued(
    cluster: &Cluster,
) -> Result<(Child, Lines<BufReader<ChildStdout>>)> {
    cluster.as_embedded().ok_or("not built in")?.broker_down(1)?;
    let mut child =
        command("producers_run", &cluster.bootstrap)?.spawn()?;
    let stdout = child.stdout.take().ok_or("no stdout")?;
    let mut lines = BufReader::new(stdout).lines();
    loop {
        let line = timeout(PATIENCE, lines.next_line())
            .await??
            .ok_or("the end")?;
        if line.contains("produced") && line.contains("order-5") {
            return Ok((child, lines));
        }
    }
}

fn signal(child: &Child, signal: Signal) -> Result {
    let pid = i32::try_from(child.id().ok_or("already gone")?)?;
    Ok(kill(Pid::from_raw(pid), signal)?)
}

/// claim: producers-kill-loses-the-queue
///
/// kill -9 while five orders are queued: the broker comes back, and never hears of them.
#[tokio::test]
async fn kill_9_loses_what_is_queued() -> Result {
    let cluster = shop().await?;
    let (mut child, _lines) = queued(&cluster).await?;
    signal(&child, Signal::SIGKILL)?;
    assert!(!timeout(PATIENCE, child.wait()).await??.success());
    cluster.as_embedded().ok_or("not built in")?.broker_up(1)?;
    assert_eq!(stored(&cluster, "orders")?, 0);
    Ok(())
}

/// claim: producers-ctrl-c-flushes
///
/// Ctrl-C at the same point: the program waits for its broker, delivers all five, and ends with 0.
#[tokio::test]
async fn ctrl_c_delivers_what_is_queued() -> Result {
    let cluster = shop().await?;
    let (mut child, mut lines) = queued(&cluster).await?;
    signal(&child, Signal::SIGINT)?;
    cluster.as_embedded().ok_or("not built in")?.broker_up(1)?;
    let status = timeout(PATIENCE, child.wait()).await??;
    let mut printed = String::new();
    while let Some(line) = lines.next_line().await? {
        printed = line;
    }
    assert!(status.success(), "{status}: {printed}");
    assert!(printed.ends_with("acknowledged=5"), "{printed}");
    assert_eq!(stored(&cluster, "orders")?, 5);
    Ok(())
}

/// Started by hand, without a broker's address: the message names what is missing.
#[tokio::test]
async fn without_an_address_programs_say_what_to_do() -> Result {
    for program in ["producers_run", "producers_dropped"] {
        let mut program = command(program, "")?;
        program.env_remove("KAFKA_BROKERS");
        let output = timeout(PATIENCE, program.output()).await??;
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("cargo xtask run producers"), "{said}");
    }
    Ok(())
}
