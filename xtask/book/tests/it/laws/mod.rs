//! Each law of `book check`, on a book that breaks it.
//!
//! Each test changes the sound book in one way and expects the whole list of findings, so that a
//! law neither misses its case nor speaks where another one should.

/// An address that was once published leads to a page.
mod addresses;
/// Claims on pages and claims above tests know each other.
mod claims;
/// Nothing is missing from a page or a chapter.
pub mod complete;
/// Diagrams are rendered as they are drawn.
mod diagrams;
/// What a page asks for exists.
mod directives;
/// Exercises stand on pages, and nothing in them is empty.
mod exercises;
/// What the faults of a chapter name exists.
pub mod faults;
/// What every page has, and what none has.
mod form;
/// Each term has one definition and one page that introduces it.
mod glossary;
/// Links lead somewhere.
mod links;
/// Chapters, pages and the summary know each other.
mod order;
/// Questions can be asked, and are.
mod questions;
/// Code on a page comes whole and fits.
mod snippets;
/// What was learned comes back.
mod spacing;
/// What readers try is declared, and stands on a page of its chapter.
mod tries;
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
