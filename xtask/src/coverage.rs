//! `cargo xtask coverage`: how many lines of each chapter's library its tests run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use serde_json::Value;

use crate::cargo;
use crate::child;
use crate::project::{Chapter, Project};
use crate::say::{Spinner, Usage};
use crate::tools::{self, LlvmTools};

/// What `coverage` takes.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
        cargo xtask coverage topics producers    two chapters\n  \
        cargo xtask coverage topics --html       and the lines that no test runs, as pages\n\n\
        Tests run as by `cargo xtask test`. Everything is compiled once more, with counters, to target/coverage.")]
pub struct Args {
    /// Chapters by number, slug or unique part of a slug; all where none is named
    #[arg(value_name = "CHAPTER")]
    words: Vec<String>,
    /// A chapter with a smaller share of its lines, in percent, is a failure
    #[arg(long, default_value_t = 90.0, value_name = "PERCENT")]
    at_least: f64,
    /// Write target/coverage/html, which shows each line
    #[arg(long)]
    html: bool,
}

/// Runs the tests of the chapters with counters in the code, and prints a line for each library.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    if !(0.0..=100.0).contains(&args.at_least) {
        return Err(Usage::error(format!("--at-least {}: percent, 0 to 100", args.at_least)));
    }
    let chapters: Vec<&Chapter> = match args.words.as_slice() {
        [] => project.chapters.iter().collect(),
        words => words.iter().map(|word| project.chapter(word)).collect::<anyhow::Result<_>>()?,
    };
    let instruments = Instruments::new(project)?;
    instruments.forget()?;
    for chapter in &chapters {
        let this = std::env::current_exe().context("this program cannot find itself")?;
        let mut tests = instruments.around(Command::new(this));
        child::check(tests.current_dir(&project.root).args(["test", &chapter.slug]))?;
    }
    let spinner = Spinner::start("Adding up");
    let report = instruments.report()?;
    if args.html {
        instruments.html()?;
    }
    drop(spinner);
    let mut good = true;
    println!("{:12} {:>6} {:>6} {:>7}", "Library", "Lines", "Run", "Share");
    for chapter in chapters {
        let files = files_of(&report, &chapter.folder.join("src"))?;
        let all = files.iter().fold(Lines::default(), |sum, (_, lines)| sum.and(*lines));
        anyhow::ensure!(all.count > 0, "no line of {} was counted", chapter.slug);
        println!("{}", all.row(&chapter.slug));
        good &= all.share() >= args.at_least;
        for (name, lines) in files.iter().filter(|(_, lines)| lines.share() < args.at_least) {
            println!("{}", lines.row(&format!("  {name}")));
        }
    }
    if args.html {
        println!("{}", instruments.target.join("html").join("index.html").display());
    }
    if !good {
        eprintln!(
            "error: below {} percent: `--html` shows which lines no test runs",
            args.at_least
        );
    }
    Ok(ExitCode::from(u8::from(!good)))
}

/// cargo-llvm-cov, and what it wants to be told.
struct Instruments<'a> {
    project: &'a Project,
    /// A target folder of its own: what has counters is compiled otherwise.
    target: PathBuf,
    llvm: LlvmTools,
    /// By these variables any Cargo builds with counters.
    variables: Vec<(String, String)>,
}

impl<'a> Instruments<'a> {
    fn new(project: &'a Project) -> anyhow::Result<Instruments<'a>> {
        let llvm = tools::llvm().map_err(anyhow::Error::msg)?;
        let target = project.target_dir().join("coverage");
        let mut instruments = Instruments { project, target, llvm, variables: Vec::new() };
        let shown = instruments.cargo(&["show-env"]).output().context("cargo does not start")?;
        anyhow::ensure!(
            shown.status.success(),
            "cargo-llvm-cov does not say how to build: {}",
            String::from_utf8_lossy(&shown.stderr).trim()
        );
        let text = String::from_utf8(shown.stdout).context("cargo-llvm-cov wrote no text")?;
        instruments.variables = text.lines().filter_map(variable).collect();
        Ok(instruments)
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.around(cargo::cargo(self.project));
        command.arg("llvm-cov").args(arguments);
        command
    }

    fn around(&self, mut command: Command) -> Command {
        command.env("CARGO_TARGET_DIR", &self.target);
        command.env("LLVM_COV", &self.llvm.cov).env("LLVM_PROFDATA", &self.llvm.profdata);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Takes away what earlier runs have counted.
    fn forget(&self) -> anyhow::Result<()> {
        child::check(&mut self.cargo(&["clean", "--profraw-only"]))
    }

    fn report(&self) -> anyhow::Result<Value> {
        let path = self.target.join("summary.json");
        let mut command = self.cargo(&["report", "--json", "--summary-only", "--output-path"]);
        child::check(command.arg(&path))?;
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
    }

    fn html(&self) -> anyhow::Result<()> {
        child::check(self.cargo(&["report", "--html", "--output-dir"]).arg(&self.target))
    }
}

/// A variable of `cargo llvm-cov show-env`: `NAME='value'`, or `NAME=value`.
fn variable(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let quoted = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
    Some((name.to_owned(), quoted.unwrap_or(value).to_owned()))
}

/// Lines with code.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Lines {
    count: u64,
    /// Those that a test ran.
    run: u64,
}

impl Lines {
    fn and(self, more: Lines) -> Lines {
        Lines { count: self.count + more.count, run: self.run + more.run }
    }

    /// In percent. A file without code lacks nothing.
    fn share(self) -> f64 {
        if self.count == 0 {
            return 100.0;
        }
        100.0 * self.run as f64 / self.count as f64
    }

    fn row(self, name: &str) -> String {
        // Rounded down: 89.96 is not 90.
        let share = (self.share() * 10.0).floor() / 10.0;
        format!("{name:12} {:>6} {:>6} {share:>5.1} %", self.count, self.run)
    }
}

/// The files below `src` of a report, by their paths there, without the programs in `src/bin`.
fn files_of(report: &Value, src: &Path) -> anyhow::Result<Vec<(String, Lines)>> {
    let files = report["data"][0]["files"].as_array().context("the report names no files")?;
    let mut found = Vec::new();
    for file in files {
        let name = file["filename"].as_str().context("a file of the report has no name")?;
        let Ok(path) = Path::new(name).strip_prefix(src) else { continue };
        if path.starts_with("bin") {
            continue;
        }
        let lines = &file["summary"]["lines"];
        let number = |field: &str| {
            lines[field].as_u64().with_context(|| format!("{name}: no number of lines `{field}`"))
        };
        let lines = Lines { count: number("count")?, run: number("covered")? };
        found.push((path.display().to_string(), lines));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_variable_may_be_quoted_and_hold_an_equals_sign() {
        let read = |line| variable(line).unwrap();
        assert_eq!(read("CARGO_LLVM_COV=1"), ("CARGO_LLVM_COV".into(), "1".into()));
        assert_eq!(read("FLAGS='--cfg=coverage'"), ("FLAGS".into(), "--cfg=coverage".into()));
        assert_eq!(variable("info: nothing"), None);
    }

    #[test]
    fn a_library_is_its_files_without_its_programs() {
        let file = |name: &str, count: u64, covered: u64| json!({ "filename": name, "summary": { "lines": { "count": count, "covered": covered } } });
        let report = json!({ "data": [{ "files": [
            file("/book/chapters/topics/src/plan.rs", 10, 9),
            file("/book/chapters/topics/src/deep/keys.rs", 10, 10),
            file("/book/chapters/topics/src/bin/topics.rs", 10, 0),
            file("/book/chapters/topics/tests/it/main.rs", 10, 0),
            file("/book/chapters/topics-more/src/lib.rs", 10, 0),
        ] }] });
        let files = files_of(&report, Path::new("/book/chapters/topics/src")).unwrap();
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["plan.rs", "deep/keys.rs"]);
        let all = files.iter().fold(Lines::default(), |sum, (_, lines)| sum.and(*lines));
        assert_eq!(all, Lines { count: 20, run: 19 });
        assert_eq!(all.row("topics"), "topics           20     19  95.0 %");
    }

    #[test]
    fn a_share_is_never_rounded_up() {
        assert_eq!(Lines { count: 2500, run: 2249 }.row("x"), "x              2500   2249  89.9 %");
        assert_eq!(Lines::default().share(), 100.0);
    }

    #[test]
    fn a_report_of_another_form_is_an_error() {
        assert!(files_of(&json!({}), Path::new("/src")).is_err());
        let no_lines = json!({ "data": [{ "files": [{ "filename": "/src/lib.rs" }] }] });
        let error = files_of(&no_lines, Path::new("/src")).unwrap_err();
        assert_eq!(error.to_string(), "/src/lib.rs: no number of lines `count`");
    }
}
