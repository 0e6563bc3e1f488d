//! `cargo xtask run`: builds the least that a chapter's program needs, and runs it with a Kafka.

use std::process::{Command, ExitCode, ExitStatus, Stdio};

use anyhow::Context;
use testbed::kind::{self, BrokerChoice, Kind};
use testbed::machine::Machine;

use crate::cargo::{self, Built};
use crate::child;
use crate::project::{Chapter, Project, Run, Target, TargetKind, without_the_word_chapter};
use crate::say::{Spinner, Usage};
use crate::tools;

/// What `run` takes.
#[derive(clap::Args)]
#[command(
    override_usage = "cargo xtask run [chapter] CHAPTER [RUN] [OPTIONS] [-- ARGS]",
    after_help = "Examples:\n  \
        cargo xtask run chapter 1                  the first run of chapter 1\n  \
        cargo xtask run quickstart shop            its run \"shop\"\n  \
        cargo xtask run 1 --broker local           on a real Kafka, started for it\n  \
        cargo xtask run 1 --broker external=localhost:9092\n\n\
        `cargo xtask list --runs` shows what can be run."
)]
pub struct Args {
    /// A chapter by number, slug or unique part of a slug; then the name of one of its runs
    #[arg(required = true, num_args = 1..=3, value_name = "CHAPTER [RUN]")]
    words: Vec<String>,
    #[command(flatten)]
    options: Options,
    /// Arguments for the program, after `--`
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<String>,
}

/// Which Kafka a program is to have.
#[derive(clap::Args)]
pub struct Options {
    /// Which Kafka: auto, embedded, local, docker, external or external=HOST:PORT
    #[arg(long, default_value = "auto", value_name = "BROKER")]
    broker: BrokerChoice,
    /// Leave the Kafka running afterwards, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Say which Kafka was chosen, and why
    #[arg(long, short)]
    verbose: bool,
}

/// Runs the program, and gives its exit code.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    let (chapter, run) = match without_the_word_chapter(&args.words) {
        [chapter] => (chapter, None),
        [chapter, run] => (chapter, Some(run.as_str())),
        words => {
            return Err(Usage::error(format!(
                "{:?} is one word too many: cargo xtask run CHAPTER [RUN] -- ARGS",
                words.join(" ")
            )));
        }
    };
    let chapter = project.chapter(chapter)?;
    let run = chapter.run(run)?;
    Ok(child::exit_code(start(project, chapter, run, &args.options, &args.arguments)?))
}

/// Builds the program of a run, and runs it to its end.
pub fn start(
    project: &Project,
    chapter: &Chapter,
    run: &Run,
    options: &Options,
    arguments: &[String],
) -> anyhow::Result<ExitStatus> {
    refuse_what_is_not_taken(chapter, run, options)?;
    let kind = kind::choose(&options.broker, &run.needs, Machine::probe)?;
    announce_broker(kind, run, options);

    let built = build(project, chapter, run, kind)?;
    let mut command = command(
        &built,
        run,
        &Around { broker: &options.broker, kind, keep: options.keep, verbose: options.verbose },
    )?;
    child::run(command.args(arguments))
}

/// A program that starts its cluster itself takes none from here, and leaves none: to say nothing would be to say
/// that it ran on what was named.
pub fn refuse_what_is_not_taken(
    chapter: &Chapter,
    run: &Run,
    options: &Options,
) -> anyhow::Result<()> {
    let refuse = |option: String| {
        Err(Usage::error(format!(
            "{option} goes with no run that starts its own Kafka, and {} {} does: it kills brokers, or makes them \
             fail. Leave it out",
            chapter.slug, run.name
        )))
    };
    match &options.broker {
        _ if !run.owns_cluster => Ok(()),
        BrokerChoice::Auto if options.keep => refuse("--keep".to_owned()),
        BrokerChoice::Auto => Ok(()),
        named => refuse(format!("--broker {named}")),
    }
}

fn announce_broker(kind: Kind, run: &Run, options: &Options) {
    if run.owns_cluster {
        eprintln!("Broker: {}, started by the program itself.", kind.label());
        return;
    }
    eprintln!("Broker: {}.", kind.label());
    if options.verbose {
        let asked = if run.needs.is_empty() {
            "nothing beyond producing and consuming".to_owned()
        } else {
            run.needs.to_string()
        };
        eprintln!("  This run needs {asked}.");
        match &options.broker {
            BrokerChoice::Auto => eprintln!(
                "  Of embedded, local and docker, {kind} is the first that can do this here."
            ),
            named => eprintln!("  You asked for it: --broker {named}."),
        }
    }
}

/// How the program is to be run.
pub struct Around<'a> {
    /// What was asked for: an external cluster's address is part of it.
    pub broker: &'a BrokerChoice,
    /// The kind that serves.
    pub kind: Kind,
    /// Leave the cluster running.
    pub keep: bool,
    /// Let `testbed` explain itself.
    pub verbose: bool,
}

/// The command that runs the program with a Kafka around it.
pub fn command(built: &[Built], run: &Run, around: &Around<'_>) -> anyhow::Result<Command> {
    let program = cargo::program(built, &run.program)?;
    if run.owns_cluster {
        let mut command = Command::new(program);
        command.args(&run.args);
        return Ok(command);
    }
    let mut command = Command::new(cargo::program(built, "testbed")?);
    command.arg("exec").arg("--broker");
    match around.broker {
        external @ BrokerChoice::External(_) => command.arg(external.to_string()),
        _ => command.arg(around.kind.word()),
    };
    if !run.needs.is_empty() {
        command.arg("--needs").arg(run.needs.to_string().replace(' ', ""));
    }
    if !run.topics.is_empty() {
        command.arg("--topics").arg(run.topics.join(","));
    }
    if around.keep {
        command.arg("--keep");
    }
    if around.verbose {
        command.arg("--verbose");
    }
    command.arg("--").arg(program).args(&run.args);
    Ok(command)
}

/// Builds the program and, where it does not start its own cluster, `testbed`: nothing else, and of
/// `testbed` only the kind of broker that is used. So no OpenSSL is needed where none is taught.
pub fn build(
    project: &Project,
    chapter: &Chapter,
    run: &Run,
    kind: Kind,
) -> anyhow::Result<Vec<Built>> {
    tools::ready_to_build()?;
    let mut command = cargo::cargo(project);
    command.args(selection(chapter, run, kind)?);
    let spinner;
    if is_built(project, target(chapter, run)?) {
        command.arg("--quiet");
        spinner = Some(Spinner::start(format!("Building {}", run.program)));
    } else {
        // Cargo shows how far it is.
        spinner = None;
        let page = chapter
            .pages
            .first()
            .map_or("README.md".to_owned(), |page| format!("book/{}", page.path));
        let a_kafka = if run.owns_cluster { "" } else { " and a Kafka for it" };
        eprintln!(
            "Building chapter {}{a_kafka}; the first build takes a few minutes. Meanwhile: {page}",
            chapter.slug
        );
    }
    let built = cargo::build(&mut command)?;
    drop(spinner);
    if kind == Kind::Local && !run.owns_cluster {
        install(&built)?;
    }
    Ok(built)
}

/// Builds `testbed` alone, for one kind of broker, and fetches what that kind needs.
pub fn build_testbed(project: &Project, kind: Kind) -> anyhow::Result<Vec<Built>> {
    tools::ready_to_build()?;
    let mut command = cargo::cargo(project);
    command.args([
        "build",
        "--quiet",
        "--no-default-features",
        "-p",
        "testbed",
        "--bin",
        "testbed",
    ]);
    command.args(["--features", &testbed_features(kind)]);
    let spinner = Spinner::start("Building testbed, which starts a Kafka");
    let built = cargo::build(&mut command)?;
    drop(spinner);
    if kind == Kind::Local {
        install(&built)?;
    }
    Ok(built)
}

/// Fetches the jars of the local Kafka where they are not there yet.
pub fn install(built: &[Built]) -> anyhow::Result<()> {
    child::check(
        Command::new(cargo::program(built, "testbed")?).arg("install").stdout(Stdio::null()),
    )
    .context("the local Kafka could not be fetched")
}

/// True if Cargo has made this program before, perhaps of older code: then most of what it needs is compiled.
fn is_built(project: &Project, program: &Target) -> bool {
    let mut folder = project.target_dir().join("debug");
    if program.kind == TargetKind::Example {
        folder.push("examples");
    }
    folder.join(&program.name).is_file()
}

fn target<'a>(chapter: &'a Chapter, run: &Run) -> anyhow::Result<&'a Target> {
    chapter.target(&run.program).with_context(|| {
        format!("{}'s Cargo.toml has a run {:?} of program {:?}, and no [[bin]] or [[example]] of that name", chapter.slug, run.name, run.program)
    })
}

fn selection(chapter: &Chapter, run: &Run, kind: Kind) -> anyhow::Result<Vec<String>> {
    let target = target(chapter, run)?;
    let mut words = vec!["build".to_owned(), "--no-default-features".to_owned()];
    let mut features = Vec::new();
    if chapter.features.iter().any(|feature| feature == "default") {
        features.push(format!("{}/default", chapter.slug));
    }
    if chapter.slug != "testbed" {
        words.extend(["-p".to_owned(), chapter.slug.clone()]);
    }
    if !run.owns_cluster || chapter.slug == "testbed" {
        words.extend(["-p".to_owned(), "testbed".to_owned()]);
    }
    if !run.owns_cluster {
        words.extend(["--bin".to_owned(), "testbed".to_owned()]);
        features.push(testbed_features(kind));
    }
    if !features.is_empty() {
        words.extend(["--features".to_owned(), features.join(",")]);
    }
    words.extend([target.kind.flag().to_owned(), target.name.clone()]);
    Ok(words)
}

/// What `testbed` is built with to start this kind of broker.
fn testbed_features(kind: Kind) -> String {
    match kind {
        Kind::Local => "testbed/kafka,testbed/local",
        Kind::Docker => "testbed/kafka,testbed/docker",
        Kind::Embedded | Kind::External => "testbed/kafka",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn chapter(slug: &str, features: &str) -> Chapter {
        let text = format!(
            "[package]\nname = \"{slug}\"\n[package.metadata.chapter]\nruns = [\n\
             {{ name = \"first\", program = \"{slug}\", topics = [\"orders:1\"], needs = [\"txn\", \"brokers=3\"] }},\n\
             {{ name = \"own\", program = \"{slug}_run\", owns_cluster = true }},\n]\n{features}\n\
             [[bin]]\nname = \"{slug}\"\n[[example]]\nname = \"{slug}_run\"\n"
        );
        Chapter::parse(&text, Path::new(".")).unwrap()
    }

    #[test]
    fn the_light_set_is_testbed_without_java_docker_and_tls() {
        let chapter = chapter("quickstart", "");
        let words = selection(&chapter, &chapter.runs[0], Kind::Embedded).unwrap().join(" ");
        assert_eq!(
            words,
            "build --no-default-features -p quickstart -p testbed --bin testbed --features testbed/kafka --bin quickstart"
        );
    }

    #[test]
    fn a_chapters_default_features_are_kept_and_the_broker_adds_its_own() {
        let chapter = chapter("events", "[features]\ndefault = []\n");
        let words = selection(&chapter, &chapter.runs[0], Kind::Local).unwrap().join(" ");
        assert!(words.contains("--features events/default,testbed/kafka,testbed/local"), "{words}");
    }

    #[test]
    fn a_program_with_its_own_cluster_is_built_and_run_alone() {
        let chapter = chapter("testbed", "[features]\ndefault = []\n");
        let words = selection(&chapter, &chapter.runs[1], Kind::Local).unwrap().join(" ");
        assert_eq!(
            words,
            "build --no-default-features -p testbed --features testbed/default --example testbed_run"
        );
    }

    #[test]
    fn a_program_with_its_own_cluster_takes_no_other() {
        let chapter = chapter("testbed", "");
        let said = |run: usize, broker: &str, keep: bool| {
            let options = Options { broker: broker.parse().unwrap(), keep, verbose: false };
            let refused = refuse_what_is_not_taken(&chapter, &chapter.runs[run], &options);
            refused.err().map(|error| (error.is::<Usage>(), error.to_string()))
        };
        let (usage, text) = said(1, "external=kafka:9092", false).unwrap();
        assert!(
            usage && text.starts_with("--broker external=kafka:9092 goes with no run"),
            "{text}"
        );
        let (usage, text) = said(1, "auto", true).unwrap();
        assert!(usage && text.contains("--keep") && text.contains("testbed own does"), "{text}");
        assert_eq!((said(1, "auto", false), said(0, "local", true)), (None, None));
    }

    /// A run with a cluster of its own builds no `testbed`: that one's file says nothing of it.
    #[test]
    fn a_program_is_known_to_be_built_by_its_own_file() {
        let folder = tempfile::tempdir().unwrap();
        let built_in = Some(folder.path().to_owned());
        let project = Project { root: PathBuf::from("/"), chapters: Vec::new(), built_in };
        let chapter = chapter("events", "");
        let built = |run: usize| is_built(&project, target(&chapter, &chapter.runs[run]).unwrap());
        std::fs::create_dir_all(folder.path().join("debug").join("examples")).unwrap();
        std::fs::write(folder.path().join("debug").join("testbed"), "").unwrap();
        assert_eq!((built(0), built(1)), (false, false));
        std::fs::write(folder.path().join("debug").join("examples").join("events_run"), "")
            .unwrap();
        assert_eq!((built(0), built(1)), (false, true));
        std::fs::write(folder.path().join("debug").join("events"), "").unwrap();
        assert_eq!((built(0), built(1)), (true, true));
    }

    #[test]
    fn topics_needs_and_the_named_cluster_reach_testbed() {
        let chapter = chapter("quickstart", "");
        let built = |name: &str| Built {
            target: name.to_owned(),
            package: PathBuf::new(),
            is_test: false,
            executable: PathBuf::from("/t").join(name),
        };
        let built = [built("testbed"), built("quickstart")];
        let broker = "external=kafka:9092".parse().unwrap();
        let around = Around { broker: &broker, kind: Kind::External, keep: true, verbose: false };
        let command = command(&built, &chapter.runs[0], &around).unwrap();
        assert_eq!(
            child::line(&command),
            "/t/testbed exec --broker external=kafka:9092 --needs brokers=3,txn --topics orders:1 --keep -- /t/quickstart"
        );
    }
}
