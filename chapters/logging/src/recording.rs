//! A recorded run: a header, and the lines of the run's story with their real values and times.
//!
//! A recording is a text file, one JSON object a line: the header first. Nothing in it is redacted or rounded,
//! so that it can be played as it happened.

use std::borrow::Cow;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};

use crate::ecs::{self, JsonLineError};
use crate::line::{Fields, Level, Line};
use crate::sources::Sources;
use crate::{RUN, text};

/// What a recording says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The chapter's slug.
    pub chapter: String,
    /// The run's name in the chapter's manifest.
    pub run: String,
    /// The kind of broker: `embedded`, `local`, `docker` or `external`.
    pub broker: String,
    /// The version of Kafka; none for the built-in broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kafka: Option<String>,
    /// The version of librdkafka.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub librdkafka: Option<String>,
    /// The run's topics and their partitions, as `orders:3`: a partition that no line names is there too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
    /// The seed of whatever the run draws at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The day on which it was recorded, as `2026-05-14`.
    pub recorded: String,
    /// The name of the program that ran.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub program: String,
    /// The arguments that it was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The files that decide what the run writes, to see whether they have changed since.
    #[serde(default, skip_serializing_if = "Sources::is_empty")]
    pub sources: Sources,
}

/// A recorded run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// What the recording says about itself.
    pub header: Header,
    /// The lines of target [`RUN`], in the order in which they were written.
    pub lines: Vec<Line>,
}

/// A line as a recording keeps it: these names first, then the fields.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    t_ms: u64,
    #[serde(default, skip_serializing_if = "is_info")]
    level: Level,
    message: Cow<'a, str>,
    #[serde(flatten)]
    fields: Cow<'a, Fields>,
}

/// A line's form in a recording, and wherever a picture is made of it: time, level (unless it is info),
/// message, and its fields by name.
impl Serialize for Line {
    fn serialize<S: Serializer>(
        &self,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let kept = Kept {
            t_ms: self.t_ms,
            level: self.level,
            message: self.message.as_str().into(),
            fields: Cow::Borrowed(&self.fields),
        };
        kept.serialize(serializer)
    }
}

fn is_info(level: &Level) -> bool {
    *level == Level::Info
}

/// Why a recording could not be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The file could not be opened, read or written.
    #[error("cannot read or write {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The output of a run could not be read.
    #[error("the output of the run cannot be read")]
    Output(#[source] io::Error),
    /// A line of the output is not one of ours.
    #[error(
        "line {number} of the output is no JSON log line: `{text}`; run the program with LOG_FORMAT=json and print nothing beside log lines"
    )]
    NoLogLine {
        /// Its number, from 1.
        number: usize,
        /// Its beginning.
        text: String,
        /// What is wrong with it.
        source: JsonLineError,
    },
    /// The run told no story.
    #[error(
        "the output has no line of target `{RUN}`: write them with `info!(target: \"{RUN}\", …)`"
    )]
    Empty,
    /// A line of a recording is not in its form.
    #[error(
        "line {number} of {path} is no line of a recording: record it anew"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        number: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The file ends before its header.
    #[error("{0} is empty: record it anew")]
    NoHeader(PathBuf),
}

impl Recording {
    /// Makes a recording of what a program wrote to standard output with `LOG_FORMAT=json`.
    ///
    /// # Errors
    /// When the output cannot be read, a line is no log line, or there is no line of target [`RUN`].
    pub fn from_json_lines(
        header: Header,
        output: impl BufRead,
    ) -> Result<Self, RecordingError> {
        let mut lines = Vec::new();
        let mut first = None;
        let mut latest = 0;
        for (number, text) in (1..).zip(output.lines()) {
            let text = text.map_err(RecordingError::Output)?;
            if text.trim().is_empty() {
                continue;
            }
            let (micros, mut line) =
                ecs::read_json(&text).map_err(|source| {
                    let text = text.chars().take(60).collect();
                    RecordingError::NoLogLine { number, text, source }
                })?;
            if line.target != RUN {
                continue;
            }
            let passed = (micros - *first.get_or_insert(micros)) / 1000;
            // A clock that is set back while the run lasts must not turn the story around.
            latest = u64::try_from(passed).unwrap_or(0).max(latest);
            line.t_ms = latest;
            lines.push(line);
        }
        if lines.is_empty() {
            Err(RecordingError::Empty)
        } else {
            Ok(Recording { header, lines })
        }
    }

    /// Reads a recording from its file.
    ///
    /// # Errors
    /// When the file cannot be read, or a line of it is not in the form that [`write`](Self::write) gives.
    pub fn read(path: &Path) -> Result<Self, RecordingError> {
        let text = std::fs::read_to_string(path).map_err(|source| {
            RecordingError::File { path: path.to_owned(), source }
        })?;
        Self::parse(&text, path)
    }

    /// Reads a recording from the text of its file; `path` is what errors call it.
    ///
    /// # Errors
    /// When a line is not in the form that [`to_text`](Self::to_text) gives.
    pub fn parse(text: &str, path: &Path) -> Result<Self, RecordingError> {
        let damaged = |number, source| RecordingError::Damaged {
            path: path.to_owned(),
            number,
            source,
        };
        let mut numbered = (1..).zip(text.lines());
        let (_, first) = numbered
            .next()
            .ok_or_else(|| RecordingError::NoHeader(path.to_owned()))?;
        let header = serde_json::from_str(first)
            .map_err(|source| damaged(1, source))?;
        let lines = numbered.map(|(number, text)| {
            let kept: Kept<'_> = serde_json::from_str(text)
                .map_err(|source| damaged(number, source))?;
            Ok(Line {
                t_ms: kept.t_ms,
                level: kept.level,
                target: RUN.to_owned(),
                message: kept.message.into_owned(),
                fields: kept.fields.into_owned(),
            })
        });
        Ok(Recording { header, lines: lines.collect::<Result<_, _>>()? })
    }

    /// The text of the recording's file.
    pub fn to_text(&self) -> String {
        // Strings, numbers and booleans always serialize.
        let mut text =
            serde_json::to_string(&self.header).unwrap_or_default();
        text.push('\n');
        for line in &self.lines {
            text.push_str(&serde_json::to_string(line).unwrap_or_default());
            text.push('\n');
        }
        text
    }

    /// Writes the recording to its file, whose folder it makes where there is none.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RecordingError> {
        let write = || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::File::create(path)?
                .write_all(self.to_text().as_bytes())
        };
        write().map_err(|source| RecordingError::File {
            path: path.to_owned(),
            source,
        })
    }

    /// The lines as a terminal without colour shows them.
    pub fn transcript(&self) -> String {
        let mut out = String::new();
        for line in &self.lines {
            text::write_text(line, None, &mut out);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header() -> Header {
        Header {
            chapter: "logging".into(),
            run: "follow".into(),
            broker: "embedded".into(),
            recorded: "2026-05-14".into(),
            ..Header::default()
        }
    }

    fn output(lines: &[(i64, &Line)]) -> String {
        let mut out = String::new();
        for (micros, line) in lines {
            ecs::write_json(
                line,
                ecs::Stamp { micros: *micros, service: "shop" },
                &mut out,
            );
        }
        out
    }

    #[test]
    fn a_recording_keeps_the_story_its_times_and_its_real_values() {
        let started = Line::new(0, "started").with("process", "checkout");
        let aside = Line {
            target: "shop::stock".into(),
            ..Line::new(0, "counted")
        };
        let mut lost = Line::new(0, "lost")
            .with("process", "packing")
            .with("partition", 2);
        lost.level = Level::Warn;
        let output = output(&[
            (5_000_400, &aside),
            (5_001_000, &started),
            (6_251_900, &lost),
            (5_500_000, &started),
        ]);
        let recording =
            Recording::from_json_lines(header(), output.as_bytes())
                .unwrap();
        insta::assert_snapshot!(recording.to_text(), @r#"
        {"chapter":"logging","run":"follow","broker":"embedded","recorded":"2026-05-14"}
        {"t_ms":0,"message":"started","process":"checkout"}
        {"t_ms":1250,"level":"warn","message":"lost","process":"packing","partition":2}
        {"t_ms":1250,"message":"started","process":"checkout"}
        "#);
        insta::assert_snapshot!(recording.transcript(), @r"
            0.000  checkout    started
            1.250  packing     WARN: lost    partition=2
            1.250  checkout    started
        ");
    }

    #[test]
    fn what_is_no_log_line_is_named_with_its_number() {
        let output = format!(
            "{}\nTotal: 7 orders\n",
            output(&[(0, &Line::new(0, "started"))])
        );
        let error = Recording::from_json_lines(header(), output.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 3") && error.contains("Total: 7 orders"),
            "{error}"
        );
        let nothing = Recording::from_json_lines(header(), &b""[..])
            .unwrap_err()
            .to_string();
        assert!(nothing.contains("target `run`"), "{nothing}");
    }

    #[test]
    fn files_that_are_missing_empty_or_damaged_are_refused() {
        let path = Path::new("runs/follow/1.jsonl");
        let message =
            |text| Recording::parse(text, path).unwrap_err().to_string();
        assert!(message("").contains("is empty"));
        assert!(message("{}").contains("line 1"));
        let mut text =
            Recording { header: header(), lines: vec![] }.to_text();
        text.push_str("{\"t_ms\":-1,\"message\":\"x\"}");
        assert!(
            message(&text).contains("line 2 of runs/follow/1.jsonl"),
            "{}",
            message(&text)
        );
        let missing = Recording::read(Path::new("/no/such/file"))
            .unwrap_err()
            .to_string();
        assert!(missing.contains("/no/such/file"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            lines in prop::collection::vec(
                (any::<u64>(), "\\PC{1,9}", prop::collection::vec(("[a-ln-z]{1,5}", any::<i64>()), 0..4)),
                0..6,
            )
        ) {
            let lines = lines.into_iter().map(|(t_ms, message, fields)| Line {
                fields: fields.into_iter().collect(),
                ..Line::new(t_ms, message)
            });
            let recording = Recording { header: header(), lines: lines.collect() };
            let read = Recording::parse(&recording.to_text(), Path::new("x")).unwrap();
            prop_assert_eq!(read, recording);
        }
    }
}
