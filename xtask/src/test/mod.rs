//! `cargo xtask test`: the suite, with one Kafka for all of it.

mod summary;

use std::io::ErrorKind;
use std::num::NonZero;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use testbed::kind::{BrokerChoice, Kind};

use crate::cargo::{self, Built};
use crate::child;
use crate::project::{Chapter, Project, TargetKind, without_the_word_chapter};
use crate::run::install;
use crate::say::{self, Spinner};
use crate::suite::{self, LeftOut, Surroundings};
use crate::tools;
use summary::Summary;

/// Sets how many tests nextest runs at a time; who sets it, or says it after `--`, is obeyed.
const TEST_THREADS: &str = "NEXTEST_TEST_THREADS";

/// What `test` takes.
#[derive(clap::Args)]
#[command(
    override_usage = "cargo xtask test [CHAPTER] [OPTIONS] [-- ARGS]",
    after_help = "Examples:\n  \
        cargo xtask test                        everything that this machine can run\n  \
        cargo xtask test quickstart             one chapter\n  \
        cargo xtask test --broker embedded      without Java and Docker, in seconds\n  \
        cargo xtask test events -- a_bad_order  tests with this in their name\n\n\
        What cannot run here is left out, and said at the end with the command that mends it.\n\
        With CI=true, leaving something out is a failure."
)]
pub struct Args {
    /// A chapter by number, slug or unique part of a slug; all where none is named
    #[arg(num_args = 0..=2, value_name = "CHAPTER")]
    words: Vec<String>,
    /// Which Kafka: auto, embedded, local, docker, external or external=HOST:PORT
    #[arg(long, default_value = "auto", value_name = "BROKER")]
    broker: BrokerChoice,
    /// Arguments for the test runner, after `--`
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<String>,
    /// Leave out what ran with another kind: unit tests, doc tests, tests that start a Kafka themselves
    #[arg(skip)]
    again: bool,
}

impl Args {
    /// All tests, on this kind of broker.
    pub fn on(broker: BrokerChoice) -> Args {
        Args { words: Vec::new(), broker, arguments: Vec::new(), again: false }
    }

    /// The tests for which the kind of broker makes a difference: what chapters do with a Kafka that they are given.
    pub fn again_on(broker: BrokerChoice) -> Args {
        Args { again: true, ..Args::on(broker) }
    }
}

/// Runs the tests, then says what was left out.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    let chapter = match without_the_word_chapter(&args.words) {
        [] => None,
        [word] => Some(project.chapter(word)?),
        words => {
            return Err(say::Usage::error(format!(
                "{:?}: one chapter, or none for all",
                words.join(" ")
            )));
        }
    };
    tools::ready_to_build()?;
    let around = {
        let _spinner = Spinner::start("Looking at this machine");
        Surroundings::probe()
    };
    let mut suite = Suite {
        project,
        chapter,
        features: around.features(),
        excluded: excluded(project, chapter, &around)?,
        kind: around.kind(&args.broker)?,
        broker: &args.broker,
        left_out: left_out(&around, &args),
        again: args.again,
    };
    let built = suite.build()?;
    if suite.starts_local()
        && let Err(error) = install(&built)
    {
        if error.is::<child::Stopped>() {
            return Err(error);
        }
        // It has said why. Without a network, as on a train, all other tests can run.
        let around = around.without_local();
        suite.kind = around.kind(&args.broker)?;
        suite.left_out = left_out(&around, &args);
    }
    let passed = suite.run(&built, &args.arguments)?;
    Ok(finish(&suite, passed))
}

fn left_out(around: &Surroundings, args: &Args) -> Vec<LeftOut> {
    let mut left_out = around.left_out(&args.broker);
    if args.again {
        left_out.retain(|one| one.module == "real_kafka");
        let own = ["own_cluster", "docker", "tls"];
        left_out.extend(own.map(|module| LeftOut { module, reason: None }));
    }
    left_out
}

struct Suite<'a> {
    project: &'a Project,
    chapter: Option<&'a Chapter>,
    features: Option<String>,
    /// Packages that cannot be built here.
    excluded: Vec<String>,
    kind: Kind,
    broker: &'a BrokerChoice,
    left_out: Vec<LeftOut>,
    /// Only what [`Args::again_on`] wants.
    again: bool,
}

/// Leaves out chapters that link OpenSSL whatever their features, where its headers are missing.
fn excluded(
    project: &Project,
    chapter: Option<&Chapter>,
    around: &Surroundings,
) -> anyhow::Result<Vec<String>> {
    if around.openssl.is_ready() {
        return Ok(Vec::new());
    }
    let _spinner = Spinner::start("Looking for chapters that do without OpenSSL");
    let mut excluded = Vec::new();
    for one in &project.chapters {
        if links_openssl(project, &one.slug)? {
            anyhow::ensure!(
                chapter.is_none_or(|chapter| chapter.slug != one.slug),
                "chapter {:?} needs OpenSSL's headers: {}",
                one.slug,
                around.openssl.mend
            );
            excluded.push(one.slug.clone());
        }
    }
    Ok(excluded)
}

/// True if a package, with its default features, its tests included, depends on OpenSSL.
pub fn links_openssl(project: &Project, package: &str) -> anyhow::Result<bool> {
    let mut command = cargo::cargo(project);
    command.args([
        "tree",
        "--quiet",
        "--prefix",
        "none",
        "--format",
        "{lib}",
        "--edges",
        "normal,build,dev",
        "-p",
        package,
    ]);
    let output = command.output()?;
    anyhow::ensure!(
        output.status.success(),
        "`{}` failed: {}",
        child::line(&command),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).lines().any(|line| line.trim() == "openssl_sys"))
}

impl Suite<'_> {
    /// Builds `testbed`, and the programs that tests start.
    fn build(&self) -> anyhow::Result<Vec<Built>> {
        let mut build = self.cargo("build");
        build.args(["--bin", "testbed", "--test", self.integration_test()]);
        // Tests start the programs that a reader starts; examples are not built for a selected test.
        let programs = self.chapter.into_iter().flat_map(|chapter| &chapter.targets);
        for target in programs.filter(|t| matches!(t.kind, TargetKind::Bin | TargetKind::Example)) {
            build.args([target.kind.flag(), &target.name]);
        }
        cargo::build(&mut build)
    }

    /// True if a local Kafka is started, for all tests or by one of them.
    fn starts_local(&self) -> bool {
        self.kind == Kind::Local || self.left_out.iter().all(|one| one.module != "own_cluster")
    }

    /// True if every test passed.
    fn run(&self, built: &[Built], arguments: &[String]) -> anyhow::Result<bool> {
        let nextest = cargo::has_nextest();
        let tests = match (nextest, self.chapter) {
            (true, _) => self.nextest(built, arguments)?,
            (false, None) => self.libtest(built, arguments)?,
            (false, Some(chapter)) => self.libtest_of(chapter, built, arguments)?,
        };
        // nextest knows no doc tests; `cargo test` has run them.
        let docs = !nextest && self.chapter.is_none()
            || self.again
            || !arguments.is_empty()
            || self.doc_tests()?;
        Ok(tests && docs)
    }

    /// An integration test among those wanted: with one selected, Cargo resolves features as it does
    /// for the whole suite, and `testbed` is not built a second time.
    fn integration_test(&self) -> &str {
        let own = self.chapter.and_then(|chapter| chapter.targets_of(TargetKind::Test).next());
        own.unwrap_or("testbed_it")
    }

    fn cargo(&self, verb: &str) -> Command {
        let mut command = cargo::cargo(self.project);
        command.args(verb.split(' ')).arg("--workspace");
        for package in &self.excluded {
            command.args(["--exclude", package]);
        }
        if let Some(features) = &self.features {
            command.args(["--features", features]);
        }
        command
    }

    /// The targets of one chapter, by their unique names; all libraries, which no flag tells apart.
    fn select(&self, command: &mut Command) {
        let Some(chapter) = self.chapter else { return };
        if chapter.has_lib() {
            command.arg("--lib");
        }
        for target in
            chapter.targets.iter().filter(|t| matches!(t.kind, TargetKind::Bin | TargetKind::Test))
        {
            command.args([target.kind.flag(), &target.name]);
        }
    }

    fn nextest(&self, built: &[Built], arguments: &[String]) -> anyhow::Result<bool> {
        let selected = || {
            let mut command = self.cargo("nextest run");
            self.select(&mut command);
            let package = self.chapter.map(|chapter| chapter.slug.as_str());
            let filter = match self.again {
                true => Some(suite::nextest_filter_again(self.project, &self.left_out)),
                false => suite::nextest_filter(package, &self.left_out),
            };
            if let Some(filter) = filter {
                command.args(["-E", &filter]);
            }
            command
        };
        // Everything is compiled before a cluster is started for it.
        child::check(selected().arg("--no-run"))?;
        let mut command = selected();
        // A chapter, or a name, may have none that can run here; of all chapters some always can.
        command.arg(if self.again { "--no-tests=fail" } else { "--no-tests=pass" }).args(arguments);
        let mut command = self.with_a_cluster(built, &command)?;
        if std::env::var_os(TEST_THREADS).is_none() {
            command.env(TEST_THREADS, test_threads().to_string());
        }
        let passed = child::passes(&mut command)?;
        self.keep_report(!arguments.is_empty())?;
        Ok(passed)
    }

    /// Gives nextest's report a name that the next run of other tests does not overwrite: the book
    /// shows for each test how it ended last.
    fn keep_report(&self, some: bool) -> anyhow::Result<()> {
        let folder = self.project.root.join("target").join("nextest").join("default");
        let scope = self.chapter.map_or("all", |chapter| chapter.slug.as_str());
        let again = if some { "-some" } else { "" };
        let kept = folder.join(format!("{scope}-{}{again}.xml", self.kind.word()));
        match std::fs::rename(folder.join("junit.xml"), &kept) {
            // Where no test was selected there is no report.
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} cannot be written", kept.display()))
            }
            _ => Ok(()),
        }
    }

    fn libtest(&self, built: &[Built], arguments: &[String]) -> anyhow::Result<bool> {
        let mut compile = self.cargo("test");
        child::check(compile.arg("--no-run"))?;
        let mut command = self.cargo("test");
        command
            .arg("--no-fail-fast")
            .arg("--")
            .args(suite::libtest_skips(&self.left_out))
            .args(arguments);
        child::passes(&mut self.with_a_cluster(built, &command)?)
    }

    /// Without nextest, which selects by package, the chapter's own executables are run one by one.
    fn libtest_of(
        &self,
        chapter: &Chapter,
        built: &[Built],
        arguments: &[String],
    ) -> anyhow::Result<bool> {
        let mut compile = self.cargo("test");
        self.select(&mut compile);
        let harnesses = cargo::build(compile.arg("--no-run"))?;
        let mut passed = true;
        for harness in harnesses.iter().filter(|one| one.is_test && one.package == chapter.folder) {
            let mut command = Command::new(&harness.executable);
            command.args(suite::libtest_skips(&self.left_out)).args(arguments);
            // Unit tests know no Kafka.
            if chapter.targets_of(TargetKind::Test).any(|name| name == harness.target) {
                command = self.with_a_cluster(built, &command)?;
            }
            // What Cargo gives a test: its package's folder.
            command.current_dir(&chapter.folder).env("CARGO_MANIFEST_DIR", &chapter.folder);
            passed &= child::passes(&mut command)?;
        }
        Ok(passed)
    }

    fn doc_tests(&self) -> anyhow::Result<bool> {
        if self.chapter.is_some_and(|chapter| !has_doc_tests(&chapter.folder.join("src"))) {
            return Ok(true);
        }
        let mut command = self.cargo("test");
        command.args(["--doc", "--quiet"]);
        if let Some(chapter) = self.chapter {
            // Doc tests are named after their file; nothing else tells the packages apart.
            command.arg("--").arg(Path::new("chapters").join(&chapter.slug).join("src"));
        }
        eprintln!("Doc tests");
        child::passes(&mut command)
    }

    /// `testbed exec`: one cluster for the command. It owns its topics; the tests make their own.
    fn with_a_cluster(&self, built: &[Built], inner: &Command) -> anyhow::Result<Command> {
        let mut command = Command::new(cargo::program(built, "testbed")?);
        command.current_dir(&self.project.root).args(["exec", "--verbose", "--broker"]);
        match self.broker {
            external @ BrokerChoice::External(_) => command.arg(external.to_string()),
            _ => command.arg(self.kind.word()),
        };
        command.arg("--").arg(inner.get_program()).args(inner.get_args());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Ok(command)
    }
}

/// Twice as many as there are processors: most tests wait for a broker most of their time.
fn test_threads() -> usize {
    2 * std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// True if a doc comment below this folder holds code: running rustdoc costs seconds.
fn has_doc_tests(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return has_doc_tests(&path);
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        text.lines().any(|line| {
            let line = line.trim_start();
            line.starts_with("//! ```") || line.starts_with("/// ```")
        })
    })
}

/// Says what was left out, in the last line too.
fn finish(suite: &Suite<'_>, passed: bool) -> ExitCode {
    let package = suite.chapter.map(|chapter| chapter.slug.as_str());
    let tests =
        |module: &str, others: &[&str]| suite::count_tests(suite.project, package, module, others);
    let summary = Summary::new(&suite.left_out, &suite.excluded, tests);
    print!("\n{}", summary.text(passed, suite.kind, say::on_ci()));
    ExitCode::from(u8::from(!passed || (summary.incomplete && say::on_ci())))
}
