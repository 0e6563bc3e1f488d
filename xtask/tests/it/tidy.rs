//! `tidy` on a repository that keeps every law, and on one for each law that breaks it.

use crate::repository::{make, read, write};
use crate::xtask;

#[test]
fn a_repository_that_keeps_every_law_passes_in_silence() {
    let folder = make();
    let (code, stdout, stderr) = xtask(folder.path(), &["tidy"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
}

/// A file that breaks a law, and what is said about it.
fn breaks(path: &str, text: &str, said: &str) {
    let folder = make();
    write(folder.path(), path, text);
    let (code, stdout, stderr) = xtask(folder.path(), &["tidy"]);
    assert_eq!(code, 1, "{path}: {stdout}{stderr}");
    assert!(stdout.contains(said), "{path}: {stdout}");
}

#[test]
fn laws_about_code_are_held() {
    let test = "chapters/sending/tests/it/main.rs";
    let forbid = "#![forbid(unsafe_code)]\n";
    breaks(
        test,
        &format!("{forbid}{}", concat!("fn f() { std::thread::sle", "ep(D); }\n")),
        "it/main.rs:2: a test sleeps",
    );
    breaks(
        test,
        &format!("{forbid}{}", concat!("#[", "ignore]\n")),
        "it/main.rs:2: a test is ignored",
    );
    breaks(test, "", "it/main.rs:1: a crate root that does not forbid unsafe code");
    let unfinished = format!("{forbid}{}", concat!("fn f() { to", "do!() }\n"));
    breaks("chapters/sending/src/lib.rs", &unfinished, "lib.rs:2: something is not written yet");
}

#[test]
fn laws_about_manifests_are_held() {
    let manifest = read(make().path(), "chapters/sending/Cargo.toml");
    let path = "chapters/sending/Cargo.toml";
    let with = |text: &str| format!("{manifest}\n{text}");
    breaks(path, &with("[dependencies]\ntokio = \"1\"\n"), "tokio with features []");
    breaks(
        path,
        &with("[dependencies]\nother = { path = \"../other\" }\n"),
        "the library depends on other by path",
    );
    breaks(
        path,
        &manifest.replace("edition = \"2024\"", "edition.workspace = true"),
        "inherited from the workspace",
    );
    breaks(path, &manifest.replace("sending_it", "sending_tests"), "name it \"sending_it\"");
    breaks(
        path,
        &manifest.replace("program = \"sending_run\"", "program = \"other\""),
        "which is no target",
    );
    breaks("chapters/sending/tests/more.rs", "", "a target that the manifest does not declare");
    let tool = "[package]\nname = \"xtask\"\nedition = \"2021\"\nrust-version = \"1.95\"\nlicense = \"MIT OR Apache-2.0\"\n";
    breaks("xtask/Cargo.toml", tool, "edition is 2021 here and 2024 in chapters/sending");
}

#[test]
fn laws_about_the_repository_are_held() {
    breaks(
        "chapters/sending/README.md",
        "# sending\n",
        "sending/README.md:1: a README without `## Run it`: add the section",
    );
    breaks("notes.txt", "", "notes.txt:1: the top folder does not hold this");
    breaks("book/a.md", concat!("see /ho", "me/somebody/x\n"), "a path of one machine");
    breaks("book/a.md", concat!("WRITE", " ME: a page\n"), "not written yet: a page");
    let numbered =
        concat!("#![forbid(unsafe_code)]\n//! `cargo xt", "ask run chapter 7`\nfn main() {}\n");
    breaks("chapters/sending/examples/run.rs", numbered, "run.rs:2: a chapter's number in");
    breaks(".config/nextest.toml", "retries = 2\n", "tests are tried again");
    breaks("docker-compose.yml", "image: apache/kafka:3.9.0\n", "write apache/kafka:4.3.1");
    breaks(
        "chapters/testbed/src/version.rs",
        "pub const KAFKA: &str = \"4.0.0\";\n",
        "another Kafka version",
    );
    breaks("chapters/empty/src/lib.rs", "", "a chapter without README");
    breaks("book/SUMMARY.md", "# Small\n", "the chapter sending is not in SUMMARY.md");
}

#[test]
fn the_readmes_table_is_written_again_by_fix() {
    let folder = make();
    let good = read(folder.path(), "README.md");
    write(folder.path(), "README.md", &good.replace("| 9 |", "| 8 |"));
    let (code, stdout, _) = xtask(folder.path(), &["tidy"]);
    assert_eq!(code, 1);
    assert!(stdout.contains("run `cargo xtask tidy --fix`"), "{stdout}");
    let (code, stdout, _) = xtask(folder.path(), &["tidy", "--fix"]);
    assert_eq!((code, stdout.as_str()), (0, "README.md: written\n"));
    assert_eq!(read(folder.path(), "README.md"), good);
}

/// What `new` writes breaks no law but the one that says what is still to be written.
#[test]
fn a_new_chapter_breaks_no_law_but_that_it_is_unwritten() {
    let folder = make();
    let (code, stdout, stderr) = xtask(folder.path(), &["new", "dead-letters"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("cargo xtask run dead-letters"), "{stdout}");
    let (code, stdout, _) = xtask(folder.path(), &["tidy"]);
    assert_eq!(code, 1);
    assert!(stdout.lines().count() > 5, "{stdout}");
    for line in stdout.lines() {
        assert!(line.contains(": not written yet: ") && line.contains("dead-letters"), "{line}");
    }
    assert!(
        read(folder.path(), "book/SUMMARY.md")
            .ends_with("- [Dead letters](first/dead-letters.md)\n")
    );
    assert!(
        read(folder.path(), "README.md")
            .contains("| 2 | [Dead letters](book/first/dead-letters.md) |")
    );

    // A title that would break the manifest is refused before anything is written.
    let (code, _, stderr) = xtask(folder.path(), &["new", "retries", "--title", "Say \"no\""]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("cannot be a chapter's title"), "{stderr}");
    assert!(!folder.path().join("chapters/retries").exists());
    assert!(!read(folder.path(), "book/SUMMARY.md").contains("retries"));

    let (code, _, stderr) = xtask(folder.path(), &["new", "dead-letters"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("chapters/dead-letters exists"), "{stderr}");
}
