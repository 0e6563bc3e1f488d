//! librdkafka's own lines.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use logging::{Level, Line, Settings, read_json};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, Producer};
use testbed::eventually;

use crate::PATIENCE;

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Memory {
    fn lines(&self) -> Vec<Line> {
        let bytes = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        String::from_utf8_lossy(&bytes)
            .lines()
            .filter_map(|line| Some(read_json(line).ok()?.1))
            .collect()
    }
}

fn settings(levels: &str) -> Result<Settings> {
    let variable = |name: &str| match name {
        "LOG_FORMAT" => Some("json".to_owned()),
        "RUST_LOG" => Some(levels.to_owned()),
        _ => None,
    };
    Ok(Settings::read(variable, false)?)
}

/// claim: the-clients-lines-have-a-code
///
/// A client whose broker is not there says so in lines of its own, from threads of its own. They arrive as lines
/// of the target `librdkafka`, with the facility as `event.code`.
///
#[tokio::test]
async fn a_broker_that_is_not_there_is_a_warning_with_a_code() -> Result<()>
{
    let memory = Memory::default();
    // One subscriber serves a process: nextest gives each test its own, and this is the only test in the binary
    // that installs one in the test's process.
    tracing::subscriber::set_global_default(
        settings("")?.subscriber(memory.clone()),
    )?;
    // Reserved by the operating system for nobody: a connection is refused at once.
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", "127.0.0.1:1")
        .create()?;
    let refused =
        eventually(PATIENCE, "a line with the code FAIL", async || {
            producer.poll(Duration::from_millis(10));
            let lines = memory.lines();
            let failed = |line: &&Line| {
                line.fields.get("code").and_then(logging::Value::as_str)
                    == Some("FAIL")
            };
            lines
                .iter()
                .find(failed)
                .cloned()
                .ok_or_else(|| format!("{} lines", lines.len()))
        })
        .await?;

    assert_eq!(refused.target, logging::LIBRDKAFKA);
    assert!(refused.level >= Level::Warn, "{refused:?}");
    // Troubleshooting shows this file; behind it stands how long it took, and in which state.
    let shown = include_str!("output/refused.txt").trim_end();
    let shown = shown.replace("\n ", "");
    assert!(refused.message.starts_with(&shown), "{refused:?}");
    assert!(refused.fields.get("thread").is_some(), "{refused:?}");
    assert!(
        memory.lines().iter().all(|line| line.level >= Level::Warn),
        "info is off by default"
    );
    producer.purge(Default::default());
    Ok(())
}
