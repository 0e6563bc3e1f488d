//! What the reader has done: one file beside the copies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// How far the reader is with each exercise.
#[derive(Debug)]
pub struct Progress {
    path: PathBuf,
    kept: Kept,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// The exercise that was started or checked last: commands without a name mean this one.
    #[serde(default)]
    last: Option<String>,
    #[serde(default)]
    exercises: BTreeMap<String, State>,
}

/// How far the reader is with one exercise.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Its check has passed.
    #[serde(default)]
    pub done: bool,
    /// How many hints were shown.
    #[serde(default)]
    pub hints: usize,
}

impl Progress {
    /// Reads the file in the folder of the copies; without one, nothing was begun.
    pub fn read(copies: &Path) -> anyhow::Result<Progress> {
        let path = copies.join("progress.toml");
        let kept = match std::fs::read_to_string(&path) {
            Ok(text) => toml_edit::de::from_str(&text).with_context(|| {
                format!("{} is not right: correct or remove it", path.display())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Kept::default(),
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", path.display()));
            }
        };
        Ok(Progress { path, kept })
    }

    /// How far the reader is with this one.
    pub fn of(&self, id: &str) -> State {
        self.kept.exercises.get(id).cloned().unwrap_or_default()
    }

    /// The exercise that was worked on last.
    pub fn last(&self) -> Option<&str> {
        self.kept.last.as_deref()
    }

    /// Writes down how far the reader is with this one, which now is the last.
    pub fn set(&mut self, id: &str, state: State) -> anyhow::Result<()> {
        self.kept.exercises.insert(id.to_owned(), state);
        self.kept.last = Some(id.to_owned());
        let text = toml_edit::ser::to_string_pretty(&self.kept)
            .context("the progress cannot be written as TOML")?;
        std::fs::write(&self.path, text)
            .with_context(|| format!("{} cannot be written", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut progress = Progress::read(folder.path()).unwrap();
        assert_eq!((progress.last(), progress.of("a/b").done), (None, false));
        progress.set("a/b", State { done: true, hints: 2 }).unwrap();
        progress.set("a/c", State::default()).unwrap();
        let again = Progress::read(folder.path()).unwrap();
        assert_eq!(again.last(), Some("a/c"));
        assert_eq!((again.of("a/b").done, again.of("a/b").hints), (true, 2));
    }

    #[test]
    fn a_file_that_is_no_progress_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("progress.toml"), "last = [").unwrap();
        let error = Progress::read(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("progress.toml is not right: correct or remove it"), "{error}");
    }
}
