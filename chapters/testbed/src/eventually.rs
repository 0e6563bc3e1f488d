//! Waiting for a condition, with a deadline and a message, so that no test has to sleep.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::Instant;

/// The condition did not come true in time.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what}: not within {waited_ms} ms; last seen: {last}")]
pub struct TimedOut {
    /// What was waited for, in the words of the caller.
    pub what: String,
    /// What the last look found instead.
    pub last: String,
    /// How long it was waited, in milliseconds.
    pub waited_ms: u128,
}

/// Looks again and again until `check` gives a value, for at most `deadline`.
///
/// `check` answers `Err` with what it saw instead; the last such answer stands in the error.
/// Looks are 5 ms apart at first and 100 ms at last, so a quick condition is met quickly and a slow
/// one is not hammered. A single look is not interrupted: it brings its own time-out.
///
/// # Errors
///
/// [`TimedOut`] when the deadline has passed.
///
/// # Cancellation
///
/// Dropping the future stops looking; nothing else is held.
pub async fn eventually<T, E: Display>(
    deadline: Duration,
    what: &str,
    mut check: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, TimedOut> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        let last = match check().await {
            Ok(value) => return Ok(value),
            Err(seen) => seen.to_string(),
        };
        if start.elapsed() + pause > deadline {
            let waited_ms = start.elapsed().as_millis();
            return Err(TimedOut {
                what: what.to_owned(),
                last,
                waited_ms,
            });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_condition_that_comes_true_gives_its_value() {
        let mut looks = 0;
        let value = eventually(
            Duration::from_secs(1),
            "the third look",
            async || {
                looks += 1;
                if looks == 3 { Ok("there") } else { Err("not yet") }
            },
        )
        .await;
        assert_eq!(value, Ok("there"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_condition_that_never_comes_says_what_it_saw() {
        let result: Result<(), _> = eventually(
            Duration::from_secs(2),
            "three brokers",
            async || Err("two brokers"),
        )
        .await;
        let error = result.unwrap_err();
        assert_eq!(
            (error.what.as_str(), error.last.as_str()),
            ("three brokers", "two brokers")
        );
        assert!(
            (1_800..=2_000).contains(&error.waited_ms),
            "{}",
            error.waited_ms
        );
        let text = error.to_string();
        assert!(text.starts_with("three brokers: not within"), "{text}");
        assert!(text.ends_with("last seen: two brokers"), "{text}");
    }
}
