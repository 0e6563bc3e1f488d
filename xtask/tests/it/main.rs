//! The real program, from outside: what it prints and the code it ends with.

#![forbid(unsafe_code)]

/// Taking a chapter home, in both forms.
mod copy;
/// Exercises, from `start` to `done`, and faults to cause.
mod exercise;
/// A Kafka that stays: started, used, ended, and what is left when that fails.
mod kafka;
/// A small repository on a machine made of shell.
mod machine;
/// A small repository to work on.
mod repository;
/// Ctrl-C, TERM and HUP: what runs ends, and the exit code says so.
mod signals;
/// The laws, and a new chapter that breaks none.
mod tidy;
/// Wrong usage: code 2, and what to type instead.
mod usage;

/// Runs the program somewhere, and gives its exit code, standard output and standard error.
pub fn xtask(folder: &std::path::Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.args(arguments).current_dir(folder).env("NO_COLOR", "1").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// This repository.
pub fn our_repository() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
