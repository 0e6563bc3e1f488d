//! What a run writes, as the messages that its page reads.

use std::time::Instant;

use logging::{Line, RUN, read_json, write_text};
use serde::Serialize;

/// One line of the answer to a page that started a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Message {
    /// What goes on beside the story: a build, which broker.
    Note(String),
    /// Why it failed and what mends it.
    Error(String),
    /// The last message.
    End {
        /// The exit code of the run.
        code: i32,
    },
    /// A line of the story.
    #[serde(untagged)]
    Line {
        /// Its values, as a recording keeps them.
        line: Line,
        /// As a terminal shows it.
        text: String,
    },
}

impl Message {
    /// The message as one line of JSON, with its line end.
    pub fn json(&self) -> String {
        // Strings, numbers and booleans always serialize.
        let mut json = serde_json::to_string(self).unwrap_or_default();
        json.push('\n');
        json
    }
}

/// The story so far: what is needed to give a line its time.
#[derive(Debug)]
pub struct Story {
    begun: Instant,
    /// The time of the first line, in microseconds since 1970.
    first: Option<i64>,
    latest: u64,
}

impl Story {
    /// The story of a run that starts now.
    pub fn begin() -> Story {
        Story { begun: Instant::now(), first: None, latest: 0 }
    }

    /// What a line of standard output says; nothing if it is empty.
    ///
    /// A line that is no log line in JSON is shown as it is: some first programs print plain text.
    pub fn read(&mut self, text: &str) -> Option<Message> {
        let text = text.trim_end();
        if text.is_empty() {
            return None;
        }
        let Ok((micros, mut line)) = read_json(text) else {
            return Some(self.plain(text));
        };
        let passed = (micros - *self.first.get_or_insert(micros)) / 1000;
        // A clock that is set back while the run lasts must not turn the story around.
        self.latest = u64::try_from(passed).unwrap_or(0).max(self.latest);
        line.t_ms = self.latest;
        let mut shown = String::new();
        write_text(&line, None, &mut shown);
        let shown = shown.trim_end().to_owned();
        if line.target != RUN {
            return Some(Message::Note(shown));
        }
        Some(Message::Line { line, text: shown })
    }

    fn plain(&mut self, text: &str) -> Message {
        let passed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.latest = passed.max(self.latest);
        let text = printable(text);
        let line = Line::new(self.latest, text.clone());
        Message::Line { line, text }
    }
}

/// The text without control characters, which came from a program and would drive nothing in a page.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The last lines that a run wrote to standard error, to say why it failed.
#[derive(Debug, Default)]
pub struct Complaint {
    lines: std::collections::VecDeque<String>,
}

impl Complaint {
    /// More lines than an error with its causes and the end of a compiler's output need are noise.
    const LINES: usize = 40;

    /// Keeps a line.
    pub fn hear(&mut self, line: &str) {
        if self.lines.len() == Self::LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
    }

    /// Why the run failed: its own words from its last error on, and the command that shows all of it.
    pub fn text(&self, code: i32, command: &str) -> String {
        let error = self.lines.iter().rposition(|line| line.starts_with("error"));
        let from = error.unwrap_or_else(|| self.lines.len().saturating_sub(10));
        let mut words: Vec<&str> = self.lines.iter().skip(from).map(String::as_str).collect();
        let nothing = format!("The run ended with code {code} and said nothing.");
        if words.is_empty() {
            words.push(&nothing);
        }
        let see = format!("To see all of it in a terminal: {command}");
        words.push(&see);
        words.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use logging::{Level, Stamp, write_json};

    use super::*;

    fn json(micros: i64, line: &Line) -> String {
        let mut text = String::new();
        write_json(line, Stamp { micros, service: "shop" }, &mut text);
        text
    }

    #[test]
    fn lines_of_the_story_are_as_a_recording_keeps_them() {
        let mut story = Story::begin();
        let first = Line::new(0, "started").with("process", "checkout");
        let mut lost = Line::new(0, "lost").with("process", "packing").with("partition", 2);
        lost.level = Level::Warn;
        let mut read = |micros, line| story.read(&json(micros, line)).unwrap().json();
        insta::assert_snapshot!(read(5_000_400, &first) + &read(6_250_400, &lost) + &read(6_000_000, &first), @r#"
        {"line":{"t_ms":0,"message":"started","process":"checkout"},"text":"    0.000  checkout    started"}
        {"line":{"t_ms":1250,"level":"warn","message":"lost","process":"packing","partition":2},"text":"    1.250  packing     WARN: lost    partition=2"}
        {"line":{"t_ms":1250,"message":"started","process":"checkout"},"text":"    1.250  checkout    started"}
        "#);
    }

    #[test]
    fn lines_beside_the_story_are_notes_and_plain_text_is_shown_as_it_is() {
        let mut story = Story::begin();
        let aside = Line { target: "librdkafka".into(), ..Line::new(0, "Connection refused") };
        let Some(Message::Note(note)) = story.read(&json(1, &aside)) else {
            panic!("a line of another target is a note")
        };
        assert!(note.ends_with("Connection refused"), "{note}");
        let Some(Message::Line { line, text }) = story.read(" INFO acknowledged\x1b[2J\n") else {
            panic!("plain text is a line")
        };
        assert_eq!(
            (text.as_str(), line.message.as_str()),
            (" INFO acknowledged [2J", text.as_str())
        );
        assert_eq!(story.read("  \n"), None);
        assert_eq!(Message::End { code: 3 }.json(), "{\"end\":{\"code\":3}}\n");
        assert_eq!(Message::Note("a".into()).json(), "{\"note\":\"a\"}\n");
    }

    #[test]
    fn a_failure_is_told_from_its_last_error_on() {
        let mut complaint = Complaint::default();
        for n in 0..100 {
            complaint.hear(&format!("Compiling {n}"));
        }
        complaint.hear("error: no Java was found");
        complaint.hear("  install it: apt install openjdk-17-jre-headless");
        let text = complaint.text(1, "cargo xtask run logging follow");
        insta::assert_snapshot!(text, @r"
        error: no Java was found
          install it: apt install openjdk-17-jre-headless
        To see all of it in a terminal: cargo xtask run logging follow
        ");
        assert!(Complaint::default().text(7, "x").starts_with("The run ended with code 7"));
    }
}
