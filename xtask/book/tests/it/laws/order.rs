//! Chapters, pages and the summary know each other.

use crate::books::{MANIFEST, PAGE, TestBook};

#[test]
fn a_page_stands_in_the_summary() {
    let summary = "# Summary\n\n[Introduction](introduction.md)\n[Glossary](appendix/glossary.md)\n\n\
                   - [Mail](second/mail.md)\n";
    assert_eq!(
        TestBook::sound().file("book/SUMMARY.md", summary).listed().findings(),
        [
            format!(
                "{PAGE}:1: this page is not in SUMMARY.md: \
                     add a line for it there, or delete the page"
            ),
            format!(
                "{PAGE}:18: chapter `parcels` has no number: \
                     name its first page in book/SUMMARY.md"
            ),
        ]
    );
}

#[test]
fn a_page_of_the_summary_exists() {
    let book = TestBook::sound().append("book/SUMMARY.md", "- [Bills](second/bills.md)\n");
    assert_eq!(
        book.findings(),
        ["book/SUMMARY.md:12: page book/second/bills.md does not exist: \
          write it, or remove this line"]
    );
    assert!(!book.refused().is_empty());
    assert!(!book.root().join("book/second/bills.md").exists(), "mdBook would have made it");
}

#[test]
fn the_summary_has_no_drafts_and_no_doubles() {
    let lines = "- [Bills]()\n- [Mail](second/mail.md)\n\n# Part I · Sending\n";
    assert_eq!(
        TestBook::sound().append("book/SUMMARY.md", lines).findings(),
        [
            "book/SUMMARY.md:12: `Bills` is a draft without a file: \
             write the page, or remove this line until it is written",
            "book/SUMMARY.md:13: page book/second/mail.md stands twice: \
             keep one line: this or line 11",
            "book/SUMMARY.md:15: part `Part I · Sending` stands twice: \
             move its pages under line 5",
        ]
    );
}

#[test]
fn a_chapters_title_is_that_of_the_summary() {
    assert_eq!(
        TestBook::sound().replace("book/SUMMARY.md", "[Parcels]", "[Boxes]").findings(),
        ["book/SUMMARY.md:7: the title `Boxes` is not that of chapters/parcels/Cargo.toml: \
          write `Parcels`, or change it there"]
    );
}

#[test]
fn a_chapter_has_a_page() {
    let manifest = "[package]\nname = \"bills\"\n\n[package.metadata.chapter]\ntitle = \"Bills\"\n";
    assert_eq!(
        TestBook::sound().file("chapters/bills/Cargo.toml", manifest).findings(),
        ["chapters/bills/Cargo.toml:4: chapter `bills` has no page: \
          write one and name it in `pages`"]
    );
    assert_eq!(
        TestBook::sound()
            .file("chapters/bills/Cargo.toml", "[package]\nname = \"bills\"\n")
            .findings(),
        ["chapters/bills/Cargo.toml:1: a crate under chapters/ with no \
          `[package.metadata.chapter]`: add title, pages and runs, or move the crate to xtask/"]
    );
}

#[test]
fn a_page_has_a_chapter() {
    let stray = TestBook::sound()
        .append("book/SUMMARY.md", "- [Bills](second/bills.md)\n- [Words](appendix/words.md)\n")
        .file("book/second/bills.md", "# Bills\n")
        .file("book/appendix/words.md", "# Words\n");
    assert_eq!(
        stray.listed().findings(),
        ["book/second/bills.md:1: a page of no chapter: \
          name it in `pages` of its chapter's Cargo.toml, or move it to book/appendix/"]
    );
}

#[test]
fn a_page_of_a_manifest_exists_and_belongs_to_one() {
    let more = "terms = [\"record\"] },\n  \
                { path = \"first/gone.md\", question = \"?\", minutes = 9 },\n  \
                { path = \"second/mail.md\", question = \"?\", minutes = 9 },";
    let book = TestBook::sound().replace(MANIFEST, "terms = [\"record\"] },", more);
    assert_eq!(
        book.findings(),
        [
            format!(
                "{MANIFEST}:9: page book/first/gone.md does not exist: \
                     write it, or correct the path"
            ),
            format!(
                "{MANIFEST}:10: page book/second/mail.md belongs to `mail` already: \
                     name it in one manifest only"
            ),
        ]
    );
}

#[test]
fn the_pages_of_a_chapter_stand_together() {
    let more = "terms = [\"record\"] },\n  \
                { path = \"first/more.md\", question = \"?\", minutes = 9 },";
    let book = TestBook::sound()
        .replace(MANIFEST, "terms = [\"record\"] },", more)
        .file("book/first/more.md", "# More\n\nYou will be able to go.\n\n## Recap\n\nDone.\n")
        .append("book/SUMMARY.md", "\n# Part III\n\n- [More](first/more.md)\n")
        .listed();
    assert_eq!(
        book.findings(),
        [format!(
            "book/SUMMARY.md:15: book/first/more.md does not follow book/first/parcels.md: \
             keep the order of `pages` in {MANIFEST}"
        )]
    );
}
