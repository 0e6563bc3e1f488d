//! What was learned comes back.

use crate::books::TestBook;

/// A book of these chapters with a page each, in two parts; each page asks what `quizzes` says: its
/// page, the question's name, and where that goes back to.
fn book(pages: &[(&str, usize)], quizzes: &[(&str, &str, Option<&str>)]) -> TestBook {
    let mut summary = "# Summary\n".to_owned();
    let mut book = TestBook::empty();
    for part in [1, 2] {
        summary.push_str(&format!("\n# Part {part}\n\n"));
        for (page, _) in pages.iter().filter(|(_, of)| *of == part) {
            summary.push_str(&format!("- [Page {page}](p/{page}.md)\n"));
        }
    }
    for (page, _) in pages {
        let manifest = format!(
            "[package]\nname = \"{page}\"\n\n[package.metadata.chapter]\ntitle = \"Page {page}\"\n\
             pages = [{{ path = \"p/{page}.md\", question = \"?\", minutes = 9 }}]\n"
        );
        let mut text = format!("# Page {page}\n\nYou will be able to go.\n\n## Recap\n\nDone.\n");
        let mut questions = String::new();
        for (_, id, from) in quizzes.iter().filter(|(of, ..)| of == page) {
            let from = from.map(|from| format!("from = \"{from}\"\n")).unwrap_or_default();
            questions.push_str(&format!(
                "[[quiz]]\nid = \"{id}\"\nmisconception = \"m\"\nprompt = \"?\"\n{from}options = [\n  \
                 {{ right = true, text = \"a\", why = \"b\" }},\n  \
                 {{ right = false, text = \"c\", why = \"d\" }},\n]\n"
            ));
            text.push_str(&format!("\n{{{{#quiz {id}}}}}\n"));
        }
        book = book
            .file(&format!("chapters/{page}/Cargo.toml"), &manifest)
            .file(&format!("book/p/{page}.md"), &text)
            .file(&format!("book/p/{page}.questions.toml"), &questions);
    }
    book.file("book/SUMMARY.md", &summary)
        .file("book/misconceptions.toml", "[[misconception]]\nid = \"m\"\nsays = \"M.\"\n")
        .listed()
}

fn question(page: &str, rest: &str) -> String {
    format!("book/p/{page}.questions.toml:1: question `q`: {rest}")
}

#[test]
fn a_page_ends_with_a_question_from_two_to_five_pages_back() {
    let pages = [("a", 1), ("b", 2), ("c", 2), ("d", 2), ("e", 2), ("f", 2), ("g", 2)];
    let asked = |page, from| {
        // The part's own law is content.
        let others = [("g", "mixed", Some("p/b.md")), ("g", "z", Some("p/c.md"))];
        book(&pages, &[&[(page, "q", from)], &others[..]].concat()).findings()
    };
    for from in ["p/b.md", "p/c.md", "p/d.md"] {
        assert_eq!(asked("f", Some(from)), [""; 0], "{from}");
    }
    assert_eq!(asked("f", Some("p/a.md")), [""; 0], "five back");
    assert_eq!(asked("b", None), [""; 0], "there is no page two back");
    let mend = "end the page with a quiz `from` p/a.md or p/b.md or p/c.md";
    assert_eq!(
        asked("e", Some("p/d.md")),
        [question("e", &format!("the page's last question goes back to p/d.md: {mend}"))]
    );
    assert_eq!(
        asked("e", None),
        [question("e", &format!("the page's last question goes back to no page: {mend}"))]
    );
    let far = book(&pages, &[("g", "q", Some("p/b.md")), ("g", "far", Some("p/a.md"))]);
    let findings = far.findings();
    assert!(
        findings.iter().any(|finding| finding.contains(
            "question `far`: the page's last question goes back to p/a.md: \
             end the page with a quiz `from` p/b.md or"
        )),
        "{findings:?}"
    );
}

#[test]
fn only_the_last_question_must_go_back() {
    let pages = [("a", 1), ("b", 2), ("c", 2)];
    let quizzes =
        [("c", "near", Some("p/b.md")), ("c", "own", None), ("c", "last", Some("p/a.md"))];
    assert_eq!(book(&pages, &quizzes).findings(), [""; 0]);
}

#[test]
fn a_question_comes_from_an_earlier_page() {
    let pages = [("alpha", 1), ("beta", 2)];
    let from = |from| book(&pages, &[("alpha", "q", Some(from)), ("beta", "z", None)]).findings();
    assert_eq!(
        from("p/beat.md"),
        [question("alpha", "`from` names no page: `p/beat.md`: did you mean `p/beta.md`?")]
    );
    assert_eq!(
        from("https://kafka.apache.org"),
        [question(
            "alpha",
            "`from` names no page: `https://kafka.apache.org`: \
             name a page of a chapter, from the book's folder"
        )]
    );
    for later in ["p/beta.md", "p/alpha.md"] {
        assert_eq!(
            from(later),
            [question(
                "alpha",
                &format!("`from` is no earlier page: `{later}`: name a page that the reader knows")
            )]
        );
    }
}

#[test]
fn a_part_of_two_pages_ends_with_mixed_questions() {
    let pages = [("a", 1), ("b", 2), ("c", 2)];
    let of = |quizzes: &[(&str, &str, Option<&str>)]| book(&pages, quizzes).findings();
    let unmixed =
        ["book/SUMMARY.md:7: `Part 2` does not end with questions from two of its pages: \
         add a quiz to book/p/c.md whose `from` is an earlier page of the part"
            .to_owned()];
    let last = ("c", "last", Some("p/a.md"));
    assert_eq!(of(&[("c", "own", None), last]), unmixed);
    assert_eq!(of(&[("c", "before", Some("p/b.md")), last]), unmixed);
    assert_eq!(of(&[("c", "own", None), ("c", "before", Some("p/b.md")), last]), [""; 0]);
}

#[test]
fn each_misconception_is_asked_for() {
    let pages = [("a", 1), ("b", 2)];
    let more = |more: &str| {
        book(&pages, &[("a", "q", None)]).append("book/misconceptions.toml", more).findings()
    };
    let mend = "ask one, or name the `chapter` that will be written about it";
    assert_eq!(
        more(
            "\n[[misconception]]\nid = \"n\"\nsays = \"N.\"\n\n\
              [[misconception]]\nid = \"o\"\nsays = \"O.\"\nchapter = \"b\"\n"
        ),
        [
            format!("book/misconceptions.toml:5: no question tests `n`: {mend}"),
            format!("book/misconceptions.toml:9: no question tests `o`: {mend}"),
        ]
    );
    let unwritten = "\n[[misconception]]\nid = \"n\"\nsays = \"N.\"\nchapter = \"sagas\"\n";
    assert_eq!(more(unwritten), [""; 0]);
}
