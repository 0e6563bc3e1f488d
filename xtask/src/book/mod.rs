//! `cargo xtask book`: builds and runs the package `book`, which is heavy and therefore not part of this tool,
//! and tries what it built in a browser.

mod browser;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::Context as _;

use crate::cargo;
use crate::child;
use crate::project::Project;
use crate::say::{self, Spinner};
pub use browser::Browser;

/// The program that builds and checks pages.
pub const BUILDER: &str = "book";

/// The program that shows them, and runs what they show.
pub const SERVER: &str = "book_serve";

/// The program that this is.
const THIS: &str = "xtask";

/// What `book` takes.
#[derive(clap::Args)]
#[command(
    override_usage = "cargo xtask book serve|build|check|test|pdf|diagrams|addresses [ARGS]",
    disable_help_subcommand = true,
    after_help = "Examples:\n  \
        cargo xtask book serve --open    the book in the browser, with runs to start, built again when a file is saved\n  \
        cargo xtask book build           the pages, as files that a browser opens\n  \
        cargo xtask book check           everything that is wrong with the pages, at once\n  \
        cargo xtask book test            every page in a real browser, and what moves in it\n  \
        cargo xtask book test search     only the tests with this in their name\n  \
        cargo xtask book pdf             the whole book as one PDF\n  \
        cargo xtask book diagrams        book/diagrams/*.txt, drawn as SVG\n  \
        cargo xtask book addresses       the list of published addresses, with the present pages"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Try every page in a real browser, and write pictures of it to target/book-pictures
    Test {
        /// Only the tests with this in their name; a JavaScript expression
        #[arg(value_name = "PATTERN")]
        pattern: Option<String>,
    },
    /// Write the whole book to target/book/kafka-in-rust.pdf
    Pdf {
        /// The folder of the crates' documentation, to stand beside the pages, as for `build`
        #[arg(long, value_name = "DIR")]
        api: Option<PathBuf>,
    },
    /// `serve`, `build`, `check`, and whatever else the book's own programs take
    #[command(external_subcommand)]
    Program(Vec<String>),
}

/// Runs the book's program, or a browser over what it built, and gives the exit code.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    match args.verb {
        Verb::Test { pattern } => match Browser::find() {
            Ok(browser) => {
                build(project, None)?;
                let server = program(project, SERVER)?;
                let passed = browser.test(project, &server, pattern.as_deref())?;
                Ok(ExitCode::from(u8::from(!passed)))
            }
            Err(lack) => {
                eprintln!("The pages are not tried in a browser: {lack}");
                Ok(ExitCode::from(u8::from(say::on_ci())))
            }
        },
        Verb::Pdf { api } => {
            let browser = Browser::find().map_err(anyhow::Error::msg)?;
            build(project, api.as_deref())?;
            Ok(ExitCode::from(u8::from(!browser.pdf(project)?)))
        }
        Verb::Program(arguments) => {
            let mut command = match arguments.split_first() {
                Some((verb, rest)) if verb == "serve" => {
                    let mut command = Command::new(program(project, SERVER)?);
                    // Pages start chapters by the same program as a reader does.
                    command.args(rest).arg("--xtask").arg(this_program(project)?);
                    command
                }
                _ => {
                    let mut command = Command::new(program(project, BUILDER)?);
                    command.args(&arguments);
                    command
                }
            };
            Ok(child::exit_code(child::run(command.arg("--root").arg(&project.root))?))
        }
    }
}

/// This program's file, where cargo puts it. What the system says of it will not do: once a build has
/// put another in its place, that is the path of a deleted file.
fn this_program(project: &Project) -> anyhow::Result<PathBuf> {
    let program = project.target_dir().join("debug").join(THIS);
    anyhow::ensure!(program.is_file(), "{} is gone: `cargo build -p {THIS}`", program.display());
    Ok(program)
}

/// One of the book's programs, built if it is not fresh.
fn program(project: &Project, name: &str) -> anyhow::Result<PathBuf> {
    let mut command = cargo::cargo(project);
    command.args(["build", "--package", "book", "--bin", name]);
    if name == BUILDER {
        // What a server is made of is half of all that is compiled.
        command.arg("--no-default-features");
    }
    let _spinner;
    if project.target_dir().join("debug").join(name).is_file() {
        command.arg("--quiet");
        _spinner = Spinner::start("Building the book's program");
    } else {
        eprintln!("Building the book's program; the first time takes a minute.");
    }
    let built = cargo::build(&mut command)?;
    Ok(cargo::program(&built, name)?.clone())
}

/// Builds the pages. What is wrong with them is printed, but not where they are: nobody asked for them.
fn build(project: &Project, api: Option<&Path>) -> anyhow::Result<()> {
    let mut command = Command::new(program(project, BUILDER)?);
    command.arg("build");
    if let Some(api) = api {
        command.arg("--api").arg(api);
    }
    command.arg("--root").arg(&project.root).stderr(Stdio::inherit());
    let built = command.output().context("the book's program does not start")?;
    if !built.status.success() {
        print!("{}", String::from_utf8_lossy(&built.stdout));
        anyhow::bail!("the book cannot be built: see above");
    }
    Ok(())
}
