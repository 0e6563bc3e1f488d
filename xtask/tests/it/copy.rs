//! Both forms of `copy`: what arrives is a project that Cargo reads, and nothing is overwritten.

use std::path::Path;
use std::process::Command;

use crate::machine::Machine;
use crate::repository::{make, read, write};
use crate::{our_repository, xtask};

/// A dependency-free Cargo project.
fn host(folder: &Path) {
    write(
        folder,
        "Cargo.toml",
        "[package]\nname = \"host\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    write(folder, "src/lib.rs", "");
}

fn cargo(folder: &Path, words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(words)
        .arg("--offline")
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A reader without a project gets a workspace that builds and tests itself.
#[test]
fn a_new_folder_becomes_a_workspace_that_passes_its_tests() {
    let (from, to) = (make(), tempfile::tempdir().unwrap());
    let dest = to.path().join("home");
    let (code, stdout, stderr) = xtask(from.path(), &["copy", "1", text(&dest)]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("cargo test -p sending"), "{stdout}");
    cargo(&dest, &["test", "--all-targets"]);
    assert!(read(&dest, "Cargo.toml").contains("members = [\"sending\"]"));
    assert!(read(&dest, "Cargo.toml").contains("debug = false"), "our profile goes along");
    assert!(read(&dest, "README.md").contains("cargo run -p sending --example sending_run"));
    for file in [
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "sending/README.md",
        "sending/examples/run.rs",
        "sending/runs/first/1.jsonl",
    ] {
        assert!(dest.join(file).is_file(), "{file}");
    }

    let (code, _, stderr) = xtask(from.path(), &["copy", "1", text(&dest)]);
    assert_eq!(
        (code, stderr.contains("sending exists")),
        (2, true),
        "a second copy overwrites nothing: {stderr}"
    );
}

/// A reader with a project gets a library, and the lines that make it part of the project.
#[test]
fn a_project_gets_a_library_and_the_lines_to_add() {
    let (from, to) = (make(), tempfile::tempdir().unwrap());
    host(to.path());
    let (code, stdout, stderr) =
        xtask(from.path(), &["copy", "sending", text(&to.path().join("crates"))]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("[workspace]\nmembers = [\"crates/sending\"]"), "{stdout}");
    assert!(stdout.contains("[dependencies]\nsending = { path = \"crates/sending\" }"), "{stdout}");
    let copied = to.path().join("crates/sending");
    assert!(
        !copied.join("tests").exists()
            && !copied.join("examples").exists()
            && !copied.join("runs").exists()
    );
    assert!(!read(&copied, "Cargo.toml").contains("metadata"));

    // What it printed is what has to be added.
    let lines = "[workspace]\nmembers = [\"crates/sending\"]\n\n[dependencies]\nsending = { path = \"crates/sending\" }\n";
    write(to.path(), "Cargo.toml", &format!("{}\n{lines}", read(to.path(), "Cargo.toml")));
    write(to.path(), "src/lib.rs", "pub use sending;\n");
    cargo(to.path(), &["check", "--workspace", "--all-targets"]);
}

#[test]
fn with_tests_the_guided_run_and_the_tests_come_too() {
    let (from, to) = (make(), tempfile::tempdir().unwrap());
    host(to.path());
    let (code, _, stderr) =
        xtask(from.path(), &["copy", "sending", text(to.path()), "--with-tests"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(to.path().join("sending/tests/it/main.rs").is_file());
    assert!(read(to.path(), "sending/Cargo.toml").contains("sending_it"));
}

#[test]
fn a_folder_that_is_somebodys_is_refused() {
    let (from, to) = (make(), tempfile::tempdir().unwrap());
    write(to.path(), "letter.txt", "mine");
    let (code, _, stderr) = xtask(from.path(), &["copy", "sending", text(to.path())]);
    assert_eq!(
        (code, stderr.contains("neither empty nor inside a Cargo project")),
        (2, true),
        "{stderr}"
    );
    // Whatever Cargo project is around the folder: a chapter is one.
    for inside in ["book", "new", "chapters/sending/mine"] {
        let (code, _, stderr) =
            xtask(from.path(), &["copy", "sending", text(&from.path().join(inside))]);
        let refused = (code, stderr.contains("is inside this repository"));
        assert_eq!(refused, (2, true), "{inside}: {stderr}");
    }
    assert_eq!(read(to.path(), "letter.txt"), "mine");
}

#[test]
fn below_target_nothing_is_the_repositorys() {
    let machine = Machine::new();
    let dest = machine.repository.path().join("target").join("mine");
    let (code, text) = machine.xtask(&["copy", "sending", text(&dest)]);
    assert_eq!(code, 0, "{text}");
    assert!(dest.join("sending").join("Cargo.toml").is_file());
}

/// The real chapters: every crate that a copy names has come along, with a lock file that fits.
#[test]
fn a_real_chapter_brings_the_crates_of_its_tests() {
    let to = tempfile::tempdir().unwrap();
    let dest = to.path().join("shop");
    let (code, _, stderr) = xtask(our_repository(), &["copy", "quickstart", text(&dest)]);
    assert_eq!(code, 0, "{stderr}");
    for slug in ["quickstart", "logging", "testbed"] {
        assert!(dest.join(slug).join("Cargo.toml").is_file(), "{slug}");
    }
    let metadata = cargo(&dest, &["metadata", "--no-deps", "--format-version", "1"]);
    assert!(metadata.contains("quickstart_run"), "Cargo reads the copy");
    assert!(!read(&dest, "Cargo.lock").contains("mdbook"), "what builds the book stays behind");
}

/// A README that came with a library speaks of what came, in every real chapter.
#[test]
fn no_copied_readme_names_what_was_left_out() {
    let chapters = our_repository().join("chapters");
    let to = tempfile::tempdir().unwrap();
    host(to.path());
    let mut read_on = 0;
    for entry in std::fs::read_dir(&chapters).unwrap() {
        let slug = entry.unwrap().file_name().into_string().unwrap();
        if !chapters.join(&slug).is_dir() {
            continue;
        }
        let copied = to.path().join(&slug);
        if !copied.exists() {
            let (code, _, stderr) = xtask(our_repository(), &["copy", &slug, text(to.path())]);
            assert_eq!(code, 0, "{stderr}");
        }
        let readme = read(&copied, "README.md");
        assert!(readme.contains("MIT or Apache-2.0"), "{slug} lost its licence: {readme}");
        for path in below(&chapters.join(&slug), "") {
            if !copied.join(&path).exists() {
                read_on += 1;
                assert!(
                    !readme.contains(&path),
                    "{slug}/README.md names {path}, which is not there"
                );
            }
        }
    }
    assert!(read_on > 50, "{read_on} paths were left out");
}

/// The files and folders in a folder, as paths from there; a folder's path ends with `/`.
fn below(folder: &Path, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found.extend(below(&entry.path(), &format!("{path}/")));
            found.push(format!("{path}/"));
        } else {
            found.push(path);
        }
    }
    found
}
