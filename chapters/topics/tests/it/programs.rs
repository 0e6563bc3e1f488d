//! The programs that a reader starts, on the built-in broker.

use std::collections::BTreeMap;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::common::{
    PATIENCE, Result, built_in, command, has_moments, int, lines, outcome,
    told,
};

/// claim: topics-two-groups-one-log
///
/// Packing and billing each get all six orders, at the same places, and the topic holds six afterwards.
#[tokio::test]
async fn two_groups_read_the_same_records() -> Result {
    let cluster = built_in("orders:3").await?;
    let run = told(command("topics_run", Some(&cluster.bootstrap))).await?;

    has_moments(&run, "groups")?;
    let places = |process| {
        let mut places: Vec<_> = lines(&run, "consumed")
            .filter(|line| line.process() == Some(process))
            .map(|line| (int(line, "partition"), int(line, "offset")))
            .collect();
        places.sort_unstable();
        places
    };
    assert_eq!(places("packing").len(), 6);
    assert_eq!(places("packing"), places("billing"));
    assert_eq!(outcome(&run, "kept")?, 6, "reading removes nothing");
    Ok(())
}

/// claim: topics-order-in-one-partition
///
/// Thirty counts that only go down, over three partitions: inside each they go down, and the reader of all sees
/// them go up.
#[tokio::test]
async fn order_holds_inside_a_partition_only() -> Result {
    let cluster = built_in("mugs:3").await?;
    let run =
        told(command("topics_unordered", Some(&cluster.bootstrap))).await?;

    has_moments(&run, "unordered")?;
    let mut last = BTreeMap::new();
    for line in lines(&run, "consumed") {
        let (partition, left) = (int(line, "partition"), int(line, "left"));
        if let Some(before) = last.insert(partition, left) {
            assert!(left < before, "partition {partition} keeps order");
        }
    }
    assert_eq!(last.len(), 3, "all partitions are used");
    let outcome = run.lines.last().ok_or("it said nothing")?;
    let went_up = outcome.fields.get("went_up");
    assert_eq!(went_up, Some(&true.into()), "{:?}", run.lines);
    Ok(())
}

/// Without a file, a verb or a cluster the program says what is missing: 2 is wrong usage, 1 an error.
#[tokio::test]
async fn the_program_says_what_is_missing() -> Result {
    let folder = tempfile();
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("topics.yaml");
    std::fs::write(
        &file,
        "topics:\n  - name: orders\n    partitions: 0\n",
    )?;
    let file = file.display().to_string();

    let said = async |words: &[&str]| -> Result<(Option<i32>, String)> {
        let mut program = command("topics", None);
        program.args(words);
        let output = timeout(PATIENCE, program.output()).await??;
        let said = String::from_utf8_lossy(&output.stderr);
        Ok((output.status.code(), said.replace(&file, "topics.yaml")))
    };
    let (code, usage) = said(&["plam", &file]).await?;
    assert_eq!(code, Some(2), "{usage}");
    let (code, no_file) = said(&["plan", "no/such.yaml"]).await?;
    assert_eq!(code, Some(1));
    assert!(no_file.contains("no/such.yaml"), "{no_file}");
    let (code, bad) = said(&["plan", &file]).await?;
    assert_eq!(code, Some(1));
    // Troubleshooting shows this file.
    assert_eq!(bad, include_str!("output/bad_file.txt"));
    std::fs::write(folder.join("topics.yaml"), "topics: []\n")?;
    let (code, nobody) = said(&["plan", &file]).await?;
    assert_eq!(code, Some(1));
    assert!(nobody.contains("Set KAFKA_BROKERS"), "{nobody}");
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// A cluster that takes the connection and says nothing: Ctrl-C ends the program at once, and not after the 30 s that
/// it gives a broker.
#[tokio::test]
async fn ctrl_c_waits_for_no_answer() -> Result {
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let brokers = silent.local_addr()?.to_string();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/orders.yaml");
    let program =
        command("topics", Some(&brokers)).args(["plan", file]).spawn()?;
    let pid = program.id().ok_or("it is gone")?.try_into()?;
    // It listens to Ctrl-C before it asks.
    let _asked = timeout(PATIENCE, silent.accept()).await??;

    kill(Pid::from_raw(pid), Signal::SIGINT)?;
    let soon = Duration::from_secs(15);
    let output = timeout(soon, program.wait_with_output()).await??;

    assert_eq!(output.status.code(), Some(1), "its own end, no signal's");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.ends_with("plan again to see what is left\n"), "{said}");
    Ok(())
}

/// A folder of this process.
fn tempfile() -> std::path::PathBuf {
    std::env::temp_dir().join(testbed::unique_name("declared"))
}
