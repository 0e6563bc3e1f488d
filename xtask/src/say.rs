//! What this tool says to a person: wrong usage as an error of its own, and progress.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// The command line asks for something that does not exist; the program ends with code 2.
#[derive(Debug)]
pub struct Usage(String);

impl Usage {
    /// An error with this message, which says what to type instead.
    pub fn error(message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Usage(message.into()))
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A spinner on standard error, gone when dropped. Without a terminal it shows nothing.
pub struct Spinner(ProgressBar);

impl Spinner {
    /// Shows `what`, and how long it has taken.
    pub fn start(what: impl Into<Cow<'static, str>>) -> Spinner {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(120));
        Spinner(bar)
    }

    /// Changes the text.
    pub fn say(&self, what: impl Into<Cow<'static, str>>) {
        self.0.set_message(what);
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// `1 test`, `2 tests`.
pub fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// True where a continuous integration service runs this: there, nothing may be left out.
pub fn on_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
