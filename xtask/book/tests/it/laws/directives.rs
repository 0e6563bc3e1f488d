//! What a page asks for exists.

use super::{line, with};

#[test]
fn a_directive_is_known() {
    assert_eq!(
        with("\n{{#verzion kafka}}\n").findings(),
        [line(2, "unknown directive `verzion`: did you mean `version`?")]
    );
    assert_eq!(
        with("\n{{#playground a.rs}}\n").findings(),
        [line(
            2,
            "unknown directive `playground`: \
             use one of command, include, number, run, version, or escape it with a backslash"
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

#[test]
fn a_recording_is_of_the_present_versions() {
    let recorded = |kafka, librdkafka| {
        let text = format!(
            "{{\"chapter\":\"parcels\",\"run\":\"day\",\"broker\":\"local\",\"kafka\":\"{kafka}\",\
             \"librdkafka\":\"{librdkafka}\",\"recorded\":\"2026-05-14\"}}\n\
             {{\"t_ms\":0,\"message\":\"started\"}}\n"
        );
        with("\n{{#run parcels/day}}\n").file("chapters/parcels/runs/day/1.jsonl", &text)
    };
    assert_eq!(recorded("9.8.7", "2.12.1").findings(), [""; 0]);
    let mend = "make it anew with `cargo xtask record parcels`";
    let path = "chapters/parcels/runs/day/1.jsonl";
    let what = format!("{path} was recorded with kafka 9.8.6, present is 9.8.7");
    assert_eq!(recorded("9.8.6", "2.12.1").findings(), [line(2, &format!("{what}: {mend}"))]);
    let what = format!("{path} was recorded with librdkafka 2.0.0, present is 2.12.1");
    assert_eq!(recorded("9.8.7", "2.0.0").findings(), [line(2, &format!("{what}: {mend}"))]);
    assert_eq!(recorded("9.8.7", "2.0.0").refused(), [""; 0], "it can still be shown");
}
