//! A small made-up repository in a folder that is gone with its handle.

use std::path::Path;

/// Files by path.
pub const FILES: [(&str, &str); 12] = [
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"chapters/*\"]\nresolver = \"3\"\n\n[workspace.metadata.kafka]\nversion = \"4.3.1\"\nimage = \"apache/kafka\"\n\n[profile.dev]\ndebug = false\n",
    ),
    (
        "README.md",
        "# Small\n\n<!-- chapters -->\n| | Chapter | Question | Minutes |\n|---|---|---|---|\n| 1 | [Sending](book/first/sending.md) | Who has it? | 9 |\n<!-- /chapters -->\n",
    ),
    ("LICENSE-MIT", "as you like\n"),
    ("LICENSE-APACHE", "as you like\n"),
    ("xtask/README.md", "the tool\n"),
    ("book/SUMMARY.md", "# Small\n\n# Part I · First\n\n- [Sending](first/sending.md)\n"),
    (
        "chapters/sending/README.md",
        "# sending\n\n## Run it\n\nSee `examples/run.rs`.\n\n## Test it\n\nSee `tests/it`.\n\n## Licence\n\nFree.\n",
    ),
    ("chapters/sending/Cargo.toml", SENDING),
    ("chapters/sending/src/lib.rs", "//! Sends.\n#![forbid(unsafe_code)]\n"),
    ("chapters/sending/examples/run.rs", "#![forbid(unsafe_code)]\nfn main() {}\n"),
    ("chapters/sending/tests/it/main.rs", "#![forbid(unsafe_code)]\n"),
    ("chapters/sending/runs/first/1.jsonl", "{}\n"),
];

const SENDING: &str = r#"[package]
name = "sending"
version = "0.1.0"
edition = "2024"
rust-version = "1.95"
license = "MIT OR Apache-2.0"
description = "Sends."
publish = false

[package.metadata.chapter]
title = "Sending"
pages = [{ path = "first/sending.md", question = "Who has it?", minutes = 9 }]
runs = [{ name = "first", program = "sending_run", topics = ["orders:1"] }]

[[example]]
name = "sending_run"
path = "examples/run.rs"

[[test]]
name = "sending_it"
path = "tests/it/main.rs"
"#;

/// Writes the repository.
pub fn make() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in FILES {
        write(folder.path(), path, text);
    }
    folder
}

/// Writes one file, and the folders above it.
pub fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Reads one file.
pub fn read(folder: &Path, path: &str) -> String {
    std::fs::read_to_string(folder.join(path)).unwrap()
}
