//! The chapter's stories, told on three brokers; each starts its own, because it kills some of them.

use crate::Result;
use crate::stage::stories::{self, Told};
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
