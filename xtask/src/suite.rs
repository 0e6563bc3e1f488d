//! The test suite: which features it is built with, what of it this machine can run, what is left out.
//!
//! Integration tests that ask for more than the built-in broker stand in modules whose names say so
//! (`real_kafka`, `own_cluster`, `docker`, `tls`); the names are what is selected by.

use std::path::Path;

use testbed::kind::{self, BrokerChoice, Kind};
use testbed::machine::{Machine, State, Tool};
use testbed::needs::Needs;

use crate::project::Project;
use crate::say;
use crate::tools;

/// The modules of tests that not every machine can run, with what each asks for.
pub const MODULES: [&str; 4] = ["real_kafka", "own_cluster", "docker", "tls"];

/// What decides about the suite.
pub struct Surroundings {
    /// Java, Maven, Docker.
    pub machine: Machine,
    /// OpenSSL's headers.
    pub openssl: Tool,
}

impl Surroundings {
    /// Looks at this machine.
    pub fn probe() -> Surroundings {
        Surroundings { machine: Machine::probe(), openssl: tools::openssl() }
    }

    /// The kind of broker that one cluster for all tests is of.
    ///
    /// # Errors
    ///
    /// A kind that was asked for by name and does not start here.
    pub fn kind(&self, choice: &BrokerChoice) -> Result<Kind, kind::NoBroker> {
        match choice {
            BrokerChoice::Auto => Ok([Kind::Local, Kind::Docker]
                .into_iter()
                .find(|kind| kind::held_back(*kind, &self.machine).is_none())
                .unwrap_or(Kind::Embedded)),
            named => kind::choose(named, &Needs::default(), || self.machine.clone()),
        }
    }

    /// The features with which everything is built: one set for tests, lints and documentation, so
    /// that nothing is compiled twice.
    pub fn features(&self) -> Option<String> {
        let mut features = Vec::new();
        if self.machine.docker.is_ready() || say::on_ci() {
            features.push("testbed/docker");
        }
        if self.openssl.is_ready() {
            features.push("testbed/tls");
        }
        (!features.is_empty()).then(|| features.join(","))
    }

    /// The modules of tests that cannot or shall not run.
    pub fn left_out(&self, choice: &BrokerChoice) -> Vec<LeftOut> {
        let local = kind::held_back(Kind::Local, &self.machine);
        let docker = held_back(&self.machine.docker);
        let real = match (&local, &docker, choice) {
            (_, _, BrokerChoice::External(_)) | (None, _, _) | (_, None, _) => None,
            (Some(reason), ..) => Some(reason.clone()),
        };
        let reasons = [real, local, docker, held_back(&self.openssl)];
        MODULES
            .into_iter()
            .zip(reasons)
            .filter_map(|(module, reason)| match reason {
                // Whoever asks for the built-in broker asks for the tests that it serves.
                _ if *choice == BrokerChoice::Embedded => Some(LeftOut { module, reason: None }),
                Some(reason) => Some(LeftOut { module, reason: Some(reason) }),
                None => None,
            })
            .collect()
    }
}

fn held_back(tool: &Tool) -> Option<String> {
    match &tool.state {
        State::Ready(_) => None,
        State::Unfit(what) | State::Missing(what) => Some(format!("{what} ({})", tool.mend)),
    }
}

/// A module of tests that does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name.
    pub module: &'static str,
    /// What is missing and the command that mends it; `None` if it was not asked for.
    pub reason: Option<String>,
}

/// The nextest expression that leaves these modules out of integration tests.
///
/// A library may well have a module `docker` with unit tests that need none.
pub fn nextest_filter(package: Option<&str>, left_out: &[LeftOut]) -> Option<String> {
    let modules: Vec<&str> = left_out.iter().map(|one| one.module).collect();
    let mut terms = Vec::new();
    if let Some(package) = package {
        terms.push(format!("package(={package})"));
    }
    if !modules.is_empty() {
        terms.push(format!("not (kind(test) and test(/(^|::)({})::/))", modules.join("|")));
    }
    (!terms.is_empty()).then(|| terms.join(" and "))
}

/// The same for libtest, which matches parts of names.
pub fn libtest_skips(left_out: &[LeftOut]) -> Vec<String> {
    left_out.iter().flat_map(|one| ["--skip".to_owned(), format!("{}::", one.module)]).collect()
}

/// How many tests stand in a module of this name in the integration tests of these chapters.
///
/// Counted in the source, because what is left out is often not even compiled.
pub fn count_tests(project: &Project, package: Option<&str>, module: &str) -> usize {
    project
        .chapters
        .iter()
        .filter(|chapter| package.is_none_or(|slug| chapter.slug == slug))
        .map(|chapter| count_below(&chapter.folder.join("tests").join("it"), module, false))
        .sum()
}

fn count_below(folder: &Path, module: &str, inside: bool) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let mut tests = 0;
    for path in entries.flatten().map(|entry| entry.path()) {
        let inside = inside || path.file_stem().is_some_and(|stem| stem == module);
        if path.is_dir() {
            tests += count_below(&path, module, inside);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            tests += if inside { count_attributes(&text) } else { count_inline(&text, module) };
        }
    }
    tests
}

fn count_attributes(text: &str) -> usize {
    text.lines()
        .map(str::trim)
        .filter(|line| *line == "#[test]" || line.starts_with("#[tokio::test"))
        .count()
}

/// Tests in `mod MODULE { … }`, which rustfmt closes with a brace as far to the left as it opens.
fn count_inline(text: &str, module: &str) -> usize {
    let opening = format!("mod {module} {{");
    let mut tests = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start().trim_start_matches("pub ").starts_with(&opening) {
            let margin = line.len() - line.trim_start().len();
            let closing = format!("{}}}", " ".repeat(margin));
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != closing).collect();
            tests += count_attributes(&body.join("\n"));
        }
    }
    tests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &'static str, ready: bool) -> Tool {
        let state =
            if ready { State::Ready("1".into()) } else { State::Missing(format!("no {name}")) };
        Tool { name, state, mend: format!("install {name}") }
    }

    fn around(java: bool, docker: bool, openssl: bool) -> Surroundings {
        let machine = Machine {
            java: tool("Java", java),
            maven: tool("Maven", java),
            docker: tool("Docker", docker),
        };
        Surroundings { machine, openssl: tool("OpenSSL", openssl) }
    }

    fn modules(around: &Surroundings, choice: &BrokerChoice) -> Vec<&'static str> {
        around.left_out(choice).iter().map(|one| one.module).collect()
    }

    #[test]
    fn docker_stands_in_for_java_where_any_real_kafka_will_do() {
        let auto = BrokerChoice::Auto;
        assert_eq!(modules(&around(true, true, true), &auto), [""; 0]);
        assert_eq!(modules(&around(false, true, true), &auto), ["own_cluster"]);
        assert_eq!(modules(&around(false, false, false), &auto), MODULES);
        assert_eq!(around(false, true, true).kind(&auto), Ok(Kind::Docker));
        assert_eq!(around(false, false, true).kind(&auto), Ok(Kind::Embedded));
    }

    #[test]
    fn yours_serves_real_kafka_and_no_cluster_of_a_tests_own() {
        let yours = BrokerChoice::External(None);
        assert_eq!(modules(&around(false, false, true), &yours), ["own_cluster", "docker"]);
    }

    #[test]
    fn what_was_not_asked_for_is_left_out_without_a_reason() {
        let left_out = around(true, true, true).left_out(&BrokerChoice::Embedded);
        assert_eq!(left_out.len(), MODULES.len());
        assert!(left_out.iter().all(|one| one.reason.is_none()));
    }

    #[test]
    fn filters_spare_unit_tests_in_modules_of_the_same_name() {
        let left_out = around(true, false, false).left_out(&BrokerChoice::Auto);
        assert_eq!(
            nextest_filter(Some("events"), &left_out).unwrap(),
            "package(=events) and not (kind(test) and test(/(^|::)(docker|tls)::/))"
        );
        assert_eq!(nextest_filter(None, &[]), None);
        assert_eq!(libtest_skips(&left_out), ["--skip", "docker::", "--skip", "tls::"]);
    }

    #[test]
    fn tests_are_counted_in_files_folders_and_inline() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let two = "#[test]\nfn a() {}\n\n#[tokio::test(flavor = \"x\")]\nasync fn b() {}\n";
        write("main.rs", &format!("mod tls {{\n    #[test]\n    fn a() {{}}\n}}\n{two}"));
        write("tls.rs", two);
        write("real_kafka/groups.rs", two);
        assert_eq!(count_below(folder.path(), "tls", false), 3);
        assert_eq!(count_below(folder.path(), "real_kafka", false), 2);
        assert_eq!(count_below(folder.path(), "docker", false), 0);
    }
}
