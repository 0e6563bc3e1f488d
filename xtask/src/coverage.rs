//! `cargo xtask coverage`: how many lines of each chapter's library its tests run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::cargo;
use crate::child;
use crate::project::{Chapter, Project};
use crate::say::{Spinner, Usage};
use crate::source_files::{crate_at, tests_from};
use crate::tools::{self, LlvmTools};

/// What `coverage` takes.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
        cargo xtask coverage topics producers    two chapters\n  \
        cargo xtask coverage topics --html       and the lines that no test runs, as pages\n\n\
        Lines of tests are not counted. Tests run as by `cargo xtask test`. Everything is compiled once more, with counters, to target/coverage.")]
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
        let files = files_of(&report, &chapter.folder)?;
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

    /// Takes away what earlier runs have counted, and the programs that they built: a report reads all that lie there,
    /// and would count the lines of an older source, which no test runs any more.
    fn forget(&self) -> anyhow::Result<()> {
        child::check(&mut self.cargo(&["clean", "--workspace"]))
    }

    /// Each line with code, and how often it ran: cargo-llvm-cov's sums would count tests as code that is tested.
    fn report(&self) -> anyhow::Result<Report> {
        let path = self.target.join("lines.lcov");
        let mut command = self.cargo(&["report", "--lcov", "--output-path"]);
        child::check(command.arg(&path))?;
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        read_lcov(&text).with_context(|| format!("{} is no lcov report", path.display()))
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

/// How often each line ran, by file.
type Report = BTreeMap<PathBuf, BTreeMap<usize, u64>>;

/// Reads `SF:FILE` and `DA:LINE,TIMES`, up to `end_of_record`; the other lines are sums.
fn read_lcov(text: &str) -> anyhow::Result<Report> {
    let mut report = Report::new();
    let mut file: Option<&mut BTreeMap<usize, u64>> = None;
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            file = Some(report.entry(path.into()).or_default());
        } else if let Some(data) = line.strip_prefix("DA:") {
            let read = || {
                // A checksum may follow.
                let (number, rest) = data.split_once(',')?;
                let times = rest.split(',').next()?;
                Some((number.parse::<usize>().ok()?, times.parse::<u64>().ok()?))
            };
            let (number, times) = read().with_context(|| format!("cannot read {line:?}"))?;
            let file = file.as_mut().with_context(|| format!("{line:?} belongs to no file"))?;
            *file.entry(number).or_default() += times;
        }
    }
    anyhow::ensure!(!report.is_empty(), "it names no files");
    Ok(report)
}

/// The files of a chapter's library, by their paths below `src`: without programs, and without tests.
fn files_of(report: &Report, chapter: &Path) -> anyhow::Result<Vec<(String, Lines)>> {
    let library = crate_at(chapter, "src/lib.rs")?;
    let mut found = Vec::new();
    for file in library.code {
        let path = chapter.join(&file);
        // A file without functions is in no report, and neither is a text.
        let Some(times) = report.get(&path) else { continue };
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let tests = tests_from(&text).unwrap_or(usize::MAX);
        let counted = || times.range(..tests);
        let lines = Lines {
            count: counted().count() as u64,
            run: counted().filter(|(_, times)| **times > 0).count() as u64,
        };
        let name = file.strip_prefix("src/").unwrap_or(&file);
        found.push((name.to_owned(), lines));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_may_be_quoted_and_hold_an_equals_sign() {
        let read = |line| variable(line).unwrap();
        assert_eq!(read("CARGO_LLVM_COV=1"), ("CARGO_LLVM_COV".into(), "1".into()));
        assert_eq!(read("FLAGS='--cfg=coverage'"), ("FLAGS".into(), "--cfg=coverage".into()));
        assert_eq!(variable("info: nothing"), None);
    }

    #[test]
    fn a_library_is_its_files_without_its_programs_and_its_tests() {
        let folder = tempfile::tempdir().unwrap();
        let chapter = folder.path().join("chapters").join("topics");
        let files = [
            ("src/lib.rs", "mod plan;\nmod deep;\n\n#[cfg(test)]\nmod properties;\n"),
            ("src/plan.rs", "fn a() {\n}\n\n#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\n"),
            ("src/deep/mod.rs", "pub mod keys;\n"),
            ("src/deep/keys.rs", "fn a() {\n}\n"),
            ("src/properties.rs", "fn a() {}\n"),
            ("src/bin/topics.rs", "fn main() {}\n"),
        ];
        let mut lcov =
            String::from("SF:/elsewhere/chapters/topics/src/plan.rs\nDA:1,0\nend_of_record\n");
        for (path, text) in files {
            let path = chapter.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            lcov.push_str(&format!("SF:{}\nFN:1,a\n", path.display()));
            for (at, line) in text.lines().enumerate() {
                // Of the code one line never runs, of the tests all do.
                let times = u64::from(!(path.ends_with("plan.rs") && at == 1));
                if !line.is_empty() && !line.starts_with("#[") && !line.contains("mod ") {
                    lcov.push_str(&format!("DA:{},{times}\n", at + 1));
                }
            }
            lcov.push_str("LF:9\nLH:9\nend_of_record\n");
        }
        let files = files_of(&read_lcov(&lcov).unwrap(), &chapter).unwrap();
        let name = |(name, lines): &(String, Lines)| (name.clone(), lines.count, lines.run);
        assert_eq!(
            files.iter().map(name).collect::<Vec<_>>(),
            [
                ("deep/keys.rs".to_owned(), 2, 2),
                ("deep/mod.rs".to_owned(), 0, 0),
                ("lib.rs".to_owned(), 0, 0),
                ("plan.rs".to_owned(), 2, 1)
            ]
        );
        let all = files.iter().fold(Lines::default(), |sum, (_, lines)| sum.and(*lines));
        assert_eq!(all.row("topics"), "topics            4      3  75.0 %");
    }

    #[test]
    fn a_share_is_never_rounded_up() {
        assert_eq!(Lines { count: 2500, run: 2249 }.row("x"), "x              2500   2249  89.9 %");
        assert_eq!(Lines::default().share(), 100.0);
    }

    #[test]
    fn a_report_of_another_form_is_an_error() {
        let said = |text| read_lcov(text).unwrap_err().to_string();
        assert_eq!(said(""), "it names no files");
        assert_eq!(said("DA:1,2\n"), "\"DA:1,2\" belongs to no file");
        assert_eq!(said("SF:/a\nDA:one,2\n"), "cannot read \"DA:one,2\"");
    }
}
