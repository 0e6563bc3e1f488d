//! The day that docker-compose.yml loads into its test cluster: files, because a container has no Rust.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use events::{Event, Factory, SUNDAY};

use crate::common::Result;

/// The files are what the factory makes, one a topic, each line a record: key, tab, value.
///
/// After a change of the factory this writes them anew, and fails once, so that somebody looks.
#[test]
fn the_files_of_the_test_cluster_are_a_seeded_day() -> Result {
    let mut topics: BTreeMap<&str, String> = BTreeMap::new();
    for event in Factory::new(1031, SUNDAY).day(20) {
        let lines = topics.entry(event.data.topic()).or_default();
        writeln!(
            lines,
            "{}\t{}",
            event.data.key(),
            String::from_utf8(event.to_json()?)?
        )?;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/day");
    let mut differ = Vec::new();
    for (topic, lines) in &topics {
        let file = folder.join(format!("{topic}.tsv"));
        if fs::read_to_string(&file).ok().as_ref() != Some(lines) {
            fs::create_dir_all(&folder)?;
            fs::write(&file, lines)?;
            differ.push(file);
        }
    }
    assert!(
        differ.is_empty(),
        "written anew, look at the difference and commit it: {differ:?}"
    );
    Ok(())
}
