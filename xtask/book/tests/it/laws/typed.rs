//! Nothing is typed that has another source.

use super::{line, with};

#[test]
fn no_version_is_typed() {
    assert_eq!(
        with(
            "\nKafka 9.8 and rdkafka `0.39`, librdkafka v2.12.1.\nThis is 1.2.3.\n\
             ```toml\nrdkafka = \"0.39\"\n```\nRust 1.95\n"
        )
        .findings(),
        [
            line(2, "a version is typed: `0.39`: write `{{#version rdkafka}}`"),
            line(2, "a version is typed: `2.12.1`: write `{{#version librdkafka}}`"),
            line(2, "a version is typed: `9.8`: write `{{#version kafka}}`"),
            line(3, "a version is typed: `1.2.3`: write `{{#version NAME}}`"),
            line(5, "a version is typed: `0.39`: write `{{#version rdkafka}}`"),
            line(7, "a version is typed: `1.95`: write `{{#version rust}}`"),
        ]
    );
}

#[test]
fn numbers_that_are_no_versions_may_be_typed() {
    let text = "\nAt 127.0.0.1 it takes 1.1 s, in Kafka 1.5 ms.\nTransactions since Kafka 0.11, \
                headers since 0.11.0.\nSee <https://example.org/1.2.3/>.\n";
    assert_eq!(with(text).findings(), [""; 0]);
}

#[test]
fn no_chapter_number_is_typed() {
    assert_eq!(
        with("\nSee chapter 2, and\nChapter\n9.\n").findings(),
        [
            line(
                2,
                "a chapter number is typed: `chapter 2`: \
                     write `{{#number mail}}`, or link to the page"
            ),
            line(
                3,
                "a chapter number is typed: `Chapter 9`: \
                     write `{{#number SLUG}}`, or link to the page"
            ),
        ]
    );
}

#[test]
fn no_command_is_typed_with_a_number_or_a_wrong_verb() {
    assert_eq!(
        with(
            "\n```console\ncargo xtask run chapter 1\ncargo xtask test 2\ncargo xtask rum\n\
              cargo xtask doctor\n```\n"
        )
        .findings(),
        [
            line(
                3,
                "a chapter number is typed: `cargo xtask run chapter 1`: \
                     write `{{#command run parcels}}`"
            ),
            line(
                4,
                "a chapter number is typed: `cargo xtask test 2`: \
                     write `{{#command test mail}}`"
            ),
            line(5, "`cargo xtask` has no verb `rum`: did you mean `run`?"),
        ]
    );
}
