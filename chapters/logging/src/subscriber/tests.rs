//! What is written, by variables and spans.

use std::sync::Arc;

use tracing::{debug, error, error_span, info, info_span, trace, warn};

use super::*;

/// What was written, to look at afterwards.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn settings(variables: &[(&str, &str)]) -> Result<Settings, InitError> {
    let get = |name: &str| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    };
    Settings::read(get, true)
}

fn written(variables: &[(&str, &str)], program: impl FnOnce()) -> String {
    let memory = Memory::default();
    let mut variables = variables.to_vec();
    variables.extend([("NO_COLOR", "1"), ("OTEL_SERVICE_NAME", "shop")]);
    let subscriber =
        settings(&variables).unwrap().subscriber(memory.clone());
    tracing::subscriber::with_default(subscriber, program);
    String::from_utf8(memory.0.lock().unwrap().clone()).unwrap()
}

fn some_of_each() {
    info!("plain");
    debug!("debug");
    info!(target: "run", "story");
    info!(target: "librdkafka", "librdkafka: CGRP [thrd:main]: joined");
    warn!(target: "librdkafka", "librdkafka: FAIL [thrd:main]: refused");
}

fn messages(text: &str) -> Vec<&str> {
    let words = ["plain", "debug", "story", "joined", "refused"];
    words.into_iter().filter(|word| text.contains(word)).collect()
}

#[test]
fn levels_per_target() {
    let with =
        |levels: &str| written(&[("RUST_LOG", levels)], some_of_each);
    assert_eq!(messages(&with("")), ["plain", "story", "refused"]);
    assert_eq!(
        messages(&with("debug")),
        ["plain", "debug", "story", "refused"]
    );
    assert_eq!(
        messages(&with("librdkafka=info")),
        ["plain", "story", "joined", "refused"]
    );
    assert_eq!(messages(&with("warn,run=info")), ["story", "refused"]);
    assert_eq!(messages(&with("off")), ["refused"]);
    assert_eq!(messages(&with("off,librdkafka=off")), [""; 0]);
}

#[test]
fn values_that_cannot_be_meant_are_refused_with_what_to_write() {
    let message =
        |name, value| settings(&[(name, value)]).unwrap_err().to_string();
    assert!(message("LOG_FORMAT", "xml").contains("`text` or `json`"));
    assert!(
        message("RUST_LOG", "run=loud").contains("info,librdkafka=debug")
    );
    assert!(settings(&[("LOG_FORMAT", ""), ("RUST_LOG", "")]).is_ok());
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let form =
        |variables: &[(&str, &str)]| settings(variables).unwrap().form;
    assert_eq!(form(&[]), Form::Text { colour: true });
    assert_eq!(form(&[("NO_COLOR", "")]), Form::Text { colour: true });
    assert_eq!(form(&[("NO_COLOR", "1")]), Form::Text { colour: false });
    assert_eq!(form(&[("TERM", "dumb")]), Form::Text { colour: false });
    assert_eq!(
        Settings::read(|_| None, false).unwrap().form,
        Form::Text { colour: false }
    );
}

#[test]
fn lines_inside_a_span_have_its_fields_and_the_nearest_value_wins() {
    let text = written(&[("LOG_FORMAT", "json")], || {
        let outer = info_span!(
            "service",
            process = "payment",
            correlation_id = "c-1",
            key = "a"
        );
        let _outer = outer.enter();
        let inner = error_span!(
            "record",
            key = "b",
            offset = tracing::field::Empty
        );
        inner.record("offset", 7);
        let _inner = inner.enter();
        info!(target: "run", topic = "orders", partition = 2, "consumed");
        info!(target: "run", process = "mail", key = "c", "produced");
    });
    let lines: Vec<Line> =
        text.lines().map(|line| ecs::read_json(line).unwrap().1).collect();
    let shown = |line: &Line| serde_json::to_string(&line.fields).unwrap();
    assert_eq!(
        shown(&lines[0]),
        r#"{"process":"payment","correlation_id":"c-1","key":"b","offset":7,"topic":"orders","partition":2}"#
    );
    assert_eq!(
        shown(&lines[1]),
        r#"{"process":"mail","correlation_id":"c-1","key":"c","offset":7}"#
    );
}

#[test]
fn every_type_of_value_arrives() {
    let text = written(&[("LOG_FORMAT", "json")], || {
        let refused = io::Error::other(io::Error::new(
            io::ErrorKind::TimedOut,
            "no answer",
        ));
        let error: &(dyn std::error::Error + 'static) = &refused;
        error!(
            int = -1_i64, large = u64::MAX, float = 0.5, yes = true, text = "a\"b\n",
            debug = ?Some(1), display = %7, error, "all of {}", "them"
        );
    });
    let (_, line) = ecs::read_json(text.trim_end()).unwrap();
    assert_eq!(
        (line.level, line.message.as_str()),
        (Level::Error, "all of them")
    );
    insta::assert_snapshot!(
        serde_json::to_string(&line.fields).unwrap(),
        @r#"{"process":"shop","int":-1,"large":"18446744073709551615","float":0.5,"yes":true,"text":"a\"b\n","debug":"Some(1)","display":"7","error":"no answer"}"#
    );
}

#[test]
fn text_and_json_of_a_run_line_name_the_program_where_nobody_else_is_named()
{
    let text = written(&[], || info!(target: "run", "started"));
    assert_eq!(text, "    0.000  shop        started\n");
}

#[test]
fn lines_of_the_client_are_taken_apart() {
    let text = written(&[], || {
        warn!(target: "librdkafka", "librdkafka: FAIL [thrd:b:1/bootstrap]: b:1/bootstrap: refused");
        error!(target: "rdkafka::client", "librdkafka: Global error: AllBrokersDown");
    });
    insta::assert_snapshot!(text, @r"
        0.000  librdkafka  WARN: b:1/bootstrap: refused  code=FAIL  thread=b:1/bootstrap
        0.000  librdkafka  ERROR: Global error: AllBrokersDown
    ");
}

/// claim: a-line-that-is-off-evaluates-nothing
#[test]
fn a_line_that_is_off_evaluates_nothing() {
    let mut evaluated = false;
    let text = written(&[], || {
        trace!(
            costly = {
                evaluated = true;
                1
            },
            "record"
        )
    });
    assert_eq!((text.as_str(), evaluated), ("", false));
}

#[test]
fn an_output_that_fails_does_not_end_the_program() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("no space left"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let subscriber = settings(&[]).unwrap().subscriber(Full);
    tracing::subscriber::with_default(subscriber, || {
        info!("one");
        info!("two");
    });
}
