//! Claims on pages and claims above tests know each other.

use super::{line, with};
use crate::books::{PAGE, TestBook};

/// The file of the tests.
const TESTS: &str = "chapters/parcels/src/tests.rs";

fn tested(tests: &str, page: &str) -> TestBook {
    with(page).file(TESTS, tests)
}

#[test]
fn a_claim_has_a_test() {
    let tests = "/// claim: sent-once\n#[test]\nfn sent() {}\n";
    let book = tested(tests, "\nIt goes.{{#claim sent-once}}\nIt stays.{{#claim sent-twice}}\n");
    let found = line(3, "no test carries the claim `sent-twice`: did you mean `sent-once`?");
    assert_eq!(book.refused(), book.findings());
    assert_eq!(book.findings(), [found]);
    assert_eq!(
        with("\nIt flies.{{#claim flown}}\n").findings(),
        [line(
            2,
            "no test carries the claim `flown`: \
             write `/// claim: flown` above the test that proves it"
        )]
    );
}

#[test]
fn a_tests_claim_is_made_on_a_page() {
    let tests =
        "#[test]\nfn other() {}\n\n/// claim: sent-once\n#[tokio::test]\nasync fn sent() {}\n";
    assert_eq!(
        tested(tests, "").findings(),
        [format!(
            "{TESTS}:4: claim `sent-once` is made on no page: \
             write `{{{{#claim sent-once}}}}` behind the sentence, or remove this line"
        )]
    );
}

#[test]
fn a_claim_has_one_test() {
    let tests = "/// claim: once\n#[test]\nfn a() {}\n\n/// claim: once\n#[test]\nfn b() {}\n";
    assert_eq!(
        tested(tests, "\nIt goes.{{#claim once}}\n").findings(),
        [format!(
            "{TESTS}:5: claim `once` is carried by a second test: leave it at one: this or {TESTS}:1"
        )]
    );
}

#[test]
fn a_claim_stands_above_a_test_and_is_one_word() {
    let tests = "/// claim: once\nfn a() {}\n\n/// claim: sent two times\n#[test]\nfn b() {}\n";
    assert_eq!(
        tested(tests, "\nIt goes.{{#claim once}}\n").findings(),
        [
            format!(
                "{TESTS}:1: claim `once` stands above what is no test: \
                 move it above the test that proves it"
            ),
            format!(
                "{TESTS}:4: a claim is named by one word, not by `sent two times`: \
                 write it like `nothing-is-lost`"
            ),
        ]
    );
}

#[test]
fn a_paragraph_has_two_claims_at_most() {
    let tests = "/// claim: a\n/// claim: b\n/// claim: c\n#[test]\nfn sent() {}\n";
    let three = "\nOne.{{#claim a}}\nTwo.{{#claim b}}\nThree.{{#claim c}}\n";
    assert_eq!(
        tested(tests, three).findings(),
        [line(4, "a paragraph of 3 claims: keep the 2 that a reader would doubt")]
    );
    let points = "\n- One.{{#claim a}}\n- Two.{{#claim b}}\n\nThree.{{#claim c}}\n";
    assert_eq!(tested(tests, points).findings(), [""; 0]);
}

#[test]
fn a_claim_stands_in_text() {
    let tests = "/// claim: a\n#[test]\nfn sent() {}\n";
    assert_eq!(
        tested(tests, "\n### Sent{{#claim a}}\n").findings(),
        [line(2, "a claim in a heading: put it behind a sentence")]
    );
    let refused = tested(tests, "\n```text\n{{#claim a}}\n```\n").refused();
    assert_eq!(refused, [line(3, "`{{#claim}}` in code: put it into the text")]);
}

#[test]
fn a_file_with_claims_is_rust_of_the_chapter() {
    let book = TestBook::sound().file(TESTS, "/// claim: a\n#[test]\nfn sent() {\n");
    let findings = book.findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].starts_with(&format!("{TESTS}:")), "{findings:?}");
    assert!(findings[0].contains("this is no Rust"), "{findings:?}");
    let stray = "chapters/parcels/tests/it/sending.rs";
    let book = TestBook::sound().file(stray, "/// claim: a\n#[test]\nfn sent() {}\n");
    assert_eq!(
        book.findings(),
        [format!(
            "{stray}:1: a file of no library, program or test of `parcels`: \
             name its main file in chapters/parcels/Cargo.toml"
        )]
    );
    assert!(book.read(PAGE).starts_with("# Parcels"));
}
