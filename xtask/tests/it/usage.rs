//! Wrong usage ends with code 2 and says what to type instead; help teaches by examples.

use crate::{our_repository, xtask};

fn refused(arguments: &[&str], because: &str) {
    let (code, stdout, stderr) = xtask(our_repository(), arguments);
    assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
    assert!(stderr.contains(because), "{arguments:?}: {stderr}");
}

#[test]
fn wrong_usage_is_refused_with_what_to_type() {
    refused(&["run"], "Usage: cargo xtask run [chapter] CHAPTER [RUN]");
    refused(&["run", "quikstart"], "did you mean \"quickstart\"?");
    refused(&["run", "chapter", "99"], "`cargo xtask list` shows them");
    refused(&["run", "1", "nothing-of-the-sort"], "It has first");
    refused(&["run", "1", "first", "second"], "one word too many");
    refused(&["run", "1", "--broker", "kafka"], "use auto, embedded, local, docker, external");
    refused(&["run", "testbed", "leader", "--broker", "external=a:1"], "starts its own Kafka");
    refused(&["run", "testbed", "leader", "--keep"], "--keep goes with no run");
    refused(&["break", "testbed", "trimmed", "--broker", "local"], "testbed trimmed does");
    refused(&["test", "1", "2"], "one chapter, or none for all");
    refused(&["no-such-verb"], "unrecognized subcommand");
    refused(&["kafka", "up", "--brokers", "2"], "[possible values: 1, 3]");
    refused(&["kafka", "up", "--profile", "test"], "goes with --broker docker only");
    refused(
        &["kafka", "up", "--broker", "docker", "--profile", "dev", "--brokers", "3"],
        "profile test has three",
    );
    refused(&["kafka", "up", "--broker", "external"], "yours to start");
    refused(&["record", "quickstart", "--check", "--soak"], "cannot be used with");
    refused(&["new", "Not A Slug"], "small letters, digits and single dashes");
    refused(&["bench", "quickstart"], "chapters with benchmarks: ");
    refused(&["ci", "no-such-step"], "`cargo xtask ci --steps` lists them");
}

#[test]
fn help_shows_examples_and_the_two_commands() {
    let (code, stdout, _) = xtask(our_repository(), &["--help"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("cargo xtask run chapter 1 "), "{stdout}");
    assert!(stdout.contains("0 all is well, 1 something failed, 2 wrong usage"), "{stdout}");
    for verb in [
        "run", "test", "list", "break", "exercise", "kafka", "copy", "record", "new", "book",
        "tidy", "bench", "coverage", "ci",
    ] {
        let (code, stdout, _) = xtask(our_repository(), &[verb, "--help"]);
        assert!(code == 0 && stdout.contains("Examples:"), "{verb}: {stdout}");
    }
}

#[test]
fn the_list_has_a_line_for_every_chapter_with_its_number() {
    let (code, stdout, stderr) = xtask(our_repository(), &["list"]);
    assert_eq!(code, 0, "{stderr}");
    let first = stdout.lines().nth(1).unwrap_or_default();
    assert!(first.starts_with("1 ") && first.contains("quickstart"), "{stdout}");
}

/// Said before Cargo is asked: it would drown that in what C says.
#[test]
fn without_a_c_compiler_a_run_says_what_to_install() {
    let nothing = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["run", "quickstart"])
        .current_dir(our_repository())
        .env("PATH", nothing.path())
        .env_remove("CC")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("error: no cc, gcc or clang on the PATH"), "{stderr}");
    assert!(stderr.contains("To mend: ") && stderr.lines().count() == 2, "{stderr}");
}

#[test]
fn outside_of_a_clone_the_program_says_where_to_go() {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command
        .arg("list")
        .current_dir(&elsewhere)
        .env_remove("CARGO_MANIFEST_DIR")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("go into your clone"));
}

/// A laptop without a browser is told once and is well; where nothing may be left out, it fails.
#[test]
fn without_a_browser_the_pages_are_left_untried_and_ci_fails() {
    for (ci, expected) in [("", 0), ("true", 1)] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"));
        let output = command
            .args(["book", "test"])
            .current_dir(our_repository())
            .env("CHROMIUM", "/nowhere/chromium")
            .env("CI", ci)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(expected), "{stderr}");
        assert!(stderr.starts_with("The pages are not tried in a browser: "), "{stderr}");
        assert!(stderr.contains("to mend: ") && stderr.lines().count() == 1, "{stderr}");
    }
}
