//! What the faults of a chapter name exists.

use super::{line, with};
use crate::books::{MANIFEST, TestBook};

pub const FAULTS: &str = r##"faults = [
  { name = "late", run = "day", symptom = "A parcel is `late`.", cause = "It waits | sleeps.", fix = "Wake it.", step = "first/parcels.md#a-parcel-is-sent", test = "faults::late" },
]
"##;

const TEST: &str = "mod faults {\n    #[test]\n    fn late() {}\n\n    fn early() {}\n}\n";

/// The sound book with faults, and a page that shows them.
pub fn faulty(faults: &str) -> TestBook {
    with("\n## What goes wrong\n\n{{#faults}}\n")
        .replace(MANIFEST, "\n[dependencies]", &format!("{faults}\n[dependencies]"))
        .file("chapters/parcels/src/sending.rs", TEST)
}

/// What is found when the fault has `new` in place of `old`.
fn changed(old: &str, new: &str) -> Vec<String> {
    assert_eq!(FAULTS.matches(old).count(), 1, "{old}");
    faulty(&FAULTS.replace(old, new)).findings()
}

fn found(rest: &str) -> [String; 1] {
    [format!("{MANIFEST}:14: {rest}")]
}

/// A page cannot tell a reader to cause what the chapter does not know.
#[test]
fn a_command_names_a_fault_that_is_declared() {
    let command = |words: &str| {
        faulty(FAULTS)
            .append("book/first/parcels.md", &format!("\n{{{{#command break {words}}}}}\n"))
            .findings()
            .iter()
            .map(|finding| finding.split_once(": ").map_or("", |(_, what)| what).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(command("parcels late"), [""; 0]);
    assert_eq!(command("parcels"), [""; 0]);
    assert_eq!(
        command("parcels lat"),
        ["chapter `parcels` declares no fault `lat`: did you mean `late`?"]
    );
    assert_eq!(
        command("mail what"),
        ["chapter `mail` declares no fault `what`: add it to `faults` in chapters/mail/Cargo.toml"]
    );
}

#[test]
fn a_faults_step_is_a_heading_of_its_chapter() {
    assert_eq!(faulty(FAULTS).findings(), [""; 0]);
    assert_eq!(
        changed("#a-parcel-is-sent", "#a-parcel-is-set"),
        found(
            "fault `late`: book/first/parcels.md has no step `#a-parcel-is-set`: \
             did you mean `#a-parcel-is-sent`?"
        )
    );
    assert_eq!(
        changed("first/parcels.md#a-parcel-is-sent", "second/mail.md#recap"),
        found(
            "fault `late`: `second/mail.md` is no page of this chapter: \
             name the page whose step explains it"
        )
    );
    assert_eq!(
        changed("first/parcels.md#a-parcel-is-sent", "first/parcels.md"),
        found("fault `late`: `first/parcels.md` names no heading: write `part/page.md#heading`")
    );
}

#[test]
fn a_faults_run_is_declared() {
    assert_eq!(
        changed("run = \"day\"", "run = \"dya\""),
        found("fault `late`: chapter `parcels` declares no run `dya`: did you mean `day`?")
    );
}

#[test]
fn a_faults_test_exists() {
    let mend = "did you mean `sending::faults::late`?";
    assert_eq!(
        changed("faults::late", "sending::faults::lat"),
        found(&format!(
            "fault `late`: no test of `parcels` is named `sending::faults::lat`: {mend}"
        ))
    );
    let mend = "name the test that provokes the fault";
    for wrong in ["ate", "faults::early", ""] {
        assert_eq!(
            changed("faults::late", wrong),
            found(&format!("fault `late`: no test of `parcels` is named `{wrong}`: {mend}"))
        );
    }
    assert_eq!(changed("faults::late", "late"), [""; 0]);
}

#[test]
fn a_fault_says_everything_once() {
    assert_eq!(
        changed("\"Wake it.\"", "\"\""),
        found("fault `late` has no fix: write it in one sentence")
    );
    let row = FAULTS.lines().nth(1).expect("the fault stands on the second line");
    let twice = FAULTS.replace(row, &format!("{row}\n{row}"));
    assert_eq!(
        faulty(&twice).findings(),
        [format!("{MANIFEST}:15: fault `late` stands twice: give this one another name")]
    );
    let unknown = changed("fix =", "mend =");
    let unknown = unknown.last().expect("the manifest cannot be read");
    assert!(unknown.starts_with(&format!("{MANIFEST}:14: unknown field `mend`")), "{unknown:?}");
}

#[test]
fn a_table_of_faults_has_rows() {
    assert_eq!(
        with("\n{{#faults}}\n").findings(),
        [line(
            2,
            &format!("chapter `parcels` declares no faults: add them to `faults` in {MANIFEST}")
        )]
    );
    assert_eq!(
        TestBook::sound().append("book/introduction.md", "\n{{#faults}}\n").findings(),
        ["book/introduction.md:5: a page of no chapter has no faults: \
          move this to the last page of a chapter"]
    );
}
