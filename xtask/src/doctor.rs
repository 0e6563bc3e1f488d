//! `cargo xtask doctor`: what this machine has, what it lacks, what that holds back, and what mends it.

use std::path::Path;
use std::process::ExitCode;

use testbed::kind::BrokerChoice;
use testbed::machine::{Machine, State, Tool};

use crate::cargo;
use crate::list::serves;
use crate::project::Project;
use crate::say::{Spinner, count};
use crate::suite::{self, Surroundings};
use crate::tools::{self, found};

/// What `doctor` takes.
#[derive(clap::Args)]
#[command(after_help = "Ends with code 1 if something is missing without which no chapter runs.")]
pub struct Args {}

/// A tool, what hangs on it, and whether nothing goes without it.
struct Finding {
    tool: Tool,
    holds_back: Vec<String>,
    essential: bool,
}

/// Prints one entry for each tool.
pub fn run(project: &Project, _: Args) -> anyhow::Result<ExitCode> {
    let spinner = Spinner::start("Looking at this machine");
    let findings = examine(project, &Surroundings::probe(), &tools::compose().tool);
    drop(spinner);
    let mut fit = true;
    for finding in &findings {
        print!("{}", finding.text());
        fit &= !finding.essential || finding.tool.is_ready();
    }
    let whole = findings.iter().all(|finding| finding.tool.is_ready());
    println!(
        "\n{}",
        match (fit, whole) {
            (false, _) => "No chapter runs here until that is mended.",
            (true, true) => "Everything is here.",
            (true, false) =>
                "Chapters run here; what is missing holds back no more than its entry says.",
        }
    );
    Ok(ExitCode::from(u8::from(!fit)))
}

fn examine(project: &Project, around: &Surroundings, compose: &Tool) -> Vec<Finding> {
    let always =
        |tool: Tool| Finding { tool, holds_back: vec!["everything".to_owned()], essential: true };
    let machine = &around.machine;
    let with_java =
        Machine { java: ready(&machine.java), maven: ready(&machine.maven), ..machine.clone() };
    let with_docker = Machine { docker: ready(&machine.docker), ..machine.clone() };
    let java_side = held_back(project, around, &with_java, &["real_kafka", "own_cluster"], "local");
    let docker_side = held_back(project, around, &with_docker, &["docker"], "docker");
    let tls_side = held_back(project, around, machine, &["tls"], "");
    let browser_side = ["cargo xtask book test", "cargo xtask book pdf"].map(str::to_owned);
    let optional = |tool: &Tool, holds_back: &[String]| Finding {
        tool: tool.clone(),
        holds_back: holds_back.to_vec(),
        essential: false,
    };
    vec![
        always(rust()),
        always(tools::c_compiler()),
        always(tools::make()),
        optional(&around.openssl, &tls_side),
        optional(&machine.java, &java_side),
        optional(&machine.maven, &java_side),
        optional(&machine.docker, &docker_side),
        optional(compose, &["cargo xtask kafka up --broker docker".to_owned()]),
        optional(
            &nextest(),
            &["nothing: without it the tests run one program after another".to_owned()],
        ),
        optional(&tools::node(), &browser_side),
        optional(&tools::chromium(), &browser_side),
        optional(
            &tools::webassembly(),
            &["what readers try in a page: the book is built without it".to_owned()],
        ),
        optional(
            &disk(&project.root),
            &["the first full build, which writes several GiB".to_owned()],
        ),
    ]
}

/// What would run if only this were there: runs, tests, and a kind of broker.
fn held_back(
    project: &Project,
    around: &Surroundings,
    mended: &Machine,
    modules: &[&str],
    broker: &str,
) -> Vec<String> {
    let mut held = Vec::new();
    if !broker.is_empty() {
        held.push(format!("--broker {broker}"));
    }
    let runs: Vec<String> = project
        .chapters
        .iter()
        .flat_map(|chapter| chapter.runs.iter().map(move |run| (chapter, run)))
        .filter(|(_, run)| serves(run, &around.machine).is_err() && serves(run, mended).is_ok())
        .map(|(chapter, run)| format!("{} {}", chapter.slug, run.name))
        .collect();
    if !runs.is_empty() {
        held.push(format!("runs: {}", runs.join(", ")));
    }
    for left_out in around.left_out(&BrokerChoice::Auto) {
        let tests = suite::count_tests(project, None, left_out.module, &[]);
        if modules.contains(&left_out.module) && tests > 0 {
            held.push(format!("{} in `{}`", count(tests, "test"), left_out.module));
        }
    }
    held
}

impl Finding {
    fn text(&self) -> String {
        let (mark, what) = match &self.tool.state {
            State::Ready(version) => ("ok", version),
            State::Unfit(what) => ("unfit", what),
            State::Missing(what) => ("missing", what),
        };
        let mut text = format!("{mark:8} {:11} {what}\n", self.tool.name);
        if !self.tool.is_ready() {
            if !self.holds_back.is_empty() {
                text.push_str(&format!("{:21}holds back  {}\n", "", self.holds_back.join("; ")));
            }
            text.push_str(&format!("{:21}to mend     {}\n", "", self.tool.mend));
        }
        text
    }
}

fn ready(tool: &Tool) -> Tool {
    Tool { state: State::Ready(String::new()), ..tool.clone() }
}

fn rust() -> Tool {
    // This program is there, so the compiler is new enough: Cargo refuses an older one.
    found(
        "Rust",
        tools::first_line("rustc", &["--version"]),
        "no rustc on the PATH",
        "rustup update stable".to_owned(),
    )
}

fn nextest() -> Tool {
    let version = cargo::has_nextest()
        .then(|| tools::first_line("cargo", &["nextest", "--version"]).unwrap_or_default());
    found(
        "nextest",
        version,
        "cargo-nextest is not installed",
        "cargo install --locked cargo-nextest".to_owned(),
    )
}

/// A full build of everything, tests included, takes about this much.
const DISK_AT_LEAST_GIB: u64 = 8;

fn disk(root: &Path) -> Tool {
    let free = std::process::Command::new("df")
        .arg("-Pk")
        .arg(root)
        .output()
        .ok()
        .and_then(|output| free_kib(&String::from_utf8_lossy(&output.stdout)));
    let state = match free.map(|kib| kib / (1024 * 1024)) {
        Some(gib) if gib >= DISK_AT_LEAST_GIB => State::Ready(format!("{gib} GiB free")),
        Some(gib) => {
            State::Unfit(format!("{gib} GiB free: a full build wants {DISK_AT_LEAST_GIB}"))
        }
        None => State::Ready("free space unknown".to_owned()),
    };
    Tool { name: "disk", state, mend: "cargo clean, or free some space".to_owned() }
}

/// The fourth column of the second line of `df -Pk`.
fn free_kib(df: &str) -> Option<u64> {
    df.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::project::Chapter;

    fn tool(name: &'static str, there: bool) -> Tool {
        found(name, there.then(|| "1".to_owned()), "not here", format!("install {name}"))
    }

    fn around(java: bool, docker: bool) -> Surroundings {
        let machine = Machine {
            java: tool("Java", java),
            maven: tool("Maven", java),
            docker: tool("Docker", docker),
        };
        Surroundings { machine, openssl: tool("OpenSSL", true) }
    }

    fn project() -> Project {
        let text = "[package]\nname = \"admin\"\n[package.metadata.chapter]\nruns = [\n\
                    { name = \"plain\", program = \"a\" },\n{ name = \"topics\", program = \"a\", needs = [\"admin\"] },\n\
                    { name = \"chaos\", program = \"a\", needs = [\"kill\"] },\n]\n";
        let chapter = Chapter::parse(text, Path::new("/nowhere")).unwrap();
        Project { root: PathBuf::from("/"), chapters: vec![chapter], built_in: None }
    }

    fn entry(around: &Surroundings, name: &str) -> String {
        let findings = examine(&project(), around, &tool("Compose", false));
        findings.iter().find(|finding| finding.tool.name == name).unwrap().text()
    }

    #[test]
    fn a_missing_tool_says_which_runs_it_holds_back_and_what_mends_it() {
        insta::assert_snapshot!(entry(&around(false, false), "Java"), @r"
        missing  Java        not here
                             holds back  --broker local; runs: admin topics, admin chaos
                             to mend     install Java
        ");
        insta::assert_snapshot!(entry(&around(false, true), "Compose"), @r"
        missing  Compose     not here
                             holds back  cargo xtask kafka up --broker docker
                             to mend     install Compose
        ");
        insta::assert_snapshot!(entry(&around(false, false), "Docker"), @r"
        missing  Docker      not here
                             holds back  --broker docker; runs: admin topics
                             to mend     install Docker
        ");
    }

    #[test]
    fn what_another_kind_of_broker_serves_is_not_held_back() {
        assert!(!entry(&around(false, true), "Java").contains("admin topics"));
        assert!(!entry(&around(true, false), "Docker").contains("runs:"));
        assert_eq!(entry(&around(true, true), "Java"), "ok       Java        1\n");
    }

    #[test]
    fn free_space_is_read_in_any_language() {
        let df = "Dateisystem 1024-Blöcke Benutzt Verfügbar Kapazität Eingehängt auf\n/dev/vda 263174212 27000000 67108864 29% /\n";
        assert_eq!(free_kib(df), Some(67_108_864));
        assert_eq!(free_kib(""), None);
    }
}
