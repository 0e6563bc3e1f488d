//! `exercise` in a small repository: what the reader sees from `start` to `done`, and on the way wrong.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::repository::{make, read, write};
use crate::xtask;

const EXERCISE: &str = r#"
title = "Add up"
kind = "mend"
task = "`sum` forgets the last number. Mend it."
hints = ["Look at the range.", "It ends too early.", "Take all of `numbers`."]
why = "A slice knows where it ends."
fails_with = "1 \\+ 2 gave 1"
"#;

const STARTER: &str = "#![forbid(unsafe_code)]\n\npub fn sum(numbers: &[u32]) -> u32 {\n    \
    numbers[..numbers.len() - 1].iter().sum()\n}\n";

const SOLUTION: &str = "#![forbid(unsafe_code)]\n\npub fn sum(numbers: &[u32]) -> u32 {\n    \
    numbers.iter().sum()\n}\n";

const CHECK: &str = "#![forbid(unsafe_code)]\n\nfn main() -> std::process::ExitCode {\n    \
    let sum = sending_add::sum(&[1, 2]);\n    if sum == 3 {\n        \
    return std::process::ExitCode::SUCCESS;\n    }\n    eprintln!(\"1 + 2 gave {sum}\");\n    \
    std::process::ExitCode::FAILURE\n}\n";

/// The repository with one exercise, which needs no crate but its own.
fn repository() -> tempfile::TempDir {
    let folder = make();
    exercise(folder.path(), "add");
    folder
}

fn exercise(folder: &Path, name: &str) {
    let top = format!("chapters/sending/exercises/{name}");
    write(folder, &format!("{top}/exercise.toml"), EXERCISE);
    write(folder, &format!("{top}/starter/src/lib.rs"), STARTER);
    write(folder, &format!("{top}/solution/src/lib.rs"), SOLUTION);
    write(folder, &format!("{top}/check/main.rs"), CHECK);
}

/// `cargo xtask exercise`, with a target folder that no other test has.
fn run(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = command(folder, words);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn command(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("exercise").args(words).current_dir(folder).env("NO_COLOR", "1");
    command.env_remove("CARGO_TARGET_DIR").env("CARGO_NET_OFFLINE", "true");
    command
}

const COPY: &str = "my-exercises/sending-add/src/lib.rs";

/// The way of a reader: start, see it fail, mend it, see why; the list follows.
#[test]
fn a_reader_starts_checks_mends_and_is_done() {
    let folder = repository();
    let (code, stdout, stderr) = run(folder.path(), &["start", "add"]);
    assert_eq!(code, 0, "{stderr}");
    for said in
        ["sending/add: Add up", "Mend it.", "my-exercises/sending-add\n", "book/first/sending.md"]
    {
        assert!(stdout.contains(said), "{said}: {stdout}");
    }
    assert!(
        read(folder.path(), "my-exercises/sending-add/README.md")
            .contains("forgets the last number")
    );
    assert!(
        read(folder.path(), "my-exercises/sending-add/Cargo.toml").contains("debug = false"),
        "our profile"
    );

    let (code, stdout, stderr) = run(folder.path(), &["check"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("1 + 2 gave 1\n"), "{stderr}");
    assert!(!stderr.contains("panicked") && !stderr.contains("error:"), "{stderr}");
    assert!(stdout.contains("Not yet."), "{stdout}");
    assert!(run(folder.path(), &["list"]).1.contains("sending/add  mend  started"));

    write(folder.path(), COPY, SOLUTION);
    // Inside of the copy, too, it needs no name.
    let inside = folder.path().join("my-exercises/sending-add/src");
    let (code, stdout, stderr) = run(&inside, &["check"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("sending/add: done.\n\nA slice knows where it ends."), "{stdout}");
    assert!(stdout.contains("all exercises are done"), "{stdout}");
    assert!(run(folder.path(), &["list"]).1.contains("sending/add  mend  done"));
    assert!(
        folder.path().join("target/debug").is_dir(),
        "it is built into the repository's folder"
    );
}

/// Code that does not compile is shown as Cargo shows it.
#[test]
fn what_does_not_compile_is_shown_as_cargo_shows_it() {
    let folder = repository();
    run(folder.path(), &["start", "add"]);
    write(folder.path(), COPY, "pub fn sum(numbers: &[u32]) -> u32 { numbers }\n");
    let (code, stdout, stderr) = run(folder.path(), &["check", "add"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("error[E0308]: mismatched types"), "{stderr}");
    assert!(stdout.contains("It does not compile yet"), "{stdout}");
}

#[test]
fn hints_come_one_by_one_and_then_all_of_them() {
    let folder = repository();
    run(folder.path(), &["start", "add"]);
    let hint = || run(folder.path(), &["hint"]).1;
    assert_eq!(hint(), "Hint 1 of 3: Look at the range.\n");
    assert_eq!(hint(), "Hint 2 of 3: It ends too early.\n");
    assert_eq!(hint(), "Hint 3 of 3: Take all of `numbers`.\n");
    let all = hint();
    assert!(
        all.contains("Hint 1") && all.contains("Hint 3") && all.contains("exercise solution"),
        "{all}"
    );
}

#[test]
fn the_solution_is_what_to_change_in_the_readers_copy() {
    let folder = repository();
    run(folder.path(), &["start", "add"]);
    write(folder.path(), COPY, &STARTER.replace("pub fn", "// My note.\npub fn"));
    let (code, stdout, _) = run(folder.path(), &["solution"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("--- yours/src/lib.rs\n+++ solution/src/lib.rs\n"), "{stdout}");
    assert!(
        stdout.contains("-// My note.\n") && stdout.contains("+    numbers.iter().sum()\n"),
        "{stdout}"
    );
    write(folder.path(), COPY, SOLUTION);
    assert!(run(folder.path(), &["solution"]).1.contains("to the letter"));
}

#[test]
fn work_is_never_overwritten_and_reset_moves_it_aside() {
    let folder = repository();
    run(folder.path(), &["start", "add"]);
    write(folder.path(), COPY, "// Mine.\n");
    run(folder.path(), &["hint"]);

    let (code, _, stderr) = run(folder.path(), &["start", "add"]);
    assert_eq!((code, stderr.contains("exercise reset sending/add")), (2, true), "{stderr}");
    assert_eq!(read(folder.path(), COPY), "// Mine.\n");

    for n in 1..=2 {
        write(folder.path(), COPY, &format!("// Mine {n}.\n"));
        let (code, stdout, stderr) = run(folder.path(), &["reset", "add"]);
        assert_eq!(code, 0, "{stderr}");
        assert!(stdout.contains(&format!("now in my-exercises/sending-add.old-{n}")), "{stdout}");
        let old = format!("my-exercises/sending-add.old-{n}/src/lib.rs");
        assert_eq!(read(folder.path(), &old), format!("// Mine {n}.\n"));
        assert_eq!(read(folder.path(), COPY), STARTER);
    }
    assert!(run(folder.path(), &["hint"]).1.starts_with("Hint 1"), "hints begin again, too");
}

/// Cargo compares times, and a copy that comes back is older than what was built since.
#[test]
fn a_copy_that_is_moved_back_is_judged_by_its_own_code() {
    let folder = repository();
    run(folder.path(), &["start", "add"]);
    run(folder.path(), &["reset", "add"]);
    write(folder.path(), COPY, SOLUTION);
    assert_eq!(run(folder.path(), &["check"]).0, 0);

    let copies = folder.path().join("my-exercises");
    std::fs::remove_dir_all(copies.join("sending-add")).unwrap();
    std::fs::rename(copies.join("sending-add.old-1"), copies.join("sending-add")).unwrap();
    let (code, _, stderr) = run(folder.path(), &["check"]);
    assert_eq!((code, stderr.contains("1 + 2 gave 1\n")), (1, true), "{stderr}");
}

#[test]
fn wrong_words_are_answered_with_what_to_type() {
    let folder = repository();
    let refused = |words: &[&str], said: &str| {
        let (code, stdout, stderr) = run(folder.path(), words);
        assert_eq!((code, stdout.as_str()), (2, ""), "{words:?}: {stderr}");
        assert!(stderr.contains(said), "{words:?}: {stderr}");
    };
    refused(&["check"], "which exercise? None is started");
    refused(&["start", "ad-up"], "there is no exercise \"ad-up\"");
    refused(&["start", "sending/odd"], "did you mean \"sending/add\"?");
    refused(
        &["check", "add"],
        "sending/add is not started: `cargo xtask exercise start sending/add`",
    );
    refused(&["hint", "add"], "is not started");
    refused(&["solution", "add"], "is not started");
    refused(&["reset", "add"], "is not started");
    exercise(folder.path(), "add-more");
    refused(&["start", "ad"], "is part of sending/add and sending/add-more");
}

#[test]
fn a_broken_description_is_named_with_what_is_wrong() {
    let folder = repository();
    let path = "chapters/sending/exercises/add/exercise.toml";
    let broken = |from: &str, to: &str, said: &str| {
        write(folder.path(), path, &EXERCISE.replace(from, to));
        let (code, _, stderr) = run(folder.path(), &["list"]);
        assert_eq!(code, 1, "{stderr}");
        assert!(stderr.contains("add/exercise.toml") && stderr.contains(said), "{stderr}");
    };
    broken("kind = \"mend\"", "kind = \"guess\"", "unknown variant `guess`");
    broken(", \"Take all of `numbers`.\"", "", "hints");
    broken("\\\\+", "(", "fails_with is no regular expression");
    write(folder.path(), path, &format!("{EXERCISE}uses = [\"kafka\"]\n"));
    let (code, _, stderr) = run(folder.path(), &["start", "add"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("uses names \"kafka\""), "{stderr}");
    assert!(!folder.path().join("my-exercises/sending-add").exists(), "nothing half made is left");
}

/// A save is enough, and Ctrl-C ends it.
#[test]
fn watch_checks_again_after_each_save_until_ctrl_c() {
    let folder = repository();
    run(folder.path(), &["start", "add"]);
    let mut child = command(folder.path(), &["watch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = |wanted: &str| {
        let found = lines.by_ref().map_while(Result::ok).any(|line| line.contains(wanted));
        assert!(found, "the output ended before {wanted:?}");
    };
    until("Not yet.");
    until("Ctrl-C ends this");
    write(folder.path(), COPY, SOLUTION);
    until("sending/add: done.");
    until("Ctrl-C ends this");
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Faults are read from the manifest; tidy knows the runs that they name.
#[test]
fn the_faults_of_a_chapter_are_listed_and_held_to_its_runs() {
    let folder = make();
    let path = "chapters/sending/Cargo.toml";
    let (code, _, stderr) = xtask(folder.path(), &["break", "sending"]);
    assert_eq!((code, stderr.contains("has no fault to cause")), (2, true), "{stderr}");

    let fault = "faults = [{ name = \"lost\", run = \"first\", symptom = \"Nothing arrives.\", cause = \"c\", \
                 fix = \"f\", step = \"first/sending.md#lost\", test = \"lost\" }]\n\n[[example]]";
    let manifest = read(folder.path(), path).replacen("\n[[example]]", fault, 1);
    write(folder.path(), path, &manifest);
    let (code, stdout, stderr) = xtask(folder.path(), &["break", "chapter", "1"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("lost   Nothing arrives."), "{stdout}");
    assert!(stdout.contains("cargo xtask break sending lost"), "{stdout}");
    let (code, _, stderr) = xtask(folder.path(), &["break", "sending", "lots"]);
    assert_eq!((code, stderr.contains("did you mean \"lost\"?")), (2, true), "{stderr}");
    assert_eq!(xtask(folder.path(), &["tidy"]).1, "");

    write(folder.path(), path, &manifest.replace("run = \"first\"", "run = \"gone\""));
    let (code, stdout, _) = xtask(folder.path(), &["tidy"]);
    assert_eq!(code, 1);
    assert!(stdout.contains("fault \"lost\" names the run \"gone\", which is none"), "{stdout}");
}
