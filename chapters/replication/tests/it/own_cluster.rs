//! The chapter's stories, told on three brokers; each starts its own, because it kills some of them.

use logging::{Header, Recording};

use crate::Result;
use crate::audit::program;
use crate::stage::stories::{self, CAREFUL, THREE, Told};
use crate::stage::{LATE, SOON, Stage};

fn told(sent: usize, acknowledged: usize, survived: usize) -> Told {
    Told { sent, acknowledged, survived }
}

/// claim: acks-all-survives-the-leader
///
/// acks=all, two in sync: the leader is killed between two orders, and every acknowledged order is read.
#[tokio::test]
async fn acks_all_with_two_in_sync_survives_the_leader() -> Result {
    let stage = Stage::start(SOON).await?;
    assert_eq!(stories::survive(&stage, "orders").await?, told(10, 10, 10));
    Ok(())
}

/// claim: acks-1-loses-what-only-the-leader-had
///
/// The followers freeze, the leader acknowledges five orders, and dies: the four that no follower had asked for are gone
/// after a clean election, and the old leader cuts them off when it is back.
#[tokio::test]
async fn acks_1_loses_what_only_the_leader_had() -> Result {
    let stage = Stage::start(LATE).await?;
    assert_eq!(stories::ahead(&stage, "orders").await?, told(10, 10, 6));
    Ok(())
}

/// claim: all-may-be-one
/// claim: an-unclean-election-loses
///
/// With min.insync.replicas=1 the leader alone acknowledges. When it dies too, the partition waits for it and keeps all;
/// where an unclean election is allowed, it does not wait, and half of the orders are gone.
#[tokio::test]
async fn all_in_sync_may_be_one() -> Result {
    let stage = Stage::start(SOON).await?;
    assert_eq!(stories::alone(&stage, "waits").await?, told(6, 6, 6));
    assert_eq!(stories::unclean(&stage, "hurries").await?, told(6, 6, 3));
    Ok(())
}

/// claim: one-replica-is-one-disk
///
/// The only replica's broker dies and comes back without its disk's folder: the log is empty, no error is seen, and the
/// next order stands where the first stood.
#[tokio::test]
async fn one_replica_is_one_disk() -> Result {
    let stage = Stage::start(SOON).await?;
    assert_eq!(stories::single(&stage, "orders").await?, told(6, 6, 1));
    Ok(())
}

/// The line, broken where a page would cut it.
fn folded(line: &str) -> String {
    let (mut told, mut width) = (String::new(), 0);
    for (at, word) in line.split(' ').enumerate() {
        if at > 0 && !word.is_empty() && width + 1 + word.len() > 74 {
            told.truncate(told.trim_end().len());
            told += "\n    ";
            width = 4;
        } else if at > 0 {
            told.push(' ');
            width += 1;
        }
        told += word;
        width += word.len();
    }
    told
}

/// Three replicas, two in sync at least, acks=all: one killed broker costs nothing, so the command ends with exit code 0.
/// The page shows what it says. In a cluster without eligible leader replicas the last in sync may be alone.
#[tokio::test]
async fn a_safe_topic_is_found_safe() -> Result {
    let stage = Stage::start(SOON).await?;
    stage.create("orders", THREE, CAREFUL).await?;
    let brokers = stage.local()?.connection().bootstrap.clone();
    let run = |arguments: &[&str]| -> Result<(Option<i32>, String)> {
        let mut program = program(Some(&brokers), arguments);
        let output = program.env("LOG_FORMAT", "json").output()?;
        let lines = output.stdout.as_slice();
        let said = Recording::from_json_lines(Header::default(), lines)?;
        // Without the times, which are others in each run.
        let told = said.transcript();
        let told = told.lines().filter_map(|line| line.get(11..));
        let told = told.map(|line| folded(line) + "\n").collect();
        Ok((output.status.code(), told))
    };

    let (code, told) = run(&["orders"])?;
    let told = format!(
        "$ replication_audit orders\n{told}exit code {}\n",
        code.unwrap_or(-1)
    );
    // The page shows this file.
    assert_eq!(told, include_str!("output/audit.txt"), "{told}");

    let (code, told) = run(&["orders", "--no-eligible"])?;
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("one broker killed"), "{told}");
    assert!(told.contains("the only one that may lead"), "{told}");
    Ok(())
}
