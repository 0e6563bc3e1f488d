//! What readers try is declared, stands on a page of its chapter, and begins with something that is there.

use super::line;
use crate::books::{MANIFEST, PAGE, TestBook};

const DECLARED: &str = r#"
[[package.metadata.chapter.try]]
name = "send"
title = "Send <one>"
about = "Change it & see."
inputs = [
  { name = "parcel", label = "A parcel", kind = "json", default_file = "parcel.json" },
  { name = "count", label = "Count", kind = "number", min = 1, max = 9, default = 3 },
]
"#;

/// A book in which a parcel can be tried, and a page with this line at its end.
fn with(text: &str) -> TestBook {
    TestBook::sound()
        .append(MANIFEST, DECLARED)
        .file("chapters/parcels/parcel.json", "{\n  \"id\": 7\n}\n")
        .append(PAGE, &format!("\n{text}\n"))
}

const SHOWN: &str = "{{#try parcels/send}}";

#[test]
fn what_is_declared_and_shown_is_sound() {
    assert_eq!(with(SHOWN).findings(), [""; 0]);
}

#[test]
fn what_is_tried_is_declared() {
    let findings = |text: &str| with(&format!("{SHOWN}\n{text}")).findings();
    assert_eq!(
        findings("{{#try parcels/sned}}"),
        [line(3, "chapter `parcels` declares nothing to try `sned`: did you mean `send`?")]
    );
    assert_eq!(
        findings("{{#try parcels/weigh}}"),
        [line(
            3,
            "chapter `parcels` declares nothing to try `weigh`: \
             declare it in chapters/parcels/Cargo.toml: `[[package.metadata.chapter.try]]`"
        )]
    );
    assert_eq!(
        findings("{{#try parcels}}"),
        [line(
            3,
            "`parcels` names nothing to try: write chapter and name: `{{#try parcels/name}}`"
        )]
    );
}

#[test]
fn what_is_declared_is_shown() {
    let found = "chapters/parcels/Cargo.toml:17: `parcels/send` can be tried on no page: \
                 put `{{#try parcels/send}}` on a page of the chapter, or remove it";
    assert_eq!(with("").findings(), [found]);
    assert_eq!(with("Write `\\{{#try parcels/send}}`.").findings(), [found], "as text only");
}

#[test]
fn what_is_tried_stands_on_a_page_of_its_chapter() {
    let what = "`parcels/send` is tried on a page that is not of its chapter: \
                link to book/first/parcels.md instead";
    let text = format!("\n{SHOWN}\n");
    assert_eq!(
        with(SHOWN).append("book/second/mail.md", &text).findings(),
        [format!("book/second/mail.md:9: {what}")]
    );
    assert_eq!(
        with(SHOWN).append("book/introduction.md", &text).findings(),
        [format!("book/introduction.md:5: {what}")]
    );
}

#[test]
fn a_name_stands_once_and_can_stand_in_an_address() {
    let twice = with(SHOWN).append(MANIFEST, DECLARED);
    assert_eq!(
        twice.findings(),
        ["chapters/parcels/Cargo.toml:26: `send` is declared twice: give each its own name"]
    );
    let spaced = with("{{#try parcels/Send}}").replace(MANIFEST, "\"send\"", "\"Send\"");
    assert_eq!(
        spaced.findings(),
        ["chapters/parcels/Cargo.toml:17: `Send` names something to try: \
          use small letters, digits and dashes: it stands in addresses"]
    );
}

/// What is said where the manifest has this instead.
fn default(from: &str, to: &str) -> Vec<String> {
    with(SHOWN).replace(MANIFEST, from, to).findings()
}

#[test]
fn an_input_begins_with_something_that_is_there() {
    let findings = with(SHOWN).remove("chapters/parcels/parcel.json").findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].starts_with(&line(
            2,
            "the input `parcel` begins with chapters/parcels/parcel.json, which cannot be read ("
        )) && findings[0]
            .ends_with("): add the file, or correct `default_file` in chapters/parcels/Cargo.toml"),
        "{findings:?}"
    );
    let exactly = "has none, or more than one, of `default`, `default_file`, `default_run`: \
                   give it exactly one in chapters/parcels/Cargo.toml";
    assert_eq!(
        default(", default_file = \"parcel.json\"", ""),
        [line(2, &format!("the input `parcel` {exactly}"))]
    );
    assert_eq!(
        default("default = 3", "default = 3, default_run = \"day\""),
        [line(2, &format!("the input `count` {exactly}"))]
    );
    assert_eq!(
        default("default = 3", "default = true"),
        [line(
            2,
            "the input `count` begins with what is neither text nor number: \
             correct `default` in chapters/parcels/Cargo.toml"
        )]
    );
}

#[test]
fn an_input_begins_with_what_it_allows() {
    let wrong = |name: &str, text: &str| {
        [line(
            2,
            &format!(
                "the input `{name}` begins with `{text}`, which it does not allow: correct the \
                 default, or `min`, `max` and `options` in chapters/parcels/Cargo.toml"
            ),
        )]
    };
    assert_eq!(default("default = 3", "default = 10"), wrong("count", "10"));
    assert_eq!(default("default = 3", "default = 0"), wrong("count", "0"));
    assert_eq!(default("default = 3", "default = \"x\""), wrong("count", "x"));
    let choice = |options: &str| {
        default("\"json\", default_file = \"parcel.json\"", &format!("\"choice\", {options}"))
    };
    assert_eq!(choice("options = [\"a\", \"b\"], default = \"b\""), [""; 0]);
    assert_eq!(choice("options = [\"a\", \"b\"], default = \"c\""), wrong("parcel", "c"));
}

#[test]
fn an_input_can_begin_with_a_field_of_a_recorded_run() {
    let recorded = |line: &str| {
        let header =
            r#"{"chapter":"parcels","run":"day","broker":"embedded","recorded":"2026-05-14"}"#;
        let text = format!("{header}\n{{\"t_ms\":0,\"message\":\"started\"{line}}}\n");
        with(SHOWN)
            .replace(MANIFEST, "default = 3", "default_run = \"day\"")
            .file("chapters/parcels/runs/day/1.jsonl", &text)
    };
    assert_eq!(recorded(",\"count\":7").findings(), [""; 0]);
    assert_eq!(
        recorded("").findings(),
        [line(
            2,
            "the input `count` begins with a field that the first line of the run `day` does not \
             have: correct the input's name or `default_run` in chapters/parcels/Cargo.toml"
        )]
    );
    assert_eq!(
        default("default = 3", "default_run = \"dya\""),
        [line(2, "chapter `parcels` declares no run `dya`: did you mean `day`?")]
    );
}

#[test]
fn a_declaration_has_no_keys_of_its_own_making() {
    let findings = default("about = \"Change", "text = \"Change");
    let found = findings.iter().find(|finding| finding.starts_with("chapters/parcels/Cargo.toml:"));
    assert!(found.is_some_and(|found| found.contains("unknown field `text`")), "{findings:?}");
}
