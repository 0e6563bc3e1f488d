//! Code on a page comes whole and fits.

use super::{include, line, with};
use crate::books::{CODE, PAGE, TestBook, anchored};

#[test]
fn an_included_file_exists() {
    assert_eq!(
        with(&include("../../chapters/parcels/src/gone.rs")).findings(),
        [line(
            3,
            "included file chapters/parcels/src/gone.rs does not exist: \
             correct the path: it is taken from the page's folder"
        )]
    );
}

#[test]
fn an_included_file_stands_in_the_workspace() {
    assert_eq!(
        with(&include("../../../secret.txt")).findings(),
        [line(
            3,
            "`../../../secret.txt` leads out of the workspace: \
             correct the path: it is taken from the page's folder"
        )]
    );
}

#[test]
fn an_included_anchor_exists() {
    assert_eq!(
        with(&include("../../chapters/parcels/src/lib.rs:sent")).findings(),
        [line(3, "no complete anchor `sent` in chapters/parcels/src/lib.rs: did you mean `send`?")]
    );
}

#[test]
fn an_included_anchor_holds_something() {
    let book = with(&include("../../chapters/parcels/src/lib.rs:none"));
    let book = book.append(CODE, &anchored("// @: none\n\n// @_END: none\n"));
    assert_eq!(
        book.findings(),
        [line(3, "anchor `none` holds no line to show: put its two ends around the lines to show")]
    );
}

#[test]
fn an_anchor_is_closed() {
    let book = TestBook::sound().append(CODE, &anchored("// @: rest\nconst A: u8 = 1;\n"));
    assert_eq!(
        book.findings(),
        [format!(
            "{CODE}:14: anchor `rest` is never closed: add `ANCHOR_END: rest` after its last line"
        )]
    );
}

#[test]
fn an_anchor_is_opened() {
    let book = TestBook::sound().append(CODE, &anchored("// @_END: rest\n"));
    assert_eq!(
        book.findings(),
        [format!(
            "{CODE}:14: anchor `rest` ends but never starts: \
             add `ANCHOR: rest` above or remove this line"
        )]
    );
}

#[test]
fn an_anchor_is_shown() {
    let anchor = anchored("# @: image\nimage: kafka\n# @_END: image\n");
    let book = TestBook::sound().file("docker-compose.yml", &anchor);
    assert_eq!(
        book.findings(),
        ["docker-compose.yml:1: anchor `image` is shown on no page: \
          include it, or remove its two lines"]
    );
}

#[test]
fn anchors_do_not_overlap() {
    let both = format!(
        "{}{}",
        include("../../chapters/parcels/src/lib.rs:a"),
        include("../../chapters/parcels/src/lib.rs:b")
    );
    let code = "// @: a\nconst A: u8 = 1;\n// @: b\nconst B: u8 = 1;\n// @_END: a\n// @_END: b\n";
    let book = with(&both).append(CODE, &anchored(code));
    assert_eq!(
        book.findings(),
        [format!("{CODE}:18: anchor `a` ends while `b` is open: end `b` (line 16) first")]
    );
}

#[test]
fn an_anchor_stands_once_in_a_file() {
    let book = TestBook::sound().append(CODE, &anchored("// @: send\nx();\n// @_END: send\n"));
    assert_eq!(
        book.findings(),
        [format!(
            "{CODE}:14: anchor `send` stands twice in this file: \
             rename this one or the one in line 7"
        )]
    );
}

#[test]
fn nothing_is_included_by_line_number() {
    assert_eq!(
        with(&include("../../chapters/parcels/src/lib.rs:3:4")).findings(),
        [line(
            3,
            "include by line number `../../chapters/parcels/src/lib.rs:3:4`: \
             put `ANCHOR: name` and `ANCHOR_END: name` around the lines and name the anchor"
        )]
    );
}

#[test]
fn code_is_included_in_a_block_of_code() {
    assert_eq!(
        with("\n{{#include ../../chapters/parcels/src/lib.rs}}\n").findings(),
        [line(
            2,
            "chapters/parcels/src/lib.rs is included outside of a block of code: \
             put the line between ``` and ```"
        )]
    );
}

#[test]
fn a_snippet_does_not_end_its_block() {
    let book = with(&include("../../chapters/parcels/README.md"));
    let book = book.file("chapters/parcels/README.md", "# Parcels\n\n```console\nrun\n```\n");
    assert_eq!(
        book.findings(),
        [line(
            3,
            "chapters/parcels/README.md:3 would end the block of code: \
             show another part, or indent the line with `//`"
        )]
    );
}

#[test]
fn a_snippet_is_at_most_76_columns_wide() {
    let wide = format!("    // {}\n", "w".repeat(77 - 3));
    let fits = format!("    // {}\n", "f".repeat(76 - 3));
    let lines = format!("    /// Sends it.\n{fits}{wide}");
    let book = TestBook::sound().replace(CODE, "    /// Sends it.\n", &lines);
    assert_eq!(
        book.findings(),
        [format!("{CODE}:10: a line of 77 columns on {PAGE}: break it: a page shows 76")]
    );
}
