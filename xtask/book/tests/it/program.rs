//! The two programs, and what they share with the rest of the workspace.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use book::command::VERBS;

use crate::books::TestBook;
use crate::laws::complete::complete;

fn program(book: &TestBook, verb: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_book"));
    command.arg(verb).arg("--root").arg(book.root());
    command.output().expect("the program starts")
}

#[test]
fn check_prints_findings_and_fails() {
    let book = complete();
    assert!(program(&book, "check").status.success());
    let book = book.append("book/introduction.md", "{{#what}}\n[a](gone.md)\n");
    let output = program(&book, "check");
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stdout).expect("findings are text");
    assert_eq!(printed.lines().count(), 2, "{printed}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: 2 things to mend\n");
}

#[test]
fn build_prints_where_to_begin() {
    let book = TestBook::sound();
    let output = program(&book, "build");
    assert!(output.status.success(), "{output:?}");
    let index = book.root().join("target/book/index.html");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), index.to_string_lossy());
    assert!(index.exists());
}

/// A verb that xtask gets or loses must be known here: pages name verbs, and `check` refuses others.
#[test]
fn the_verbs_that_pages_may_name_are_those_of_xtask() {
    let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/main.rs");
    let source = fs::read_to_string(main).expect("xtask's main.rs can be read");
    let (_, verbs) = source.split_once("enum Verb {").expect("xtask's verbs are `enum Verb`");
    let (verbs, _) = verbs.split_once("\n}").expect("the enum ends");
    let mut verbs: Vec<String> = verbs
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .filter_map(|line| line.split(|c: char| !c.is_alphanumeric()).next())
        .map(str::to_lowercase)
        .collect();
    verbs.sort();
    assert_eq!(VERBS.map(|(verb, _)| verb).to_vec(), verbs);
}
