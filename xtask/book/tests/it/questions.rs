//! Questions on a built page, and a book that asks some.

use crate::books::{PAGE, SOURCES, TestBook};
use crate::pages::data;

/// The file with the questions of [`PAGE`].
pub const QUESTIONS: &str = "book/first/parcels.questions.toml";

const MISCONCEPTIONS: &str = r#"[[misconception]]
id = "mail-waits"
says = "Mail waits for a packer."

[[misconception]]
id = "reading-deletes"
says = "Reading deletes."
"#;

const ASKED: &str = r#"[[prediction]]
id = "mails"
misconception = "mail-waits"
prompt = "How *many* <b>mails</b> are sent with Kafka {{#version kafka}}?"
run = "mail/kill"
stop = "killed"
answer = { run = "mail/kill", field = "mails" }
options = [
  { value = "3", text = "All `3`: see [the mail](../second/mail.md#recap).", why = "One packer is gone." },
  { value = "2", text = "Two.", why = "The third had no packer </script>." },
]

[[quiz]]
id = "again"
misconception = "reading-deletes"
prompt = "What is left?"
options = [
  { right = true, text = "All.", why = "It isn't a queue." },
  { right = false, text = "Nothing.", why = "Nothing is taken." },
]
"#;

/// A run of mail with this many mails sent at its end.
pub fn recording(mails: u32) -> String {
    format!(
        r#"{{"chapter":"mail","run":"kill","broker":"local","kafka":"9.8.7","recorded":"2026-05-14",{SOURCES}}}
{{"t_ms":0,"message":"killed","process":"operator","victim":"packer-2"}}
{{"t_ms":9,"message":"outcome","process":"shop","mails":{mails}}}
"#
    )
}

/// The sound book, with a prediction above a run and a quiz below it.
pub fn asking() -> TestBook {
    TestBook::sound()
        .file("book/misconceptions.toml", MISCONCEPTIONS)
        .file(QUESTIONS, ASKED)
        .file("chapters/mail/runs/kill/1.jsonl", &recording(2))
        .file("chapters/mail/runs/kill/2.jsonl", &recording(2))
        .file(
            "chapters/mail/runs/kill/moments.toml",
            "[[moments]]\nname = \"killed\"\ncaption = \"One dies.\"\nwhen = { message = \"killed\" }\n",
        )
        .append(PAGE, "\n{{#predict mails}}\n\n{{#run mail/kill}}\n\n{{#quiz again}}\n")
}

/// The same book, whose other page asks, too, and shows the run that answers.
pub fn asking_everywhere() -> TestBook {
    let (prediction, _) = ASKED.split_once("\n[[quiz]]").expect("the prediction comes first");
    asking()
        .file("book/second/mail.questions.toml", &prediction.replace("../second/mail.md", ""))
        .append("book/second/mail.md", "\n{{#predict mails}}\n\n{{#run mail/kill}}\n")
}

/// The built page from its first question on.
fn asked(book: &TestBook) -> String {
    let page = book.built("first/parcels");
    let at = page.find("<section").expect("the page asks");
    page[at..].to_owned()
}

#[test]
fn a_prediction_a_run_that_waits_for_it_and_a_quiz() {
    let prompt = "prompt = \"What is left?\"\n";
    let back = format!("{prompt}from = \"second/mail.md\"\n");
    insta::assert_snapshot!(asked(&asking().replace(QUESTIONS, prompt, &back)));
}

#[test]
fn a_run_stops_for_its_predictions_only() {
    let page = asking().built("first/parcels");
    let stops = serde_json::json!([{ "moment": "killed", "question": "first/parcels.md#mails" }]);
    assert_eq!(data(&page, 2)["stops"], stops);
    let other = asking().append("book/second/mail.md", "\n{{#run mail/kill}}\n");
    assert_eq!(data(&other.built("second/mail"), 1)["stops"], serde_json::json!([]));
}

#[test]
fn whats_right_is_what_was_recorded() {
    let right = |book: &TestBook| data(&book.built("first/parcels"), 1)["right"].clone();
    let book = asking();
    assert_eq!(right(&book), 1);
    let book = book
        .file("chapters/mail/runs/kill/1.jsonl", &recording(3))
        .file("chapters/mail/runs/kill/2.jsonl", &recording(3));
    assert_eq!(right(&book), 0, "another recording, another answer");
}

#[test]
fn an_answer_may_stand_in_a_moment_or_in_a_tested_output() {
    let answer = "answer = { run = \"mail/kill\", field = \"mails\" }";
    let right = |new: &str, value: &str| {
        let book = asking()
            .file("chapters/mail/tests/it/output/late.txt", "packed 2 of 2\nmailed 17 of 20\n")
            .replace(QUESTIONS, answer, new)
            .replace(QUESTIONS, "value = \"2\"", &format!("value = \"{value}\""));
        data(&book.built("first/parcels"), 1)["right"].clone()
    };
    let moment = "answer = { run = \"mail/kill\", moment = \"killed\", field = \"victim\" }";
    assert_eq!(right(moment, "packer-2"), 1);
    let file =
        "answer = { file = \"chapters/mail/tests/it/output/late.txt\", find = 'mailed (\\d+)' }";
    assert_eq!(right(file, "17"), 1);
}

#[test]
fn html_in_a_text_is_shown_as_text_on_the_page_and_in_the_data() {
    let page = asking().built("first/parcels");
    assert!(page.contains("How <em>many</em> &lt;b&gt;mails&lt;/b&gt; are sent with Kafka 9.8.7?"));
    let whys = &data(&page, 1)["whys"];
    assert_eq!(whys[1], "The third had no packer &lt;/script&gt;.");
}
