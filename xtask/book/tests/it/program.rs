//! The two programs, and what they share with the rest of the workspace.

use std::process::{Command, Output};

use crate::books::TestBook;

fn program(book: &TestBook, verb: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_book"));
    command.arg(verb).arg("--root").arg(book.root());
    command.output().expect("the program starts")
}

#[test]
fn check_prints_findings_and_fails() {
    let book = TestBook::sound();
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
