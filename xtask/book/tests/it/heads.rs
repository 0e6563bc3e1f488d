//! What a page's head says that its runs need.

use crate::books::{MANIFEST, PAGE, TestBook};

const RUNS: &str = r#"runs = [
  { name = "day", about = "A day.", topics = ["parcels:3"] },
  { name = "made", about = "A topic is made.", needs = ["admin"] },
  { name = "lost", about = "A broker is killed.", needs = ["kill"] },
  { name = "held", about = "A stranger is refused.", needs = ["acl"] },
]
faults = [
  { name = "gone", run = "lost", symptom = "It is gone.", cause = "A kill.", fix = "None.", step = "first/parcels.md", test = "gone" },
]
"#;

const ALWAYS: &str = "needs Rust, a C compiler and make";

/// What the head of a page with this text says, between the minutes and the page's own text.
fn needs(text: &str) -> String {
    let manifest = TestBook::sound().read(MANIFEST);
    let (before, rest) = manifest.split_once("runs = [").expect("the chapter has a run");
    let (_, after) = rest.split_once("]\n\n").expect("its runs end");
    let book = TestBook::sound()
        .file(MANIFEST, &format!("{before}{RUNS}\n{after}"))
        .file(PAGE, &format!("# Parcels\n\n{text}\n"));
    let built = book.built("first/parcels");
    let (_, facts) = built.split_once("<p>9 minutes · ").expect("the head has facts");
    facts.split("</p>").next().unwrap_or_default().to_owned()
}

#[test]
fn a_page_needs_what_its_runs_need_and_not_what_the_first_of_the_chapter_does() {
    assert_eq!(needs("`{{#command run parcels}}`"), ALWAYS);
    assert_eq!(
        needs("`{{#command run parcels lost}}`"),
        format!("{ALWAYS}; its run starts a real Kafka (Java 17 or newer, and Maven)")
    );
    assert_eq!(
        needs("`{{#command run parcels made}}`"),
        format!("{ALWAYS}; its run starts a real Kafka (Docker; or Java 17 or newer, and Maven)")
    );
    assert_eq!(
        needs("`{{#command run parcels held}}`"),
        format!("{ALWAYS}; its run wants a Kafka of yours")
    );
}

#[test]
fn runs_are_counted_once_each() {
    let java = "(Java 17 or newer, and Maven)";
    let commands = "`{{#command run parcels -- --fast}}`, `{{#command run parcels}}`, \
                    `{{#command break parcels gone}}`, `{{#command run parcels lost}}`";
    assert_eq!(needs(commands), format!("{ALWAYS}; 1 of its 2 runs starts a real Kafka {java}"));
    let all = format!(
        "{commands}\n\n{{{{#command run parcels made}}}} {{{{#command run parcels held}}}}"
    );
    assert_eq!(
        needs(&all),
        format!(
            "{ALWAYS}; 2 of its 4 runs start a real Kafka {java}; 1 of its 4 runs wants a Kafka of yours"
        )
    );
}

#[test]
fn runs_of_faults_and_of_other_chapters_count_where_they_stand() {
    let real = "its run starts a real Kafka (Java 17 or newer, and Maven)";
    assert_eq!(needs("{{#faults}}"), format!("{ALWAYS}; {real}"));
    assert_eq!(needs("`{{#command run mail}}`"), format!("{ALWAYS}; {real}"));
}

#[test]
fn a_page_without_runs_says_what_its_chapter_needs() {
    assert_eq!(
        needs("Nothing runs, not even `\\{{#command run parcels}}`."),
        format!(
            "{ALWAYS}; 2 of the chapter’s 4 runs start a real Kafka (Java 17 or newer, and Maven); \
             1 of the chapter’s 4 runs wants a Kafka of yours"
        )
    );
}
