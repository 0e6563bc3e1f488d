//! What a page asks for exists.

use super::{line, with};
use crate::books::{PROGRAM, SOURCES, TestBook};

#[test]
fn a_directive_is_known() {
    assert_eq!(
        with("\n{{#verzion kafka}}\n").findings(),
        [line(2, "unknown directive `verzion`: did you mean `version`?")]
    );
    let names = book::directive::names().join(", ");
    assert_eq!(
        with("\n{{#playground a.rs}}\n").findings(),
        [line(
            2,
            &format!(
                "unknown directive `playground`: use one of {names}, \
                 or escape it with a backslash"
            )
        )]
    );
}

#[test]
fn a_directive_is_closed() {
    assert_eq!(
        with("\nKafka {{#version kafka\n").findings(),
        [line(2, "a directive without its `}}`: close it on this line")]
    );
}

#[test]
fn an_escaped_directive_is_text() {
    assert_eq!(with("\nWrite `\\{{#nothing like this}}`.\n").findings(), [""; 0]);
}

#[test]
fn a_version_has_a_source() {
    assert_eq!(
        with("\n{{#version kafak}}\n").findings(),
        [line(2, "no version of `kafak` is known: did you mean `kafka`?")]
    );
}

#[test]
fn a_command_is_one_of_xtask() {
    assert_eq!(
        with(
            "\n{{#command rnu parcels}}\n{{#command run parzels}}\n{{#command kafka upp}}\n\
             {{#command run parcels dya}}\n{{#command run parcels day -- 9}}\n"
        )
        .findings(),
        [
            line(2, "`cargo xtask` has no verb `rnu`: did you mean `run`?"),
            line(3, "there is no chapter `parzels`: did you mean `parcels`?"),
            line(4, "`cargo xtask kafka` knows no `upp`: use one of up, down, status, logs"),
            line(5, "chapter `parcels` declares no run `dya`: did you mean `day`?"),
        ]
    );
}

#[test]
fn a_number_is_that_of_a_chapter() {
    assert_eq!(
        with("\nChapter {{#number sagas}}.\n").findings(),
        [line(2, "there is no chapter `sagas`: use the name of a folder under chapters/")]
    );
}

#[test]
fn a_path_leads_through_chapters() {
    assert_eq!(
        with("\nRead {{#path parcels sagas}}.\nOr {{#path}}.\n").findings(),
        [
            line(2, "there is no chapter `sagas`: use the name of a folder under chapters/"),
            line(3, "a path without chapters: write `{{#path quickstart events}}`"),
        ]
    );
}

#[test]
fn a_run_is_declared() {
    assert_eq!(
        with("\n{{#run parcels/dya}}\n").findings(),
        [line(2, "chapter `parcels` declares no run `dya`: did you mean `day`?")]
    );
}

#[test]
fn a_run_was_recorded() {
    assert_eq!(
        with("\n{{#run parcels/day}}\n").findings(),
        [line(2, "the run parcels/day was never recorded: use `cargo xtask record parcels`")]
    );
}

#[test]
fn a_run_stands_alone() {
    assert_eq!(
        with("\nSee {{#run parcels/day}}\n").findings(),
        [line(2, "`{{#run}}` inside other text: put it on a line of its own, outside of code")]
    );
}

/// The page shows a run whose recording begins like this.
fn recorded(header: &str) -> TestBook {
    let text = format!(
        "{{\"chapter\":\"mail\",\"run\":\"kill\",\"broker\":\"local\",\
         \"recorded\":\"2026-05-14\"{header}}}\n{{\"t_ms\":0,\"message\":\"started\"}}\n"
    );
    with("\n{{#run mail/kill}}\n").file("chapters/mail/runs/kill/1.jsonl", &text)
}

/// What is said of a recording that is too old; it can still be shown.
fn stale(book: &TestBook, what: &str) {
    let mend = "make it anew with `cargo xtask record mail`";
    let what = format!("chapters/mail/runs/kill/1.jsonl {what}: {mend}");
    assert_eq!(book.findings(), [line(2, &what)]);
    assert_eq!(book.refused(), [""; 0]);
}

#[test]
fn a_recording_is_of_the_present_versions() {
    let recorded = |kafka, librdkafka| {
        let (kafka, librdkafka) =
            (format!("\"kafka\":\"{kafka}\""), format!("\"librdkafka\":\"{librdkafka}\""));
        recorded(&format!(",{kafka},{librdkafka},{SOURCES}"))
    };
    assert_eq!(recorded("9.8.7", "2.12.1").findings(), [""; 0]);
    stale(&recorded("9.8.6", "2.12.1"), "was recorded with kafka 9.8.6, present is 9.8.7");
    stale(&recorded("9.8.7", "2.0.0"), "was recorded with librdkafka 2.0.0, present is 2.12.1");
}

#[test]
fn a_recording_is_not_older_than_what_it_records() {
    let book = || recorded(&format!(",{SOURCES}"));
    assert_eq!(book().findings(), [""; 0]);
    let comment = book().file(PROGRAM, "// Sends nothing.\nfn main() {}\n");
    assert_eq!(comment.findings(), [""; 0], "a comment prints nothing");
    let changed = format!("was recorded before {PROGRAM} changed");
    stale(&book().file(PROGRAM, "fn main() { send() }\n"), &changed);
    stale(&book().remove(PROGRAM), &changed);
    stale(&recorded(",\"program\":\"mail_run\""), "does not say which code it was recorded from");
}

#[test]
fn a_recording_is_of_the_run_that_the_manifest_has() {
    let other = |key: &str, value: &str| {
        let header = format!(",{SOURCES}");
        let was = if key == "program" {
            header.replace("mail_run", "x")
        } else {
            format!(",\"{key}\":[\"{value}\"]{header}")
        };
        stale(&recorded(&was), &format!("was recorded with another `{key}` than the manifest has"));
        recorded(&was)
    };
    other("program", "");
    for (key, value) in [("args", "-9"), ("topics", "orders:3")] {
        let manifest = format!("{key} = [\"{value}\"], needs =");
        let book = other(key, value).replace("chapters/mail/Cargo.toml", "needs =", &manifest);
        assert_eq!(book.findings(), [""; 0]);
    }
}
