//! Nothing is missing from a page or a chapter.

use crate::books::{EXERCISE, MANIFEST, PAGE, TestBook};
use crate::questions::asking_everywhere;

/// A book that breaks no law at all.
pub fn complete() -> TestBook {
    let mut book = asking_everywhere();
    for (slug, page, run, step) in [
        ("parcels", "first/parcels", "day", "a-parcel-is-sent"),
        ("mail", "second/mail", "kill", "recap"),
    ] {
        let faults = format!(
            "faults = [\n  {{ name = \"late\", run = \"{run}\", symptom = \"It is late.\", \
             cause = \"It waits.\", fix = \"Wake it.\", step = \"{page}.md#{step}\", \
             test = \"late\" }},\n]\n"
        );
        let parts =
            format!("\n## What goes wrong\n\n{{{{#faults}}}}\n\n{{{{#exercise {slug}/lost}}}}\n");
        book = book
            .replace(&format!("chapters/{slug}/Cargo.toml"), "runs = [", &(faults + "runs = ["))
            .append(&format!("book/{page}.md"), &parts)
            .file(&format!("chapters/{slug}/src/late.rs"), "#[test]\nfn late() {}\n")
            .file(&format!("chapters/{slug}/exercises/lost/exercise.toml"), EXERCISE);
    }
    book
}

#[test]
fn a_complete_book_lacks_nothing() {
    assert_eq!(complete().all_findings(), [""; 0]);
    let lacking = TestBook::sound().all_findings();
    assert_eq!(lacking.len(), 2 * 5, "five laws, two chapters of one page: {lacking:?}");
}

#[test]
fn a_page_runs_something_and_asks_before_it() {
    assert_eq!(complete().all_findings(), [""; 0]);
    let silent = complete().replace("book/second/mail.md", "{{#run mail/kill}}", "").replace(
        "book/second/mail.md",
        "{{#predict mails}}",
        "",
    );
    let findings = silent.all_findings();
    assert_eq!(
        findings[..2],
        [
            "book/second/mail.md:1: a page without a prediction: \
             ask before a run, with `{{#predict ID}}`",
            "book/second/mail.md:1: a page without a run: show one with `{{#run CHAPTER/RUN}}`",
        ]
    );
    assert!(findings[2..].iter().all(|finding| finding.contains("it is not on book/second")));
}

#[test]
fn something_goes_wrong_on_a_page() {
    let more = "terms = [\"record\"] },\n  \
                { path = \"first/more.md\", question = \"?\", minutes = 9 },";
    let page =
        "# More\n\nYou will be able to go.\n\n## Recap\n\n## What goes wrong\n\n{{#faults}}\n";
    let book = complete()
        .replace(MANIFEST, "terms = [\"record\"] },", more)
        .replace(PAGE, "## What goes wrong\n\n{{#faults}}\n", "")
        .file("book/first/more.md", page)
        .replace(
            "book/SUMMARY.md",
            "(first/parcels.md)\n",
            "(first/parcels.md)\n- [More](first/more.md)\n",
        )
        .listed();
    let said = |book: &TestBook| {
        let mut said = book.all_findings();
        said.retain(|finding| finding.contains("goes wrong") || finding.contains("faults"));
        said
    };
    let nothing = format!(
        "book/first/more.md:1: a page on which nothing goes wrong: \
         let the step of a fault in {MANIFEST} stand here"
    );
    assert_eq!(said(&book), [nothing.as_str()]);
    let lines = book.read(PAGE).lines().count();
    let early = book.append(PAGE, "\n{{#faults}}\n");
    assert_eq!(
        said(&early),
        [
            nothing,
            format!("{PAGE}:{}: faults before the chapter's last page: move them there", lines + 2),
        ]
    );
}

#[test]
fn the_last_page_of_a_chapter_says_what_goes_wrong() {
    let book = complete();
    let lines = book.read(PAGE).lines().count();
    let without = book.replace(PAGE, "## What goes wrong\n\n{{#faults}}\n", "");
    assert_eq!(
        without.all_findings(),
        [format!(
            "{PAGE}:{}: a chapter's last page that does not say what goes wrong: \
             add `## What goes wrong` with `{{{{#faults}}}}` below it",
            lines - 3
        )]
    );
    let elsewhere = complete().replace(PAGE, "## What goes wrong", "## What else");
    let findings = elsewhere.all_findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].ends_with(": faults under another heading: put `## What goes wrong` above"),
        "{findings:?}"
    );
}

#[test]
fn a_chapter_has_an_exercise() {
    let book = complete()
        .replace(PAGE, "{{#exercise parcels/lost}}\n", "")
        .remove("chapters/parcels/exercises/lost/exercise.toml");
    assert_eq!(
        book.all_findings(),
        [format!(
            "{MANIFEST}:5: chapter `parcels` has no exercise: \
             add one in chapters/parcels/exercises/"
        )]
    );
}
