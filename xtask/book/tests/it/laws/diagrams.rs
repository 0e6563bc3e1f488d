//! Diagrams are rendered as they are drawn.

use super::{line, with};
use crate::books::TestBook;

const DRAWING: &str = "book/diagrams/way.txt";

fn drawn() -> TestBook {
    with("\n{{#diagram way}}\n")
        .file(DRAWING, "title: The way\ndesc: From a to b.\n\n+---+\n| a |-->\n+---+\n")
}

fn rendered() -> TestBook {
    let book = drawn();
    let written = book::diagram::render_all(book.root()).expect("the drawing is complete");
    assert_eq!(written, ["book/diagrams/way.svg"]);
    book
}

#[test]
fn a_diagram_is_rendered() {
    assert_eq!(
        drawn().findings(),
        [
            "book/diagrams/way.txt:1: book/diagrams/way.svg does not show this drawing: \
             run `cargo xtask book diagrams`"
                .to_owned(),
            line(
                2,
                "there is no book/diagrams/way.svg: \
                 draw it in book/diagrams/way.txt and run `cargo xtask book diagrams`"
            ),
        ]
    );
    let book = rendered();
    assert_eq!(book.findings(), [""; 0]);
    let again = book::diagram::render_all(book.root()).expect("the drawing is complete");
    assert_eq!(again, [""; 0], "what is rendered stays as it is");
}

#[test]
fn a_rendered_diagram_is_that_of_its_drawing() {
    let changed = rendered().replace(DRAWING, "| a |", "| b |");
    assert_eq!(
        changed.findings(),
        ["book/diagrams/way.txt:1: book/diagrams/way.svg does not show this drawing: \
          run `cargo xtask book diagrams`"]
    );
    let orphan = rendered().remove(DRAWING);
    assert_eq!(
        orphan.findings(),
        ["book/diagrams/way.svg:1: nothing is drawn for this: \
          draw it in book/diagrams/way.txt, or remove it"]
    );
}

#[test]
fn a_diagram_says_what_it_shows() {
    let book = rendered().replace(DRAWING, "desc: From a to b.\n", "");
    assert_eq!(
        book.findings(),
        ["book/diagrams/way.txt:2: a diagram without a description: \
          write `desc: …` as the second line: what it shows, for who cannot see it"]
    );
    let error = book::diagram::render_all(book.root()).expect_err("it cannot be rendered");
    assert!(error.to_string().starts_with("book/diagrams/way.txt:2:"), "{error}");
}

#[test]
fn a_diagram_stands_on_a_page() {
    let book = rendered().replace(crate::books::PAGE, "\n{{#diagram way}}\n", "");
    assert_eq!(
        book.findings(),
        ["book/diagrams/way.txt:1: diagram `way` stands on no page: \
          write `{{#diagram way}}` on one, or remove it"]
    );
}
