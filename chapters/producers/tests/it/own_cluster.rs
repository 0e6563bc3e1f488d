//! Acknowledgements cut off by a proxy before a real Kafka.

use tokio::time::timeout;

use crate::common::{PATIENCE, Result, command};

/// claim: producers-a-lost-answer-doubles-records
///
/// 1,000 orders, 1,000 acknowledged, ten answers lost on the way: without idempotence the log holds each batch
/// twice whose answer was lost, with it each record once.
#[tokio::test]
async fn lost_acknowledgements_double_records_unless_they_are_numbered()
-> Result {
    let mut program = command("producers_cut", "unused")?;
    let output = timeout(PATIENCE * 2, program.output()).await??;
    let printed = String::from_utf8(output.stdout)?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{said}");

    let all_acknowledged =
        printed.lines().filter(|line| line.contains("acknowledged=1000"));
    assert_eq!(all_acknowledged.count(), 2, "{printed}");
    let last = printed.lines().last().unwrap_or_default();
    assert!(
        last.ends_with("sent=1000  plain=1100  numbered=1000"),
        "{printed}"
    );
    Ok(())
}
