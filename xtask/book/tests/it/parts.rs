//! Claims, faults, exercises, diagrams, terms and the foot on a built page.

use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::books::{EXERCISE, GLOSSARY_PAGE, MANIFEST, PAGE, TestBook};
use crate::laws::faults;

/// The built page without its head.
fn body(book: &TestBook) -> String {
    let built = book.built("first/parcels");
    let body = built.split("</div>\n").skip(1).collect::<Vec<_>>().join("</div>\n");
    body.trim().to_owned()
}

const TESTS: &str = "chapters/parcels/tests/it/sending.rs";

fn claiming() -> TestBook {
    TestBook::sound()
        .append(MANIFEST, "\n[[test]]\nname = \"parcels_it\"\npath = \"tests/it/main.rs\"\n")
        .file(TESTS, "/// claim: sent-once\n#[test]\nfn sent() {}\n")
        .file(PAGE, "# Parcels\n\nIt goes.{{#claim sent-once}}\nIt is a record.\n")
}

/// What the test runner leaves behind.
fn report(case: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<testsuites name=\"nextest-run\"><testsuite \
         name=\"parcels::parcels_it\"><testcase name=\"sending::sent\" time=\"0.01\">{case}\
         </testcase></testsuite></testsuites>"
    )
}

fn result(book: &TestBook) -> String {
    let page = book.built("first/parcels");
    let mark = page.split("data-result=\"").nth(1).expect("the page has a mark");
    mark.split('"').next().unwrap_or_default().to_owned()
}

#[test]
fn a_claim_names_its_test() {
    insta::assert_snapshot!(body(&claiming()));
}

#[test]
fn a_claim_says_how_its_test_ended() {
    let path = "target/nextest/default/junit.xml";
    let book = claiming().file(path, &report(""));
    assert_eq!(result(&book), "passed");
    let failed = report("<failure message=\"lost\" type=\"test failure with exit code 101\"/>");
    let book = book.file(path, &failed);
    assert_eq!(result(&book), "failed");
    assert!(book.built("first/parcels").contains(">✗</span>"));
    let book = book.file(path, &report("").replace("sending::sent", "sending::other"));
    assert_eq!(result(&book), "not-run");
}

#[test]
fn a_result_that_is_older_than_its_test_does_not_count() {
    let book = claiming().file("target/nextest/default/junit.xml", &report(""));
    let changed = SystemTime::now() + Duration::from_secs(60);
    let file = fs::File::options().append(true).open(book.root().join(TESTS));
    file.and_then(|file| file.set_modified(changed)).expect("a time can be set");
    assert_eq!(result(&book), "not-run");
}

#[test]
fn faults_are_a_table() {
    let text = "# Parcels\n\n## A parcel is sent\n\nIt is a record.\n\n{{#faults}}\n";
    insta::assert_snapshot!(body(&faults::faulty(faults::FAULTS).file(PAGE, text)));
}

#[test]
fn an_exercise_has_hints_that_open_one_by_one() {
    let book = TestBook::sound()
        .file("chapters/parcels/exercises/lost/exercise.toml", EXERCISE)
        .file(PAGE, "# Parcels\n\n{{#exercise parcels/lost}}\n");
    insta::assert_snapshot!(body(&book));
}

#[test]
fn a_diagram_is_a_figure_with_its_text() {
    let book = TestBook::sound()
        .file(
            "book/diagrams/way.txt",
            "title: The <way>\ndesc: From a to b.\n\n+---+\n| a |-->\n+---+\n",
        )
        .file(PAGE, "# Parcels\n\n{{#diagram way}}\n\nBelow.\n");
    book::diagram::render_all(book.root()).expect("the drawing is complete");
    insta::assert_snapshot!(body(&book));
}

#[test]
fn the_first_use_of_a_term_is_linked_on_each_page() {
    let book = TestBook::sound()
        .file(
            PAGE,
            "# A record\n\n`record` (**Records**, then a record).\n\n- A record, {{#number parcels}}\n",
        )
        .file("book/second/mail.md", "# Mail\n\nWhat is a\nrecord?\n");
    insta::assert_snapshot!(body(&book));
    assert!(book.built("second/mail").contains("#term-record"));
    insta::assert_snapshot!(book.built("appendix/glossary"));
    assert!(book.read(GLOSSARY_PAGE).contains("{{#glossary}}"));
    assert!(book.read("target/book/print.html").contains("href=\"#term-record\""));
}

/// The foot of a built page.
fn foot(book: &TestBook, page: &str) -> String {
    let html = book.read(&format!("target/book/{page}"));
    let (_, foot) = html.split_once("<footer").expect("a page has a foot");
    let (foot, rest) = foot.split_once("</footer>").expect("the foot ends");
    assert!(rest.trim_start().starts_with("</main>"), "the foot is the last part of the page");
    format!("<footer{foot}</footer>")
}

#[test]
fn a_page_without_a_repository_says_its_versions() {
    let book = TestBook::sound();
    assert_eq!(book.refused(), [""; 0]);
    for page in ["first/parcels.html", "index.html", "introduction.html", "print.html"] {
        assert!(foot(&book, page).contains("Kafka 9.8.7"), "{page}");
        assert!(!foot(&book, page).contains("<a "), "no address is made up");
    }
    insta::assert_snapshot!(foot(&book, "first/parcels.html"));
}

fn git(book: &TestBook, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(book.root()).args([
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@example.org",
    ]);
    let day = "2026-05-14T12:00:00Z";
    command.args(arguments).envs([("GIT_COMMITTER_DATE", day), ("GIT_AUTHOR_DATE", day)]);
    let output = command.output().expect("git starts");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_page_of_a_repository_is_stamped_and_linked_and_stays_the_same() {
    let book = TestBook::sound()
        .file(".gitignore", "/target\n")
        .file("docs/parcels/index.html", "<html></html>");
    git(&book, &["init", "--quiet", "--initial-branch=main"]);
    git(&book, &["remote", "add", "origin", "git@github.com:shop/parcels.git"]);
    git(&book, &["add", "."]);
    git(&book, &["commit", "--quiet", "--message=Send parcels"]);
    let build = || {
        let api = book.root().join("docs");
        book::build_beside(book.root(), Some(&api)).expect("mdBook builds");
        foot(&book, "first/parcels.html")
    };
    let clean = build();
    assert_eq!(build(), clean, "the same commit makes the same page");
    assert!(book.root().join("target/book/api/parcels/index.html").is_file());
    insta::with_settings!({filters => vec![("[0-9a-f]{40}", "[commit]"), ("[0-9a-f]{10}", "[short]")]}, {
        insta::assert_snapshot!(clean);
    });
    assert!(!foot(&book, "second/mail.html").contains("api/"), "there is none of this crate");
    fs::write(book.root().join("chapters/parcels/notes.md"), "new").expect("a file can be written");
    assert!(build().contains("with uncommitted changes"));
}

#[test]
fn what_pages_are_made_from_is_not_published() {
    let book =
        TestBook::sound().file("book/diagrams/way.txt", "…").file("book/images/a.svg", "<svg/>");
    assert_eq!(book.refused(), [""; 0]);
    let built = book.root().join("target/book");
    for source in ["glossary.toml", "addresses.txt", "diagrams"] {
        assert!(!built.join(source).exists(), "{source}");
    }
    assert!(built.join("images/a.svg").is_file());
}
