//! Exercises stand on pages, and nothing in them is empty.

use super::{line, with};
use crate::books::{EXERCISE, TestBook};

const FILE: &str = "chapters/parcels/exercises/lost/exercise.toml";

fn book(exercise: &str) -> TestBook {
    with("\n{{#exercise parcels/lost}}\n").file(FILE, exercise)
}

#[test]
fn an_exercise_exists() {
    assert_eq!(book(EXERCISE).findings(), [""; 0]);
    assert_eq!(
        with("\n{{#exercise parcels/lots}}\n{{#exercise mail/what}}\n")
            .file(FILE, EXERCISE)
            .findings(),
        [
            line(2, "there is no exercise `parcels/lots`: did you mean `parcels/lost`?"),
            line(
                3,
                "there is no exercise `mail/what`: name a folder as `chapter/name`: \
                 chapters/CHAPTER/exercises/NAME/exercise.toml"
            ),
            format!(
                "{FILE}:1: exercise `parcels/lost` stands on no page: \
                 write `{{{{#exercise parcels/lost}}}}` on a page of `parcels`"
            ),
        ]
    );
}

/// A page cannot tell a reader to start what does not exist.
#[test]
fn a_command_names_an_exercise_that_exists() {
    let page = "\n{{#exercise parcels/lost}}\n{{#command exercise start parcels/lost}}\n\
                {{#command exercise list}}\n{{#command exercise strat parcels/lost}}\n\
                {{#command exercise check parcels/lots}}\n";
    assert_eq!(
        with(page).file(FILE, EXERCISE).findings(),
        [
            line(
                5,
                "`cargo xtask exercise` knows no `strat`: \
                 use one of list, start, check, watch, hint, solution, reset"
            ),
            line(6, "there is no exercise `parcels/lots`: did you mean `parcels/lost`?"),
        ]
    );
}

#[test]
fn an_exercise_has_three_hints() {
    let hints = r#"hints = ["Look at `send`.", "It must wait.", "Add `.await`."]"#;
    let with_hints = |new: &str| book(&EXERCISE.replace(hints, new)).findings();
    let mend = "write three: where to look, what idea, the line";
    let found = |count| [format!("{FILE}:1: an exercise with {count} hints: {mend}")];
    assert_eq!(with_hints(r#"hints = ["a", "b"]"#), found(2));
    assert_eq!(with_hints(r#"hints = ["a", "b", " "]"#), found(2));
    assert_eq!(with_hints(r#"hints = ["a", "b", "c", "d"]"#), found(4));
}

#[test]
fn nothing_of_an_exercise_is_empty_or_unknown() {
    let empty = EXERCISE
        .replace("What nobody waits for is not done.", " ")
        .replace("Find it. `send` is called.", "")
        .replace("parcel \\\\d+ is lost", "");
    assert_eq!(
        book(&empty).findings(),
        ["fails_with", "task", "why"]
            .map(|part| format!("{FILE}:1: an exercise with an empty `{part}`: write it"))
    );
    let found = book(&EXERCISE.replace("\\\\d+", "(")).findings();
    assert_eq!(
        found,
        [format!("{FILE}:1: `fails_with` is no regular expression (unclosed group): correct it")]
    );
    let unknown = book(&format!("{EXERCISE}hint = \"a\"\n")).findings();
    assert!(unknown[1].starts_with(&format!("{FILE}:7: unknown field `hint`")), "{unknown:?}");
    let kind = book(&EXERCISE.replace("mend", "guess")).findings();
    assert!(kind[1].starts_with(&format!("{FILE}:2: unknown variant `guess`")), "{kind:?}");
}
