//! Questions can be asked, and are.

use crate::books::{PAGE, TestBook};
use crate::questions::{QUESTIONS, asking, recording};

/// The findings of the asking book in which one text of the questions is another.
fn with(from: &str, to: &str) -> Vec<String> {
    asking().replace(QUESTIONS, from, to).findings()
}

fn prediction(rest: &str) -> String {
    format!("{QUESTIONS}:1: question `mails`: {rest}")
}

fn quiz(rest: &str) -> String {
    format!("{QUESTIONS}:13: question `again`: {rest}")
}

/// A law that makes a question impossible to show also stops the build.
fn refused(book: &TestBook) {
    assert_eq!(book.refused(), book.findings());
}

#[test]
fn a_book_that_asks_has_no_findings() {
    assert_eq!(asking().findings(), [""; 0]);
}

#[test]
fn questions_have_a_page() {
    let stray = "book/first/boxes.questions.toml";
    assert_eq!(
        asking().file(stray, "").findings(),
        [format!("{stray}:1: questions of no page: name the file after its page, or delete it")]
    );
}

#[test]
fn a_question_is_placed() {
    assert_eq!(
        asking().replace(PAGE, "{{#quiz again}}\n", "").findings(),
        [quiz("it is not on book/first/parcels.md: write `{{#quiz again}}` there, or delete it")]
    );
}

#[test]
fn a_placed_question_is_defined() {
    let book = asking().append(PAGE, "\n{{#quiz agian}}\n\n{{#predict nothing-like-it}}\n");
    assert_eq!(
        book.findings(),
        [
            format!("{PAGE}:28: {QUESTIONS} defines no question `agian`: did you mean `again`?"),
            format!("{PAGE}:30: {QUESTIONS} defines no question `nothing-like-it`: write it there"),
        ]
    );
    refused(&book);
}

#[test]
fn a_prediction_is_no_quiz() {
    assert_eq!(
        asking().replace(PAGE, "{{#quiz again}}", "{{#predict again}}").findings(),
        [format!(
            "{PAGE}:26: question `again` is placed with `predict`: write `{{{{#quiz again}}}}`"
        )]
    );
}

#[test]
fn questions_and_runs_stand_once_on_a_page() {
    assert_eq!(
        asking().append(PAGE, "\n{{#quiz again}}\n\n{{#run mail/kill}}\n").findings(),
        [
            format!(
                "{PAGE}:28: question `again` stands twice on this page: keep one: this or line 26"
            ),
            format!(
                "{PAGE}:30: run `mail/kill` stands twice on this page: keep one: this or line 24"
            ),
        ]
    );
}

#[test]
fn an_id_is_unique_and_fits_an_address() {
    let twice = with("id = \"again\"", "id = \"mails\"");
    assert_eq!(
        twice[1],
        format!(
            "{QUESTIONS}:13: question `mails`: its id stands twice: \
                 give another to this one or to line 1"
        )
    );
    let capital = asking().replace(QUESTIONS, "id = \"again\"", "id = \"Again?\"").replace(
        PAGE,
        "{{#quiz again}}",
        "{{#quiz Again?}}",
    );
    assert_eq!(
        capital.findings(),
        [format!(
            "{QUESTIONS}:13: question `Again?`: its id cannot stand in an address: \
                  use small letters, digits and `-`"
        )]
    );
}

#[test]
fn a_misconception_is_known() {
    assert_eq!(
        with("\"reading-deletes\"", "\"reading-delets\""),
        [
            quiz("there is no misconception `reading-delets`: did you mean `reading-deletes`?"),
            "book/misconceptions.toml:5: no question tests `reading-deletes`: \
             ask one, or name the `chapter` that will be written about it"
                .into(),
        ]
    );
    let unknown = quiz("there is no misconception `acks`: add it to book/misconceptions.toml");
    assert_eq!(with("\"reading-deletes\"", "\"acks\"")[0], unknown);
}

#[test]
fn a_misconception_stands_once() {
    let again = "\n[[misconception]]\nid = \"mail-waits\"\nsays = \"It waits.\"\n";
    assert_eq!(
        asking().append("book/misconceptions.toml", again).findings(),
        ["book/misconceptions.toml:9: misconception `mail-waits` stands twice: \
          keep one: this or line 1"]
    );
}

#[test]
fn unknown_keys_are_refused_where_they_stand() {
    let book = asking().replace(QUESTIONS, "stop =", "stopp =");
    let findings = book.findings();
    assert!(findings[0].starts_with(&format!("{PAGE}:22: {QUESTIONS} defines no question")));
    let unknown = format!("{QUESTIONS}:6: unknown field `stopp`");
    assert!(findings.iter().any(|finding| finding.starts_with(&unknown)), "{findings:?}");
    let says = asking().replace("book/misconceptions.toml", "says = \"Mail", "sais = \"Mail");
    let findings = says.findings();
    assert!(
        findings
            .iter()
            .any(|finding| finding.starts_with("book/misconceptions.toml:3: unknown field `sais`"))
    );
}

#[test]
fn a_quiz_has_one_right_option() {
    let mend = "mark one with `right = true` and the others with `right = false`";
    assert_eq!(
        with("right = true", "right = false"),
        [quiz(&format!("0 options are right: {mend}"))]
    );
    assert_eq!(
        with("right = false", "right = true"),
        [quiz(&format!("2 options are right: {mend}"))]
    );
}

#[test]
fn a_prediction_has_one_option_with_the_recorded_value() {
    let book = asking().replace(QUESTIONS, "value = \"2\"", "value = \"1\"");
    assert_eq!(
        book.findings(),
        [prediction(
            "no option has the value `2`, which the recordings of mail/kill gives: \
             correct a `value`, or ask for something else"
        )]
    );
    refused(&book);
    assert_eq!(
        with("value = \"3\"", "value = \"2\""),
        [prediction("2 options have the value `2`: keep one of them")]
    );
}

#[test]
fn an_option_has_a_text_and_a_why() {
    assert_eq!(
        with("why = \"Nothing is taken.\"", "why = \" \""),
        [quiz("option b has no `why`: say what is so, and why somebody may hold this one")]
    );
    assert_eq!(
        with(", why = \"One packer is gone.\"", ""),
        [prediction("option a has no `why`: say what is so, and why somebody may hold this one")]
    );
    assert_eq!(
        with("text = \"Two.\"", "text = \"\""),
        [prediction("option b has no text: write one")]
    );
    assert_eq!(
        with("prompt = \"What is left?\"", "prompt = \"\""),
        [quiz("a question without a prompt: ask something")]
    );
}

#[test]
fn a_question_has_two_to_six_options() {
    let second = "  { right = false, text = \"Nothing.\", why = \"Nothing is taken.\" },\n";
    assert_eq!(with(second, ""), [quiz("it has 1 options: give it two to 6")]);
    assert_eq!(with(second, &second.repeat(5)), [""; 0]);
    assert_eq!(with(second, &second.repeat(6)), [quiz("it has 7 options: give it two to 6")]);
}

#[test]
fn a_text_is_one_paragraph_that_leads_to_pages() {
    let mend = "write words, `code`, *emphasis* and links only";
    for blocks in ["What?\\n\\nReally?", "# What?", "- a\\n- b", "> What?"] {
        let first = blocks.split("\\n").next().unwrap();
        assert_eq!(
            with("What is left?", blocks),
            [quiz(&format!("`{first}` is more than one paragraph: {mend}"))]
        );
    }
    assert_eq!(
        with("What is left?", "[What](../../chapters/mail/Cargo.toml)?"),
        [quiz(
            "link `../../chapters/mail/Cargo.toml` leads to no page: \
               link to a page, from the folder of this one"
        )]
    );
    assert_eq!(
        with("../second/mail.md#recap", "../second/mail.md#racap"),
        [prediction("book/second/mail.md has no heading `#racap`: did you mean `#recap`?")]
    );
    assert_eq!(
        with("What is left?", "What is {{#versoin kafka}}?"),
        [quiz("unknown directive `versoin`: did you mean `version`?")]
    );
    assert_eq!(
        with("What is left?", "{{#run mail/kill}}"),
        [quiz("`{{#run}}` cannot stand here: put it on the page")]
    );
    assert_eq!(
        with("What is left?", "What is {{#this"),
        [quiz("`{{#` that is no directive: close it with `}}`, or say it in words")]
    );
}

#[test]
fn a_text_types_nothing_that_has_another_source() {
    let line = |rest: &str| [format!("{QUESTIONS}:16: {rest}")];
    let asks = |prompt: &str| with("What is left?", prompt);
    assert_eq!(
        asks("What is left in chapter 2?"),
        line(
            "a chapter number is typed: `chapter 2`: write `{{#number mail}}`, or link to the page"
        )
    );
    assert_eq!(
        asks("What is left by Kafka 9.8.7?"),
        line("a version is typed: `9.8.7`: write `{{#version kafka}}`")
    );
    assert_eq!(
        asks("What does the run log say?"),
        line(
            "`run log` is a word of our machinery: \
             say what the reader sees: a recorded run, log lines, a test"
        )
    );
    assert_eq!(asks("What is chapter {{#number mail}}?"), [""; 0]);
}

#[test]
fn a_stop_is_a_moment_of_a_run_below() {
    assert_eq!(
        with("stop = \"killed\"", "stop = \"kiled\""),
        [prediction("the run has no moment `kiled`: did you mean `killed`?")]
    );
    assert_eq!(
        with("stop = \"killed\"", "stop = \"packed\""),
        [prediction("the run has no moment `packed`: its moments are killed")]
    );
    assert_eq!(
        with("stop = \"killed\"\n", ""),
        [prediction(
            "one of `run` and `stop` without the other: \
             give both, so that the run stops before that moment, or none"
        )]
    );
    let none = "book/first/parcels.md does not play mail/kill below it: \
                write `{{#run mail/kill}}` there";
    let below = asking().replace(PAGE, "\n{{#run mail/kill}}\n", "");
    assert_eq!(below.findings(), [prediction(none)]);
    let above = below.replace(PAGE, "{{#predict", "{{#run mail/kill}}\n\n{{#predict");
    assert_eq!(above.findings(), [prediction(none)]);
}

#[test]
fn an_answer_is_found_somewhere() {
    let answer = "{ run = \"mail/kill\", field = \"mails\" }";
    let of = |new: &str| with(answer, new);
    assert_eq!(
        of("{ run = \"mail/kil\", field = \"mails\" }"),
        [prediction("chapter `mail` declares no run `kil`: did you mean `kill`?")]
    );
    assert_eq!(
        of("{ run = \"mail/kill\", field = \"mail\" }"),
        [prediction(
            "the line `outcome` of chapters/mail/runs/kill/1.jsonl has no field `mail`: \
             use one of process, mails"
        )]
    );
    assert_eq!(
        of("{ run = \"mail/kill\", moment = \"kill\", field = \"mails\" }"),
        [prediction("the run has no moment `kill`: did you mean `killed`?")]
    );
    for form in ["{ run = \"mail/kill\" }", "{ file = \"a\", find = \"b\", moment = \"c\" }", "{}"]
    {
        assert_eq!(
            of(form),
            [prediction(
                "an answer that is found nowhere: \
                 write `{ run, field }`, `{ run, moment, field }`, `{ file, find }` or \
                 `{ claim, find }`"
            )]
        );
    }
}

#[test]
fn an_answer_in_a_file_is_found_once_and_tested() {
    let file = "chapters/mail/tests/it/output/late.txt";
    let of = |file: &str, find: &str| {
        let answer = "{ run = \"mail/kill\", field = \"mails\" }";
        asking()
            .file("chapters/mail/tests/it/output/late.txt", "packed 2 of 2\npacked 3 of 3\n")
            .replace(QUESTIONS, answer, &format!("{{ file = \"{file}\", find = '{find}' }}"))
            .findings()
    };
    assert_eq!(of(file, "(\\d) of 2"), [""; 0]);
    assert_eq!(
        of("README.md", "(2)"),
        [prediction(
            "README.md is not the output of a test: \
                     name a file below `tests/` of a chapter"
        )]
    );
    assert_eq!(
        of(file, "packed (\\d)"),
        [prediction(&format!(
            "`packed (\\d)` finds `2` and `3` in {file}: say more of the line that is meant"
        ))]
    );
    assert_eq!(
        of(file, "mailed (\\d)"),
        [prediction(&format!("`mailed (\\d)` finds nothing in {file}: correct the expression"))]
    );
    let mend = "give it one pair of parentheses, around what the options' values are";
    assert_eq!(of(file, "2 of"), [prediction(&format!("`2 of` captures nothing: {mend}"))]);
    assert_eq!(
        of(file, "(2"),
        [prediction(&format!("`(2` is no regular expression (error: unclosed group): {mend}"))]
    );
    let gone = of("chapters/mail/tests/gone.txt", "(2)");
    assert!(gone[0].contains("chapters/mail/tests/gone.txt cannot be read"), "{gone:?}");
}

#[test]
fn an_answer_behind_a_claim_stands_in_its_test() {
    let tests = "mod sent {\n    /// claim: sent-twice\n    #[test]\n    fn twice() {\n        \
                 if true {\n            assert_eq!(mails, 2);\n        }\n    }\n\n    \
                 #[test]\n    fn more() {\n        assert_eq!(parcels, 3);\n    }\n}\n";
    let of = |claim: &str, find: &str| {
        let answer = "{ run = \"mail/kill\", field = \"mails\" }";
        asking()
            .file("chapters/parcels/src/tests.rs", tests)
            .append(PAGE, "\nTwo go.{{#claim sent-twice}}\n")
            .replace(QUESTIONS, answer, &format!("{{ claim = \"{claim}\", find = '{find}' }}"))
            .findings()
    };
    assert_eq!(of("sent-twice", "mails, (\\d)"), [""; 0]);
    assert_eq!(
        of("sent-twice", "parcels, (\\d)"),
        [prediction(
            "`parcels, (\\d)` finds nothing in the test `tests::sent::twice`: \
                     correct the expression"
        )]
    );
    assert_eq!(
        of("sent-once", "(2)"),
        [prediction("no test carries the claim `sent-once`: did you mean `sent-twice`?")]
    );
}

#[test]
fn an_answer_is_the_same_in_every_recording() {
    let second = "chapters/mail/runs/kill/2.jsonl";
    assert_eq!(
        asking().file(second, &recording(3)).findings(),
        [prediction(&format!(
            "`mails` is 2 in one recording and 3 in {second}: \
             ask for something that is the same in every run"
        ))]
    );
    let without = recording(2).replace("\"outcome\"", "\"ended\"");
    assert_eq!(
        asking().file(second, &without).findings(),
        [prediction(&format!(
            "{second} has no outcome line: name a moment instead: \
             `answer = {{ run = …, moment = …, field = … }}`"
        ))]
    );
}
