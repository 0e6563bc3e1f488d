//! `cargo xtask book`: builds and runs the package `book`, which is heavy and therefore not part of this tool.

use std::process::ExitCode;

use crate::cargo;
use crate::child;
use crate::project::Project;

/// What `book` takes.
#[derive(clap::Args)]
#[command(
    override_usage = "cargo xtask book build|check [ARGS]",
    after_help = "Examples:\n  \
        cargo xtask book build    the pages, as files that a browser opens\n  \
        cargo xtask book check    everything that is wrong with the pages, at once"
)]
pub struct Args {
    /// `build`, `check`, and whatever else the book's program takes
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGS"
    )]
    arguments: Vec<String>,
}

/// Runs the book's program, and gives its exit code.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    let mut command = cargo::cargo(project);
    command.args(["run", "--package", "book", "--bin", "book"]);
    if project.target_dir().join("debug").join("book").is_file() {
        command.arg("--quiet");
    } else {
        eprintln!("Building the book's program; the first time takes a minute.");
    }
    command.arg("--").args(&args.arguments).arg("--root").arg(&project.root);
    Ok(child::exit_code(child::run(&mut command)?))
}
