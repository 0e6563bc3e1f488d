//! Each term has one definition and one page that introduces it.

use super::{line, with};
use crate::books::{GLOSSARY, GLOSSARY_PAGE, MANIFEST, PAGE, TestBook};

fn term(name: &str, definition: &str) -> String {
    format!("\n[[term]]\nname = \"{name}\"\ndefinition = \"{definition}\"\n")
}

#[test]
fn a_term_of_a_manifest_is_defined() {
    let book =
        TestBook::sound().replace(MANIFEST, r#"["record"]"#, r#"["record", "recrod", "topic"]"#);
    assert_eq!(
        book.findings(),
        [
            format!("{MANIFEST}:8: the glossary has no term `recrod`: did you mean `record`?"),
            format!("{MANIFEST}:8: the glossary has no term `topic`: define it in {GLOSSARY}"),
        ]
    );
}

#[test]
fn a_term_is_introduced_by_one_page() {
    let book = TestBook::sound().append(GLOSSARY, &term("topic", "A log."));
    assert_eq!(
        book.findings(),
        [format!(
            "{GLOSSARY}:5: no page introduces `topic`: \
             add it to the `terms` of a page in its chapter's manifest, or remove it"
        )]
    );
    let twice = TestBook::sound()
        .replace("chapters/mail/Cargo.toml", "first = ", "terms = [\"record\"], first = ")
        .append("book/second/mail.md", "It is a record.\n");
    assert_eq!(
        twice.findings(),
        [format!(
            "{GLOSSARY}:1: `record` is introduced twice, by book/second/mail.md and \
             book/first/parcels.md: take it from the `terms` of one of them"
        )]
    );
}

#[test]
fn the_introducing_page_uses_the_term() {
    let book = TestBook::sound().replace(
        PAGE,
        "A record arrives.",
        "It arrives `record` [record](#recap).",
    );
    assert_eq!(
        book.findings(),
        [format!(
            "{MANIFEST}:8: book/first/parcels.md introduces `record` and never uses it: \
             explain it in the page's text, or take it from `terms`"
        )]
    );
}

#[test]
fn a_definition_has_at_most_40_words_and_some() {
    let with = |definition: &str| {
        let old = r#"What Kafka stores: \"a key\" & a value."#;
        TestBook::sound().replace(GLOSSARY, old, definition).findings()
    };
    assert_eq!(with(&"word ".repeat(40)), [""; 0]);
    assert_eq!(
        with(&"word ".repeat(41)),
        [format!("{GLOSSARY}:1: a definition of 41 words: leave 40")]
    );
    assert_eq!(
        with(" "),
        [format!("{GLOSSARY}:1: `record` has no definition: write a sentence or two")]
    );
}

#[test]
fn a_term_is_defined_once() {
    let book = TestBook::sound().append(GLOSSARY, &term("record", "A row."));
    assert_eq!(
        book.findings(),
        [format!("{GLOSSARY}:5: `record` is defined twice: keep one definition")]
    );
}

#[test]
fn the_terms_are_shown_on_their_page() {
    let mend = "write `{{#glossary}}` in book/appendix/glossary.md";
    assert_eq!(
        TestBook::sound().file(GLOSSARY_PAGE, "# Glossary\n").findings(),
        [format!("{GLOSSARY}:1: no page shows the terms: {mend}")]
    );
    assert_eq!(
        with("\n{{#glossary}}\n").findings(),
        [line(
            2,
            "the glossary stands on another page: \
             move this to book/appendix/glossary.md: every term's link leads there"
        )]
    );
}

#[test]
fn a_glossary_that_cannot_be_read_says_where() {
    let book = TestBook::sound().append(GLOSSARY, "\n[[term]]\nnam = \"topic\"\n");
    let findings = book.findings();
    assert!(findings[0].starts_with("book/glossary.toml:6: unknown field `nam`"), "{findings:?}");
}
