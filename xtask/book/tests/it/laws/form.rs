//! What every page has, and what none has.

use super::{line, with};
use crate::books::{MANIFEST, PAGE, TestBook};

#[test]
fn a_page_has_a_title_and_a_recap() {
    assert_eq!(
        TestBook::sound()
            .file("book/second/mail.md", "Mail\n\nYou will be able to read.\n\n## Recaps\n")
            .findings(),
        [
            format!(
                "{PAGE}:13: book/second/mail.md has no heading `#recap`: \
                     did you mean `#recaps`?"
            ),
            "book/second/mail.md:1: a page without a title: begin it with `# Title`".into(),
            "book/second/mail.md:5: a page without a recap: \
             add `## Recap` with at most five sentences"
                .into(),
        ]
    );
}

#[test]
fn a_page_says_what_the_reader_will_be_able_to_do() {
    let promise = "You will be able to send one.\n";
    assert_eq!(
        TestBook::sound().replace(PAGE, promise, "").findings(),
        [format!(
            "{PAGE}:1: a page that promises nothing: add `You will be able to` \
             with one to three points above the first `##`"
        )]
    );
    let four = "You will be able to\n\n- a\n- b\n- c\n- d\n";
    assert_eq!(
        TestBook::sound().replace(PAGE, promise, four).findings(),
        [format!("{PAGE}:5: a page that promises 4 things: keep the three that matter most")]
    );
}

#[test]
fn a_page_has_at_most_2000_words() {
    let words =
        |count: usize| format!("\n{}\n```\n{}\n```\n", "word ".repeat(count), "code ".repeat(99));
    let have = 40;
    assert_eq!(with(&words(2000 - have)).findings(), [""; 0]);
    assert_eq!(
        with(&words(2001 - have)).findings(),
        [format!("{PAGE}:1: a page of 2001 words: leave 2000 or split it in two")]
    );
}

#[test]
fn a_page_introduces_at_most_five_terms() {
    let terms = r#"terms = ["a", "b", "c", "d", "e", "f"]"#;
    let mut findings =
        TestBook::sound().replace(MANIFEST, r#"terms = ["record"]"#, terms).findings();
    findings.retain(|finding| finding.contains("introduces 6"));
    assert_eq!(
        findings,
        [format!(
            "{MANIFEST}:8: book/first/parcels.md introduces 6 terms: \
                  leave 5 or split the page"
        )]
    );
}

#[test]
fn a_title_of_a_run_is_short() {
    let titled = |title: &str| {
        let title = format!("name = \"day\", title = \"{title}\",");
        TestBook::sound().replace(MANIFEST, "name = \"day\",", &title).findings()
    };
    assert_eq!(titled(&"x".repeat(40)), [""; 0]);
    assert_eq!(
        titled(&"x".repeat(41)),
        [format!(
            "{MANIFEST}:5: the title of run `day` has 41 characters: leave 40: `about` says the rest"
        )]
    );
}

#[test]
fn words_of_our_machinery_stay_out() {
    let mend = "say what the reader sees: a recorded run, log lines, a test";
    let book = with("\nThe run\nlog, or Run logs; not run logging.\n").replace(
        MANIFEST,
        "A day of parcels.",
        "A scenario group.",
    );
    assert_eq!(
        book.findings(),
        [
            line(2, &format!("`run\nlog` is a word of our machinery: {mend}")),
            line(3, &format!("`Run logs` is a word of our machinery: {mend}")),
            format!("{MANIFEST}:5: `scenario group` is a word of our machinery: {mend}"),
        ]
    );
}

#[test]
fn a_manifest_says_what_it_needs() {
    let runs = r#"runs = [
  { name = "day", needs = ["wings"], about = "A day." },
"#;
    let old = r#"runs = [
  { name = "day", about = "A day of parcels.", topics = ["parcels:3"] },
"#;
    let findings = TestBook::sound().replace(MANIFEST, old, runs).findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].starts_with(&format!("{MANIFEST}:8: run `day`: unknown need \"wings\"")));
}
