//! What each directive becomes on a built page.

use book::markdown::outline;

use crate::books::{MANIFEST, PAGE, TestBook, anchored};

/// The built page with this text under its title and head.
fn page(text: &str) -> String {
    let book = TestBook::sound().file(PAGE, &format!("# Parcels\n\n{text}\n"));
    let built = book.built("first/parcels");
    let body = built.split("</div>\n").nth(1).expect("the head ends with the facts");
    body.trim().to_owned()
}

#[test]
fn the_sound_book() {
    insta::assert_snapshot!(TestBook::sound().built("first/parcels"));
}

#[test]
fn a_head_with_needs_and_a_page_to_read_first() {
    insta::assert_snapshot!(TestBook::sound().built("second/mail"));
}

#[test]
fn versions_and_numbers() {
    insta::assert_snapshot!(page(
        "Kafka {{#version kafka}}, librdkafka {{#version librdkafka}} in `rdkafka-sys` \
         {{#version rdkafka-sys}}, Rust {{#version rust}}.\n\n```toml\nrdkafka = \"{{#version \
         rdkafka}}\"\n```\n\nChapters {{#number parcels}} and {{#number mail}}."
    ));
}

#[test]
fn a_path_of_chapters() {
    insta::assert_snapshot!(page("Read {{#path parcels mail}}."));
}

#[test]
fn commands() {
    insta::assert_snapshot!(page(
        "```console\n{{#command run mail}}\n{{#command run mail --broker local -- --slow}}\n\
         {{#command test mail}}\n{{#command test}}\n{{#command copy parcels}} ../my-app\n\
         {{#command kafka up --broker docker}}\n{{#command doctor}}\n{{#command new bills}}\n```"
    ));
}

#[test]
fn escaped_directives() {
    insta::assert_snapshot!(page(
        "Write \\{{#version kafka}} or `\\{{#include a.rs:b}}`:\n\n```text\n\\{{#run a/b}}\n```"
    ));
}

#[test]
fn snippets_in_lists_and_quotes_keep_their_indentation() {
    insta::assert_snapshot!(page(
        "1. First:\n\n   ```rust\n   {{#include ../../chapters/parcels/src/lib.rs:send}}\n   ```\n\n\
         2. ```rust\n   {{#include ../../chapters/parcels/src/lib.rs:send}}\n   ```\n   Second.\n\n\
         > ```rust\n> {{#include ../../chapters/parcels/src/lib.rs:send}}\n> ```\n> Third."
    ));
}

#[test]
fn a_whole_file_and_two_parts_in_one_block() {
    let text = "```rust\n{{#include ../../chapters/parcels/src/lib.rs}}\n```\n\n\
                ```toml\n{{#include ../../chapters/parcels/Cargo.toml:runs}}\n\n\
                # and the client\n{{#include ../../chapters/parcels/Cargo.toml:client}}\n```";
    let manifest = "chapters/parcels/Cargo.toml";
    let book = TestBook::sound()
        .file(PAGE, &format!("# Parcels\n\n{text}\n"))
        .replace(manifest, "runs = [", &anchored("# @: runs\nruns = ["))
        .replace(manifest, "]\n\n[dep", &anchored("]\n# @_END: runs\n\n[dep"))
        .replace(manifest, "rdkafka = ", &anchored("# @: client\nrdkafka = "))
        .append(manifest, &anchored("# @_END: client\n"));
    insta::assert_snapshot!(book.built("first/parcels"));
}

#[test]
fn markdown_is_included_as_markdown() {
    let book = TestBook::sound()
        .file("chapters/parcels/README.md", "A *parcel* is sent.\n")
        .file(PAGE, "# Parcels\n\n{{#include ../../chapters/parcels/README.md}}\n");
    assert!(book.built("first/parcels").contains("<p>A <em>parcel</em> is sent.</p>"));
}

#[test]
fn a_link_to_a_file_of_the_repository_becomes_its_name() {
    insta::assert_snapshot!(page(
        "See [the code](../../chapters/parcels/src/lib.rs) and \
         [`chapters/parcels/src/lib.rs`](../../chapters/parcels/src/lib.rs), \
         [the mail](../second/mail.md), [Kafka](https://kafka.apache.org/)."
    ));
}

#[test]
fn code_that_shows_directives_is_not_expanded() {
    let code = "chapters/parcels/src/lib.rs";
    let book = TestBook::sound().replace(code, "/// Sends it.", "/// Sends {{#version kafka}}.");
    assert!(book.built("first/parcels").contains("/// Sends {{#version kafka}}."));
}

#[test]
fn headings_get_the_ids_that_mdbook_gives_them() {
    let text = "# Parcels\n\n## A `commit` names the *next* record\n\n## What's \"wrong\" -- here?\n\n\
                ## Twice\n\n### Twice\n\n## Twice-1\n\n## Kafka {{#version kafka}}\n\n## Given {#own}\n\n\
                ## Größe…\n";
    let book = TestBook::sound().file(PAGE, text);
    let html = book.built("first/parcels");
    let ids: Vec<&str> = html
        .split("<h")
        .filter_map(|heading| heading.split_once(" id=\""))
        .filter_map(|(level, rest)| level.parse::<u8>().ok().and(rest.split('"').next()))
        .collect();
    let expanded = text.replace("{{#version kafka}}", "9.8.7");
    let ours = outline(&expanded);
    let ours: Vec<&str> = ours.headings.iter().map(|heading| heading.id.as_str()).collect();
    assert_eq!(ours, ids);
    assert_eq!(ids.len(), 9);
}

#[test]
fn what_mdbook_warns_of_is_refused() {
    let book = TestBook::sound().append(PAGE, "\n<div>never closed\n");
    let refused = book.refused();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].starts_with("book.toml:1: mdBook warns: unclosed HTML tag `<div>`"));
}

#[test]
fn nothing_is_fetched_while_reading() {
    let book = TestBook::sound();
    assert_eq!(book.refused(), [""; 0]);
    let folder = book.root().join("target/book");
    let mut pages = 0;
    for path in ["index.html", "first/parcels.html", "second/mail.html", "404.html", "print.html"] {
        let html = std::fs::read_to_string(folder.join(path)).expect("the page was built");
        for tag in html.split('<').filter(|tag| tag.starts_with("link") || tag.contains(" src=")) {
            assert!(!tag.contains("//"), "{path} fetches <{tag}");
        }
        pages += 1;
    }
    assert_eq!(pages, 5);
}

#[test]
fn a_raw_directive_on_a_built_page_is_refused() {
    let raw = |book: TestBook| book.refused();
    let mend = "escape the others with a backslash or correct them";
    let included = TestBook::sound()
        .file("chapters/parcels/README.md", "Kafka {{#version kafka}}.\n")
        .append(PAGE, "\n`\\{{#x}}`\n\n{{#include ../../chapters/parcels/README.md}}\n");
    assert_eq!(
        raw(included),
        [format!("{PAGE}:1: the built page shows 2 raw `{{{{#`, 1 are meant: {mend}")]
    );
    let question = TestBook::sound().replace(MANIFEST, "Who?", "Who sends {{#version kafka}}?");
    assert_eq!(
        raw(question),
        [format!("{PAGE}:1: the built page shows 1 raw `{{{{#`, 0 are meant: {mend}")]
    );
}

/// The sound book with recordings, moments, and a page that shows them.
fn recorded(recordings: &[&str], moments: &str) -> TestBook {
    let header = r#"{"chapter":"mail","run":"kill","broker":"local","kafka":"9.8.7","librdkafka":"2.12.1","topics":["orders:3"],"recorded":"2026-05-14"}"#;
    let mut book = TestBook::sound()
        .file("chapters/mail/runs/kill/moments.toml", moments)
        .file(PAGE, "# Parcels\n\nLook:\n{{#run mail/kill}}\nSeen.\n");
    for (at, lines) in recordings.iter().enumerate() {
        let path = format!("chapters/mail/runs/kill/{}.jsonl", at + 1);
        book = book.file(&path, &format!("{header}\n{lines}"));
    }
    book
}

const LINES: &str = r#"{"t_ms":0,"message":"produced","process":"checkout","topic":"orders","partition":1,"key":"```"}
{"t_ms":1250,"level":"warn","message":"killed","process":"operator","victim":"</script><!-- <packer-2>"}
"#;

const OTHER_ORDER: &str = r#"{"t_ms":0,"message":"killed","process":"operator","victim":"packer-2"}
"#;

const KILLED: &str = "[[moments]]\nname = \"killed\"\ncaption = \"A <packer> is killed.\"\n\
                      when = { message = \"killed\" }\n";

#[test]
fn a_recorded_run() {
    insta::assert_snapshot!(recorded(&[LINES, OTHER_ORDER], KILLED).built("first/parcels"));
}

/// The data of the `n`th script of a page.
pub fn data(page: &str, n: usize) -> serde_json::Value {
    let script = page.split("<script type=\"application/json\">").nth(n).expect("a script");
    let json = script.split("</script>").next().expect("a script ends");
    serde_json::from_str(json).expect("the data are JSON")
}

#[test]
fn the_data_of_a_run_are_what_was_recorded() {
    let book = recorded(&[LINES, OTHER_ORDER], KILLED).replace(
        "chapters/mail/Cargo.toml",
        "name = \"kill\",",
        "name = \"kill\", title = \"Kill\",",
    );
    let run = data(&book.built("first/parcels"), 1);
    insta::assert_json_snapshot!(run);
}

#[test]
fn the_data_of_a_run_are_not_searched_and_have_no_double_ids_in_print() {
    let book = recorded(&[LINES], KILLED)
        .append("book/second/mail.md", "\n{{#run mail/kill}}\n")
        .replace("book.toml", "enable = false", "enable = true");
    assert_eq!(book.refused(), [""; 0]);
    let index = book.read_built("searchindex");
    assert!(index.contains("is killed"), "captions are found");
    assert!(!index.contains("u003c") && !index.contains("t_ms"), "data are not");
    let print = book.read("target/book/print.html");
    for id in ["run-mail-kill", "run-mail-kill-1"] {
        assert_eq!(print.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
}

#[test]
fn a_recording_that_cannot_be_shown_is_refused() {
    let refused = |book: TestBook| {
        let refused = book.refused();
        assert_eq!(refused.len(), 1, "{refused:?}");
        refused[0].clone()
    };
    let never = "[[moments]]\nname = \"gone\"\ncaption = \"?\"\nwhen = { message = \"gone\" }\n";
    insta::assert_snapshot!(refused(recorded(&[LINES], never)));
    insta::assert_snapshot!(refused(recorded(&["no line\n"], "")));
    insta::assert_snapshot!(refused(recorded(&[LINES], "[[moment]]")));
    let copied = recorded(&[LINES], "");
    let text = copied.read("chapters/mail/runs/kill/1.jsonl");
    let copied = copied
        .file("chapters/parcels/runs/day/1.jsonl", &text)
        .file(PAGE, "# Parcels\n\n{{#run parcels/day}}\n");
    insta::assert_snapshot!(refused(copied));
}

#[test]
fn what_pages_are_made_from_is_not_in_the_book() {
    let book = TestBook::sound()
        .file("book/widgets/play.js", "'use strict';")
        .file("book/widgets/tests/play.test.js", "'use strict';")
        .file("book/theme/book.css", "p { margin: 0 }")
        .file("book/notes.toml", "says = \"for writers\"")
        .file("book/images/kept.svg", "<svg></svg>")
        .replace(
            "book.toml",
            "[output.html.playground]",
            "[output.html]\nadditional-js = [\"book/widgets/play.js\"]\nhash-files = false\n\n\
             [output.html.playground]",
        );
    book.built("first/parcels");
    let there = |path: &str| book.root().join("target/book").join(path).exists();
    assert!(there("book/widgets/play.js") && there("images/kept.svg"));
    for gone in ["widgets", "theme", "notes.toml", "book/widgets/tests"] {
        assert!(!there(gone), "{gone} is in the built book");
    }
}

#[test]
fn what_a_reader_can_try() {
    let declared = r#"
[[package.metadata.chapter.try]]
name = "send"
title = "Send <one>"
about = "Change it & see."
inputs = [
  { name = "parcel", label = "A parcel", kind = "json", default_file = "parcel.json" },
  { name = "note", label = "A note", kind = "text", default = "</script> &\n\nDear \"you\"" },
  { name = "count", label = "Count", kind = "number", min = 1, max = 9, default = 3 },
  { name = "way", label = "Way", kind = "choice", options = ["road", "rail & ship"], default = "rail & ship" },
]
"#;
    let book = TestBook::sound()
        .append(MANIFEST, declared)
        .file("chapters/parcels/parcel.json", "{\n  \"id\": 7,\n\n  \"to\": \"<you>\"\n}\n")
        .file(PAGE, "# Parcels\n\nBefore.\n\n{{#try parcels/send}}\n\nAfter.\n");
    insta::assert_snapshot!(book.built("first/parcels"));
}
