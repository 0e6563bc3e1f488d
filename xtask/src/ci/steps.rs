//! The steps.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use testbed::kind::{BrokerChoice, Kind, held_back};
use testbed::machine::State;

use super::{Context, Leftovers, Outcome};
use crate::book::{BUILDER, Browser, SERVER};
use crate::cargo;
use crate::child;
use crate::kafka::compose_for;
use crate::project::TargetKind;
use crate::tools::{self, WASM_TARGET};
use crate::{copy, exercise, new, record, test, tidy as laws};

/// Beyond Clippy's default list: what is fine while writing and wrong when it lands.
const CLIPPY: [&str; 6] = [
    "warnings",
    "clippy::dbg_macro",
    "clippy::todo",
    "clippy::unimplemented",
    "clippy::undocumented_unsafe_blocks",
    "clippy::mem_forget",
];

/// Libraries in C that must not be in what a reader compiles first.
const C_LIBRARIES: [&str; 6] =
    ["openssl_sys", "aws_lc_sys", "ring", "zstd_sys", "rdkafka_sys", "libz_sys"];

/// What rdkafka itself brings, which is in the first run on purpose.
const RDKAFKA: [&str; 2] = ["rdkafka_sys", "libz_sys"];

/// Crates by which a core would call JavaScript: a module in a page imports nothing.
const JAVASCRIPT: [&str; 2] = ["wasm_bindgen", "js_sys"];

/// Benchmarks that can be tried in seconds, and how: each says itself whether its results are still laid out as those
/// that the book shows. The others take minutes, or have nothing but numbers to show.
const BENCHES: [(&str, &[&str]); 1] = [("producers_bench", &["--quick"])];

type Result = anyhow::Result<Outcome>;

pub fn fmt(context: &Context<'_>) -> Result {
    passes(cargo::cargo(context.project).args(["fmt", "--all", "--check"]))
}

pub fn tidy(context: &Context<'_>) -> Result {
    succeeded(laws::run(context.project, laws::Args::default())?)
}

pub fn clippy(context: &Context<'_>) -> Result {
    let mut command = workspace(context, "clippy");
    command.args(["--all-targets", "--"]);
    for lint in CLIPPY {
        command.args(["-D", lint]);
    }
    passes(&mut command)
}

/// What the README tells a reader to type. The steps after it run again what takes any Kafka.
pub fn test(context: &Context<'_>) -> Result {
    succeeded(test::run(context.project, test::Args::on(BrokerChoice::Auto))?)
}

pub fn test_embedded(context: &Context<'_>) -> Result {
    succeeded(test::run(context.project, test::Args::again_on(BrokerChoice::Embedded))?)
}

pub fn test_docker(context: &Context<'_>) -> Result {
    if let Some(reason) = held_back(Kind::Docker, &context.around.machine) {
        return Ok(Outcome::LeftOut(reason));
    }
    succeeded(test::run(context.project, test::Args::again_on(BrokerChoice::Docker))?)
}

pub fn record(context: &Context<'_>) -> Result {
    succeeded(record::run(context.project, record::Args::check())?)
}

/// Not optimised, unlike by `cargo xtask bench`: numbers are thrown away, and the suite has compiled most of it so.
pub fn bench(context: &Context<'_>) -> Result {
    if let Some(reason) = held_back(Kind::Local, &context.around.machine) {
        return Ok(Outcome::LeftOut(reason));
    }
    let mut good = true;
    for (bench, arguments) in BENCHES {
        let mut command = workspace(context, "test");
        command.args(["--quiet", "--bench", bench, "--"]).args(arguments);
        good &= child::passes(&mut command)?;
    }
    Ok(good.into())
}

pub fn copy(context: &Context<'_>) -> Result {
    copy::prove(context.project).map(|()| Outcome::Passed)
}

/// Whatever came since the first step began, and belongs to nobody who runs.
pub fn leftovers(context: &Context<'_>) -> Result {
    let left = Leftovers::that_stay(&context.before);
    for one in &left {
        eprintln!("left behind: {one}");
    }
    Ok(left.is_empty().into())
}

pub fn new(context: &Context<'_>) -> Result {
    new::prove(context.project, &program(context, BUILDER)?, &CLIPPY).map(|()| Outcome::Passed)
}

pub fn exercises(context: &Context<'_>) -> Result {
    exercise::prove(context.project, &CLIPPY, None).map(Into::into)
}

pub fn doc(context: &Context<'_>) -> Result {
    passes(workspace(context, "doc").arg("--no-deps").env("RUSTDOCFLAGS", "-D warnings"))
}

pub fn book_check(context: &Context<'_>) -> Result {
    book(context, "check")
}

pub fn book_build(context: &Context<'_>) -> Result {
    book(context, "build")
}

/// The book that the step before has built, in a real browser.
pub fn book_test(context: &Context<'_>) -> Result {
    match Browser::find() {
        Ok(browser) => Ok(browser.test(context.project, &program(context, SERVER)?, None)?.into()),
        Err(lack) => Ok(Outcome::LeftOut(lack)),
    }
}

fn book(context: &Context<'_>, verb: &str) -> Result {
    let builder = program(context, BUILDER)?;
    passes(Command::new(builder).arg(verb).arg("--root").arg(&context.project.root))
}

/// Builds one of this workspace's programs with the workspace's features, as the test suite did: `-p book` would
/// compile half of its dependencies again.
pub fn program(context: &Context<'_>, name: &str) -> anyhow::Result<PathBuf> {
    let mut build = workspace(context, "build");
    build.args(["--quiet", "--bin", name]);
    // With an integration test selected, features are resolved as for the suite.
    if let Some(test) = context
        .project
        .chapters
        .iter()
        .find_map(|chapter| chapter.targets_of(TargetKind::Test).next())
    {
        build.args(["--test", test]);
    }
    let built = cargo::build(&mut build)?;
    Ok(cargo::program(&built, name)?.clone())
}

/// The cores alone, without Kafka. The modules that call them are compiled, measured and searched for imports by the
/// step that builds the book.
pub fn wasm(context: &Context<'_>) -> Result {
    let compiler = tools::webassembly();
    let rustc = match compiler.state {
        State::Ready(rustc) => rustc,
        State::Unfit(what) | State::Missing(what) => {
            return Ok(Outcome::LeftOut(format!("{what} ({})", compiler.mend)));
        }
    };
    let mut good = true;
    for chapter in &context.project.chapters {
        let slug = chapter.slug.as_str();
        if !chapter.core {
            eprintln!("{slug}: no core, as its manifest says");
            continue;
        }
        let selection = ["--package", slug, "--no-default-features", "--target", WASM_TARGET];
        let mut build = cargo::cargo(context.project);
        build.args(["build", "--quiet", "--lib"]).args(selection).env("RUSTC", &rustc);
        build.arg("--target-dir").arg(context.project.target_dir().join("wasm"));
        let built = child::passes(&mut build)?;
        let all = libraries(context, &selection)?;
        let calls: Vec<&str> =
            JAVASCRIPT.into_iter().filter(|one| all.contains(&(*one).to_owned())).collect();
        match (built, &calls[..]) {
            (true, []) => eprintln!("{slug}: compiles"),
            (false, _) => eprintln!("{slug}: does not compile for {WASM_TARGET}"),
            (true, calls) => eprintln!(
                "{slug}: would import JavaScript through {}: \
                 `cargo tree -p {slug} --no-default-features --target {WASM_TARGET}` shows who brings it",
                calls.join(", ")
            ),
        }
        good &= built && calls.is_empty();
    }
    Ok(good.into())
}

/// Advisories need a database from the network that changes daily: they are not a property of a commit.
pub fn deny(context: &Context<'_>) -> Result {
    if tools::first_line("cargo", &["deny", "--version"]).is_none() {
        return Ok(Outcome::LeftOut(
            "no cargo-deny (cargo install --locked cargo-deny)".to_owned(),
        ));
    }
    // Duplicate versions are listed as warnings by the dozen; `cargo tree -d` shows them to who asks.
    passes(cargo::cargo(context.project).args([
        "deny",
        "--log-level",
        "error",
        "check",
        "bans",
        "licenses",
        "sources",
    ]))
}

pub fn compose(context: &Context<'_>) -> Result {
    if let Err(lack) = tools::demand(&tools::compose().tool) {
        return Ok(Outcome::LeftOut(lack.to_string()));
    }
    for profile in ["dev", "test"] {
        let mut command = compose_for(context.project, profile)?;
        let output =
            command.args(["config", "--services"]).output().context("Compose does not start")?;
        let services = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() || services.trim().is_empty() {
            eprintln!("profile {profile}: {}", String::from_utf8_lossy(&output.stderr));
            return Ok(Outcome::Failed);
        }
        eprintln!(
            "profile {profile}: {}",
            services.split_whitespace().collect::<Vec<_>>().join(", ")
        );
    }
    Ok(Outcome::Passed)
}

/// What a reader compiles before anything is seen: this tool, `testbed` and the first chapter's first run.
pub fn light(context: &Context<'_>) -> Result {
    let tool = libraries(context, &["-p", "xtask"])?;
    let first = context.project.chapters.first().context("there is no chapter")?;
    let run = libraries(
        context,
        &[
            "-p",
            "testbed",
            "-p",
            &first.slug,
            "--no-default-features",
            "--features",
            "testbed/kafka",
        ],
    )?;
    let in_tool: Vec<&str> =
        C_LIBRARIES.into_iter().filter(|one| tool.contains(&(*one).to_owned())).collect();
    let in_run = C_LIBRARIES
        .into_iter()
        .filter(|one| !RDKAFKA.contains(one) && run.contains(&(*one).to_owned()));
    let in_run: Vec<&str> = in_run.collect();
    if !in_tool.is_empty() {
        eprintln!("cargo xtask would compile C: {}", in_tool.join(", "));
    }
    if !in_run.is_empty() {
        eprintln!(
            "`cargo xtask run {}` would compile more than librdkafka: {}",
            first.slug,
            in_run.join(", ")
        );
    }
    Ok((in_tool.is_empty() && in_run.is_empty()).into())
}

fn libraries(context: &Context<'_>, selection: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut command = cargo::cargo(context.project);
    command
        .args(["tree", "--prefix", "none", "--format", "{lib}", "--edges", "normal,build"])
        .args(selection);
    let output = command.output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "`{}` failed: {errors}", child::line(&command));
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(|line| line.trim().to_owned()).collect())
}

/// Cargo over the whole workspace with the suite's features.
fn workspace(context: &Context<'_>, verb: &str) -> Command {
    let mut command = cargo::cargo(context.project);
    command.args([verb, "--workspace"]);
    if let Some(features) = context.around.features() {
        command.args(["--features", &features]);
    }
    command
}

fn passes(command: &mut Command) -> Result {
    Ok(child::passes(command)?.into())
}

fn succeeded(code: ExitCode) -> Result {
    Ok((code == ExitCode::SUCCESS).into())
}
