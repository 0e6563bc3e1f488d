//! Each law of `book check`, on a book that breaks it.
//!
//! Each test changes the sound book in one way and expects the whole list of findings, so that a
//! law neither misses its case nor speaks where another one should.

use crate::books::{CODE, LINES, MANIFEST, PAGE, TestBook, anchored};

/// The sound book with text after its page's last line.
fn with(text: &str) -> TestBook {
    TestBook::sound().append(PAGE, text)
}

/// The line of the `n`th appended line of the page.
fn line(n: usize, rest: &str) -> String {
    format!("{PAGE}:{}: {rest}", LINES + n)
}

fn include(target: &str) -> String {
    format!("\n```rust\n{{{{#include {target}}}}}\n```\n")
}

#[test]
fn a_sound_book_has_no_findings() {
    assert_eq!(TestBook::sound().findings(), [""; 0]);
    assert_eq!(TestBook::sound().read(PAGE).lines().count(), LINES);
}

// Snippets

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

// Directives

#[test]
fn a_directive_is_known() {
    assert_eq!(
        with("\n{{#verzion kafka}}\n").findings(),
        [line(2, "unknown directive `verzion`: did you mean `version`?")]
    );
    assert_eq!(
        with("\n{{#playground a.rs}}\n").findings(),
        [line(
            2,
            "unknown directive `playground`: \
             use one of command, include, number, run, version, or escape it with a backslash"
        )]
    );
}

#[test]
fn a_directive_is_closed() {
    assert_eq!(
        with("\nKafka {{#version kafka\n").findings(),
        [line(2, "a directive without its `}}`: close it on this line")]
    );
}

#[test]
fn an_escaped_directive_is_text() {
    assert_eq!(with("\nWrite `\\{{#nothing like this}}`.\n").findings(), [""; 0]);
}

#[test]
fn a_version_has_a_source() {
    assert_eq!(
        with("\n{{#version kafak}}\n").findings(),
        [line(2, "no version of `kafak` is known: did you mean `kafka`?")]
    );
}

#[test]
fn a_command_is_one_of_xtask() {
    assert_eq!(
        with(
            "\n{{#command rnu parcels}}\n{{#command run parzels}}\n{{#command kafka upp}}\n\
             {{#command run parcels dya}}\n{{#command run parcels day -- 9}}\n"
        )
        .findings(),
        [
            line(2, "`cargo xtask` has no verb `rnu`: did you mean `run`?"),
            line(3, "there is no chapter `parzels`: did you mean `parcels`?"),
            line(4, "`cargo xtask kafka` knows no `upp`: use one of up, down, status, logs"),
            line(5, "chapter `parcels` declares no run `dya`: did you mean `day`?"),
        ]
    );
}

#[test]
fn a_number_is_that_of_a_chapter() {
    assert_eq!(
        with("\nChapter {{#number sagas}}.\n").findings(),
        [line(2, "there is no chapter `sagas`: use the name of a folder under chapters/")]
    );
}

#[test]
fn a_run_is_declared() {
    assert_eq!(
        with("\n{{#run parcels/dya}}\n").findings(),
        [line(2, "chapter `parcels` declares no run `dya`: did you mean `day`?")]
    );
}

#[test]
fn a_run_was_recorded() {
    assert_eq!(
        with("\n{{#run parcels/day}}\n").findings(),
        [line(
            2,
            "the run parcels/day was never recorded: make it with `cargo xtask record parcels`"
        )]
    );
}

#[test]
fn a_run_stands_alone() {
    assert_eq!(
        with("\nSee {{#run parcels/day}}\n").findings(),
        [line(2, "`{{#run}}` inside other text: put it on a line of its own, outside of code")]
    );
}

// Order

#[test]
fn a_page_stands_in_the_summary() {
    let summary = "# Summary\n\n[Introduction](introduction.md)\n\n- [Mail](second/mail.md)\n";
    assert_eq!(
        TestBook::sound().file("book/SUMMARY.md", summary).findings(),
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
        stray.findings(),
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
        .append("book/SUMMARY.md", "- [More](first/more.md)\n");
    assert_eq!(
        book.findings(),
        [format!(
            "book/SUMMARY.md:12: book/first/more.md does not follow book/first/parcels.md: \
             keep the order of `pages` in {MANIFEST}"
        )]
    );
}

// Links

#[test]
fn a_link_leads_to_a_page() {
    assert_eq!(
        with(
            "\n[a](../second/mial.md)\n[b](../nothing/at/all.md)\n[c](/second/mail.md)\n\
             [d](../../../away.md)\n[e](../second/mail.html)\n<a href=\"gone.md\">f</a>\n\
             [g](https://kafka.apache.org/)\n[h][nowhere]\n"
        )
        .findings(),
        [
            line(2, "dead link `../second/mial.md`: did you mean book/second/mail.md?"),
            line(3, "dead link `../nothing/at/all.md`: there is no book/nothing/at/all.md"),
            line(
                4,
                "dead link `/second/mail.md`: \
                     begin it at this page: the book may stand below any address"
            ),
            line(5, "dead link `../../../away.md`: it leads out of the workspace"),
            line(6, "dead link `../second/mail.html`: link to the .md file"),
            line(7, "dead link `gone.md`: there is no book/first/gone.md"),
            line(
                9,
                "link `[h][nowhere]` has no target: \
                     define the reference, or write `[text](page.md)`"
            ),
        ]
    );
}

#[test]
fn a_link_leads_to_a_heading() {
    assert_eq!(
        with("\n[a](../second/mail.md#recaps) [b](#a-parcel-is-send) [c](#recap)\n").findings(),
        [
            line(
                2,
                "book/first/parcels.md has no heading `#a-parcel-is-send`: \
                     did you mean `#a-parcel-is-sent`?"
            ),
            line(2, "book/second/mail.md has no heading `#recaps`: did you mean `#recap`?"),
        ]
    );
}

#[test]
fn a_link_to_a_file_leads_to_one() {
    assert_eq!(
        with("\n[a](../../chapters/parcels/src/lib.rs) [b](../../chapters/parcels/src/b.rs)\n")
            .findings(),
        [line(
            2,
            "dead link `../../chapters/parcels/src/b.rs`: \
                  there is no chapters/parcels/src/b.rs"
        )]
    );
}

// What is typed

#[test]
fn no_version_is_typed() {
    assert_eq!(
        with(
            "\nKafka 9.8 and rdkafka `0.39`, librdkafka v2.12.1.\nThis is 1.2.3.\n\
             ```toml\nrdkafka = \"0.39\"\n```\nRust 1.95\n"
        )
        .findings(),
        [
            line(2, "a version is typed: `0.39`: write `{{#version rdkafka}}`"),
            line(2, "a version is typed: `2.12.1`: write `{{#version librdkafka}}`"),
            line(2, "a version is typed: `9.8`: write `{{#version kafka}}`"),
            line(3, "a version is typed: `1.2.3`: write `{{#version NAME}}`"),
            line(5, "a version is typed: `0.39`: write `{{#version rdkafka}}`"),
            line(7, "a version is typed: `1.95`: write `{{#version rust}}`"),
        ]
    );
}

#[test]
fn numbers_that_are_no_versions_may_be_typed() {
    let text = "\nAt 127.0.0.1 it takes 1.1 s, in Kafka 1.5 ms.\nTransactions since Kafka 0.11, \
                headers since 0.11.0.\nSee <https://example.org/1.2.3/>.\n";
    assert_eq!(with(text).findings(), [""; 0]);
}

#[test]
fn no_chapter_number_is_typed() {
    assert_eq!(
        with("\nSee chapter 2, and\nChapter\n9.\n").findings(),
        [
            line(
                2,
                "a chapter number is typed: `chapter 2`: \
                     write `{{#number mail}}`, or link to the page"
            ),
            line(
                3,
                "a chapter number is typed: `Chapter 9`: \
                     write `{{#number SLUG}}`, or link to the page"
            ),
        ]
    );
}

#[test]
fn no_command_is_typed_with_a_number_or_a_wrong_verb() {
    assert_eq!(
        with(
            "\n```console\ncargo xtask run chapter 1\ncargo xtask test 2\ncargo xtask rum\n\
              cargo xtask doctor\n```\n"
        )
        .findings(),
        [
            line(
                3,
                "a chapter number is typed: `cargo xtask run chapter 1`: \
                     write `{{#command run parcels}}`"
            ),
            line(
                4,
                "a chapter number is typed: `cargo xtask test 2`: \
                     write `{{#command test mail}}`"
            ),
            line(5, "`cargo xtask` has no verb `rum`: did you mean `run`?"),
        ]
    );
}

// Form

#[test]
fn a_page_has_a_title_and_a_recap() {
    assert_eq!(
        TestBook::sound()
            .file("book/second/mail.md", "Mail\n\nYou will be able to read.\n\n## Recaps\n")
            .findings(),
        [
            format!(
                "{PAGE}:13: book/second/mail.md has no heading `#recap`: \
                     did you mean `#recaps`?"
            ),
            "book/second/mail.md:1: a page without a title: begin it with `# Title`".into(),
            "book/second/mail.md:5: a page without a recap: \
             add `## Recap` with at most five sentences"
                .into(),
        ]
    );
}

#[test]
fn a_page_says_what_the_reader_will_be_able_to_do() {
    let promise = "You will be able to send one.\n";
    assert_eq!(
        TestBook::sound().replace(PAGE, promise, "").findings(),
        [format!(
            "{PAGE}:1: a page that promises nothing: add `You will be able to` \
             with one to three points above the first `##`"
        )]
    );
    let four = "You will be able to\n\n- a\n- b\n- c\n- d\n";
    assert_eq!(
        TestBook::sound().replace(PAGE, promise, four).findings(),
        [format!("{PAGE}:5: a page that promises 4 things: keep the three that matter most")]
    );
}

#[test]
fn a_page_has_at_most_2000_words() {
    let words =
        |count: usize| format!("\n{}\n```\n{}\n```\n", "word ".repeat(count), "code ".repeat(99));
    let have = 40;
    assert_eq!(with(&words(2000 - have)).findings(), [""; 0]);
    assert_eq!(
        with(&words(2001 - have)).findings(),
        [format!("{PAGE}:1: a page of 2001 words: leave 2000 or split it in two")]
    );
}

#[test]
fn a_page_introduces_at_most_five_terms() {
    let terms = r#"terms = ["a", "b", "c", "d", "e", "f"]"#;
    assert_eq!(
        TestBook::sound().replace(MANIFEST, r#"terms = ["record"]"#, terms).findings(),
        [format!(
            "{MANIFEST}:8: book/first/parcels.md introduces 6 terms: \
                  leave 5 or split the page"
        )]
    );
}

#[test]
fn words_of_our_machinery_stay_out() {
    let mend = "say what the reader sees: a recorded run, log lines, a test";
    let book = with("\nThe run\nlog, or Run logs; not run logging.\n").replace(
        MANIFEST,
        "A day of parcels.",
        "A scenario group.",
    );
    assert_eq!(
        book.findings(),
        [
            line(2, &format!("`run\nlog` is a word of our machinery: {mend}")),
            line(3, &format!("`Run logs` is a word of our machinery: {mend}")),
            format!("{MANIFEST}:5: `scenario group` is a word of our machinery: {mend}"),
        ]
    );
}

#[test]
fn a_manifest_says_what_it_needs() {
    let runs = r#"runs = [
  { name = "day", needs = ["wings"], about = "A day." },
"#;
    let old = r#"runs = [
  { name = "day", about = "A day of parcels.", topics = ["parcels:3"] },
"#;
    let findings = TestBook::sound().replace(MANIFEST, old, runs).findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].starts_with(&format!("{MANIFEST}:8: run `day`: unknown need \"wings\"")));
}

// All at once

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
