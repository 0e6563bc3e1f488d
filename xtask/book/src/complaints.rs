//! What a library warns of while it works, collected instead of printed.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Runs `work` and returns, beside its result, each warning and error that it logged.
pub fn during<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    let collected = Collected::default();
    let subscriber = tracing_subscriber::registry().with(collected.clone());
    let result = tracing::subscriber::with_default(subscriber, work);
    let mut lines = collected.0.lock().unwrap_or_else(PoisonError::into_inner);
    (result, std::mem::take(&mut lines))
}

#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Collected {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        if *event.metadata().level() > Level::WARN {
            return;
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.0);
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            // Writing to a String cannot fail.
            let _ = write!(self.0, "{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_and_errors_are_kept_and_the_rest_is_not() {
        let (result, lines) = during(|| {
            tracing::info!("reading");
            tracing::warn!(page = 1, "unclosed <b>");
            tracing::error!("gone");
            7
        });
        assert_eq!((result, lines), (7, vec!["unclosed <b>".to_owned(), "gone".to_owned()]));
    }
}
