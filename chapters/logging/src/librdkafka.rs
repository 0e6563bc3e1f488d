//! librdkafka's own lines, taken apart.
//!
//! The client hands each line of the C library to `tracing` as one text:
//! `librdkafka: FAIL [thrd:localhost:9092/bootstrap]: localhost:9092/bootstrap: Connect to … failed`.
//! The facility and the thread become fields, so that one can ask for all lines with `event.code` `FAIL`.

use crate::line::Line;

/// The target of librdkafka's own lines. Its name in a level filter: `RUST_LOG=librdkafka=debug`.
pub const LIBRDKAFKA: &str = "librdkafka";

/// Whether lines of this target may be librdkafka's: the client's error callback logs below its own path.
pub(crate) fn is_from_client(target: &str) -> bool {
    target == LIBRDKAFKA || target.starts_with("rdkafka::")
}

/// Takes the facility and the thread out of the message.
pub(crate) fn take_apart(line: &mut Line) {
    let Some(text) = line.message.strip_prefix("librdkafka: ") else {
        return;
    };
    line.target = LIBRDKAFKA.to_owned();
    let (code, text) = match text.split_once(' ') {
        Some((code, rest)) if is_facility(code) => (Some(code), rest),
        _ => (None, text),
    };
    let (thread, text) = match text
        .strip_prefix("[thrd:")
        .and_then(|rest| rest.split_once("]: "))
    {
        Some((thread, rest)) => (Some(thread), rest),
        None => (None, text),
    };
    if let Some(code) = code {
        line.fields.set("code", code);
    }
    if let Some(thread) = thread {
        line.fields.set("thread", thread);
    }
    line.message = text.to_owned();
}

/// `FAIL`, `CONFWARN`, `MAXPOLL`, `SSL_TRUST` …
fn is_facility(word: &str) -> bool {
    !word.is_empty()
        && word.bytes().all(|b| {
            b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::Value;

    fn apart(message: &str) -> (String, Option<String>, Option<String>) {
        let mut line = Line {
            target: "rdkafka::client".into(),
            ..Line::new(0, message)
        };
        take_apart(&mut line);
        let field = |name| {
            line.fields.get(name).and_then(Value::as_str).map(str::to_owned)
        };
        (line.message.clone(), field("code"), field("thread"))
    }

    #[test]
    fn facility_and_thread_become_fields() {
        let (message, code, thread) = apart(
            "librdkafka: FAIL [thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1/bootstrap: Connect failed",
        );
        assert_eq!(message, "127.0.0.1:1/bootstrap: Connect failed");
        assert_eq!(code.as_deref(), Some("FAIL"));
        assert_eq!(thread.as_deref(), Some("127.0.0.1:1/bootstrap"));
    }

    #[test]
    fn whatever_has_another_form_stays_text() {
        let (message, code, thread) =
            apart("librdkafka: Global error: AllBrokersDown");
        assert_eq!(
            (message.as_str(), code, thread),
            ("Global error: AllBrokersDown", None, None)
        );
        let (message, code, _) = apart("Client is ready");
        assert_eq!((message.as_str(), code), ("Client is ready", None));
        let (message, code, thread) =
            apart("librdkafka: CONFWARN [thrd:app");
        assert_eq!(
            (message.as_str(), code.as_deref(), thread),
            ("[thrd:app", Some("CONFWARN"), None)
        );
    }
}
