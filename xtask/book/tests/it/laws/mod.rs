//! Each law of `book check`, on a book that breaks it.
//!
//! Each test changes the sound book in one way and expects the whole list of findings, so that a
//! law neither misses its case nor speaks where another one should.

/// What a page asks for exists.
mod directives;
/// What every page has, and what none has.
mod form;
/// Links lead somewhere.
mod links;
/// Chapters, pages and the summary know each other.
mod order;
/// Code on a page comes whole and fits.
mod snippets;
/// Nothing is typed that has another source.
mod typed;

use crate::books::{LINES, PAGE, TestBook};

/// The sound book with text after its page's last line.
pub fn with(text: &str) -> TestBook {
    TestBook::sound().append(PAGE, text)
}

/// The line of the `n`th appended line of the page.
pub fn line(n: usize, rest: &str) -> String {
    format!("{PAGE}:{}: {rest}", LINES + n)
}

pub fn include(target: &str) -> String {
    format!("\n```rust\n{{{{#include {target}}}}}\n```\n")
}

#[test]
fn a_sound_book_has_no_findings() {
    assert_eq!(TestBook::sound().findings(), [""; 0]);
    assert_eq!(TestBook::sound().read(PAGE).lines().count(), LINES);
}

#[test]
fn all_findings_come_at_once_and_a_build_refuses_what_it_cannot_show() {
    let book = with("\n{{#version kafak}}\n[a](gone.md)\n")
        .append("book/introduction.md", "{{#what}}\n")
        .remove("Cargo.lock");
    let findings = book.findings();
    let files: Vec<&str> = findings.iter().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(files, ["Cargo.lock", PAGE, PAGE, "book/introduction.md"]);
    let refused = book.refused();
    assert_eq!(refused.len(), 3, "a dead link can be shown: {refused:?}");
    assert!(!book.root().join("target").exists(), "nothing is written");
}
