//! `cargo xtask tidy`: the laws of this repository that no compiler and no linter knows.
//!
//! Each law is one function from the files to what breaks it, with a test that breaks it.

mod code;
mod layout;
mod manifests;
mod picture;
mod readme;
mod tree;
mod versions;

use std::fmt;
use std::process::ExitCode;

use crate::project::Project;
use crate::say::{Usage, count};
pub use layout::{MARK, write_readme_table};
use tree::Tree;

/// What `tidy` takes.
#[derive(Default, clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask tidy          what breaks a law of this repository, and how to mend it\n  \
    cargo xtask tidy --fix    write what is generated (the README's table and picture)\n  \
    cargo xtask tidy --laws   the laws")]
pub struct Args {
    /// Write again what is generated
    #[arg(long)]
    fix: bool,
    /// Print the laws and check nothing
    #[arg(long)]
    laws: bool,
}

/// One place that breaks a law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    path: String,
    line: usize,
    what: String,
    mend: String,
    warning: bool,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding {
            path: path.to_owned(),
            line,
            what: what.into(),
            mend: mend.into(),
            warning: false,
        }
    }
}

impl Finding {
    /// True if it says no more than that somebody has to write something.
    pub fn is_unwritten(&self) -> bool {
        self.what == layout::UNWRITTEN
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.warning { "warning: " } else { "" };
        write!(f, "{}:{}: {kind}{}: {}", self.path, self.line, self.what, self.mend)
    }
}

type Law = fn(&Tree) -> Vec<Finding>;

/// Every law, in a sentence.
const LAWS: [(&str, Law); 23] = [
    ("A test waits for a condition and never sleeps.", code::sleep_in_a_test),
    ("No test is ignored.", code::ignored_test),
    ("Nothing is left unfinished in code.", code::unfinished),
    ("Unsafe code is forbidden, but for modules that call C or a browser.", code::unsafe_code),
    ("A file holds one concept: about 400 lines.", code::long_file),
    ("Crates agree on versions and features of what they depend on.", manifests::disagreement),
    ("rdkafka, tokio and serde have the allowed feature lists only.", manifests::feature_lists),
    ("A chapter's manifest inherits nothing, so that a copy builds.", manifests::inheritance),
    ("A chapter's library depends on no other by path.", manifests::path_dependency),
    ("Target names tell the chapter, and are unique.", manifests::target_names),
    ("Each program, test and bench is declared.", manifests::undeclared_target),
    ("What a run or a fault names exists.", manifests::runs),
    ("A chapter has README, tests, a program and its description.", layout::chapter_parts),
    (
        "A chapter's README names what a library leaves behind in two sections only.",
        readme::sections,
    ),
    ("The top folder holds what the design lists.", layout::top_level),
    ("No path of somebody's machine stands in a file.", layout::machine_path),
    ("A failing test is not tried again.", layout::retries),
    ("Nothing waits to be written.", layout::unwritten),
    ("A command in a chapter names chapters by slug.", layout::chapter_number),
    ("Kafka's version stands once.", versions::kafka),
    ("The README's table of chapters is the generated one.", layout::readme_table),
    ("The README's picture of a first run is the generated one.", picture::is_generated),
    ("Every chapter has a place in SUMMARY.md.", layout::summary),
];

/// Prints what breaks a law; warnings do not fail.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    if args.laws {
        for (sentence, _) in LAWS {
            println!("{sentence}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    if args.fix {
        for path in layout::write_readme_table(project)?.into_iter().chain(picture::write(project)?)
        {
            println!("{path}: written");
        }
    }
    let findings = check(project)?;
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|finding| !finding.warning).count();
    if errors > 0 {
        eprintln!("error: {} to mend", count(errors, "thing"));
    }
    Ok(ExitCode::from(u8::from(errors > 0)))
}

/// Everything that breaks a law, sorted by place.
pub fn check(project: &Project) -> anyhow::Result<Vec<Finding>> {
    let tree = Tree::read(&project.root)?;
    if tree.files().next().is_none() {
        return Err(Usage::error(format!("{} holds no files", project.root.display())));
    }
    let mut findings: Vec<Finding> = LAWS.iter().flat_map(|(_, law)| law(&tree)).collect();
    findings.sort_by(|a, b| (&a.path, a.line, &a.what).cmp(&(&b.path, b.line, &b.what)));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_can_be_clicked_and_says_how_to_mend() {
        let mut finding = Finding::new("a/b.rs", 3, "it sleeps", "wait for a condition");
        assert_eq!(finding.to_string(), "a/b.rs:3: it sleeps: wait for a condition");
        finding.warning = true;
        assert_eq!(finding.to_string(), "a/b.rs:3: warning: it sleeps: wait for a condition");
    }
}
