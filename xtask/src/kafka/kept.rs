//! What is remembered about a Kafka that is kept running, in a file below `target/kafka/`.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use testbed::kind::Kind;

use crate::project::Project;
use crate::say::count;

/// A Kafka that was started to stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its kind.
    pub kind: Kind,
    /// Its bootstrap servers; empty before it has answered.
    pub bootstrap: String,
    /// Its version, where it has one.
    pub version: Option<String>,
    /// How many brokers it has.
    pub brokers: u32,
    /// The process that owns it, where `testbed` started it.
    pub pid: Option<u32>,
    /// Where its brokers write their logs.
    #[serde(default)]
    pub logs: Vec<PathBuf>,
    /// The profile of docker-compose.yml, where that started it.
    #[serde(default)]
    pub profile: Option<String>,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self
            .version
            .as_ref()
            .map(|version| format!(", Apache Kafka {version}"))
            .unwrap_or_default();
        let profile =
            self.profile.as_ref().map(|profile| format!(", profile {profile}")).unwrap_or_default();
        if self.is_half_started() {
            writeln!(f, "Half started: {}{version}{profile}", self.kind.label())?;
            return write!(f, "End it:  cargo xtask kafka down");
        }
        writeln!(
            f,
            "Running: {}{version}{profile}, {}, at {}",
            self.kind.label(),
            count(self.brokers as usize, "broker"),
            self.bootstrap
        )?;
        writeln!(f, "Use it:  cargo xtask run chapter 1 --broker external={}", self.bootstrap)?;
        write!(f, "End it:  cargo xtask kafka down")
    }
}

impl Kept {
    /// True while its containers start, and after a start that was cut short.
    pub fn is_half_started(&self) -> bool {
        self.bootstrap.is_empty()
    }
}

/// The folder where it is remembered.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder of a repository.
    pub fn of(project: &Project) -> Folder {
        Folder(project.target_dir().join("kafka"))
    }

    /// Another one, for a Kafka that is nobody's to play with.
    pub fn at(path: PathBuf) -> Folder {
        Folder(path)
    }

    /// The file in which `testbed up` says where it is.
    pub fn state(&self) -> PathBuf {
        self.0.join("state.json")
    }

    /// What the owner prints.
    pub fn output(&self) -> PathBuf {
        self.0.join("output.log")
    }

    /// Makes the folder.
    pub fn create(&self) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.0)
            .with_context(|| format!("{} cannot be made", self.0.display()))
    }

    /// What is remembered.
    pub fn read(&self) -> anyhow::Result<Option<Kept>> {
        let path = self.state();
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let kept = serde_json::from_str(&text);
                kept.map(Some).with_context(|| format!("{} is damaged: remove it", path.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    }

    /// Remembers.
    pub fn write(&self, kept: &Kept) -> anyhow::Result<()> {
        self.create()?;
        let path = self.state();
        std::fs::write(&path, serde_json::to_string_pretty(kept)?)
            .with_context(|| format!("{} cannot be written", path.display()))
    }

    /// Forgets.
    pub fn forget(&self) -> anyhow::Result<()> {
        match std::fs::remove_file(self.state()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} cannot be removed", self.state().display()))
            }
            _ => Ok(()),
        }
    }
}

/// The last lines of a text file.
pub fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        // What `testbed up` writes.
        let text = r#"{"pid": 7, "kind": "local", "version": "4.3.1", "bootstrap": "127.0.0.1:4711", "brokers": 1, "logs": ["/l"]}"#;
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn status_says_where_it_is_and_how_to_use_it() {
        insta::assert_snapshot!(kept(), @r"
        Running: local, Apache Kafka 4.3.1, 1 broker, at 127.0.0.1:4711
        Use it:  cargo xtask run chapter 1 --broker external=127.0.0.1:4711
        End it:  cargo xtask kafka down
        ");
    }

    #[test]
    fn a_start_that_was_cut_short_is_not_offered_for_use() {
        let kept = Kept { bootstrap: String::new(), profile: Some("dev".into()), ..kept() };
        insta::assert_snapshot!(kept, @r"
        Half started: local, Apache Kafka 4.3.1, profile dev
        End it:  cargo xtask kafka down
        ");
    }

    #[test]
    fn what_is_remembered_can_be_read_damaged_and_forgotten() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder(temporary.path().join("kafka"));
        assert_eq!(folder.read().unwrap(), None);
        folder.write(&kept()).unwrap();
        assert_eq!(folder.read().unwrap(), Some(kept()));
        std::fs::write(folder.state(), "{").unwrap();
        assert!(folder.read().unwrap_err().to_string().contains("is damaged: remove it"));
        folder.forget().unwrap();
        folder.forget().unwrap();
        assert_eq!(folder.read().unwrap(), None);
    }

    #[test]
    fn the_tail_is_the_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a\nb\nc\n").unwrap();
        assert_eq!(tail(file.path(), 2), "b\nc");
        assert_eq!(tail(file.path(), 9), "a\nb\nc");
        assert_eq!(tail(Path::new("/nowhere"), 9), "");
    }
}
