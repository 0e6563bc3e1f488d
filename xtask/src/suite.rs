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

    /// This machine, after Kafka's jars could not be fetched, though Java and Maven are here.
    pub fn without_local(&self) -> Surroundings {
        let maven = Tool {
            state: State::Missing("Kafka's jars could not be fetched, see above".to_owned()),
            mend: "go online, then: cargo xtask test".to_owned(),
            ..self.machine.maven.clone()
        };
        let machine = Machine { maven, ..self.machine.clone() };
        Surroundings { machine, openssl: self.openssl.clone() }
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

/// The nextest expression for the chapters' integration tests, these modules left out.
pub fn nextest_filter_again(project: &Project, left_out: &[LeftOut]) -> String {
    let packages: Vec<String> =
        project.chapters.iter().map(|chapter| format!("package(={})", chapter.slug)).collect();
    let all = format!("kind(test) and ({})", packages.join(" or "));
    nextest_filter(None, left_out).map_or(all.clone(), |rest| format!("{all} and {rest}"))
}

/// The same for libtest, which matches parts of names.
pub fn libtest_skips(left_out: &[LeftOut]) -> Vec<String> {
    left_out.iter().flat_map(|one| ["--skip".to_owned(), format!("{}::", one.module)]).collect()
}

/// How many tests stand in a module of this name in the integration tests of these chapters, but for those that
/// stand in one of `others`, too.
///
/// Counted in the source, because what is left out is often not even compiled.
pub fn count_tests(
    project: &Project,
    package: Option<&str>,
    module: &str,
    others: &[&str],
) -> usize {
    project
        .chapters
        .iter()
        .filter(|chapter| package.is_none_or(|slug| chapter.slug == slug))
        .flat_map(|chapter| tests_below(&chapter.folder.join("tests").join("it"), &[]))
        .filter(|inside| inside.contains(&module) && !others.iter().any(|one| inside.contains(one)))
        .count()
}

/// For each test those of [`MODULES`] that it stands in.
fn tests_below(folder: &Path, inside: &[&'static str]) -> Vec<Vec<&'static str>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut tests = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let named = MODULES.into_iter().filter(|one| path.file_stem().is_some_and(|s| s == *one));
        let inside: Vec<&str> = inside.iter().copied().chain(named).collect();
        if path.is_dir() {
            tests.extend(tests_below(&path, &inside));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            tests.extend(tests_in(&text, &inside));
        }
    }
    tests
}

/// The tests of a file, also in `mod MODULE { … }`, which rustfmt closes with a brace as far to the left as it opens.
fn tests_in(text: &str, inside: &[&'static str]) -> Vec<Vec<&'static str>> {
    let mut open: Vec<(&str, String)> = Vec::new();
    let mut tests = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        let item = trimmed.trim_start_matches("pub ");
        if open.last().is_some_and(|(_, closing)| line == closing) {
            open.pop();
        } else if let Some(module) =
            MODULES.into_iter().find(|one| item.starts_with(&format!("mod {one} {{")))
        {
            open.push((module, format!("{}}}", &line[..line.len() - trimmed.len()])));
        } else if trimmed.trim_end() == "#[test]" || trimmed.starts_with("#[tokio::test") {
            tests.push(inside.iter().copied().chain(open.iter().map(|(one, _)| *one)).collect());
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
    fn without_jars_the_rest_of_the_suite_runs_and_who_asked_for_them_is_told() {
        let auto = BrokerChoice::Auto;
        let offline = around(true, false, true).without_local();
        assert_eq!(modules(&offline, &auto), ["real_kafka", "own_cluster", "docker"]);
        assert_eq!(offline.kind(&auto), Ok(Kind::Embedded));
        let reason = offline.left_out(&auto)[0].reason.clone().unwrap();
        assert_eq!(
            reason,
            "Kafka's jars could not be fetched, see above (go online, then: cargo xtask test)"
        );
        let said = offline.kind(&BrokerChoice::Local).unwrap_err().to_string();
        assert!(said.starts_with("the local broker does not start here: Kafka's jars"), "{said}");
        assert_eq!(around(true, true, true).without_local().kind(&auto), Ok(Kind::Docker));
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
    fn what_runs_again_are_the_integration_tests_of_chapters() {
        let project = Project::open(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap());
        let project = project.unwrap();
        let again = nextest_filter_again(&project, &[]);
        assert!(again.starts_with("kind(test) and (package("), "{again}");
        assert_eq!(again.matches("package(=").count(), project.chapters.len());
        assert!(!again.contains("package(=xtask)") && !again.contains("package(=book)"), "{again}");
        let left_out = around(true, false, true).left_out(&BrokerChoice::Auto);
        let rest = nextest_filter_again(&project, &left_out);
        assert_eq!(rest, format!("{again} and not (kind(test) and test(/(^|::)(docker)::/))"));
    }

    #[test]
    fn tests_are_found_in_files_folders_and_inline() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let two = "#[test]\nfn a() {}\n\n#[tokio::test(flavor = \"x\")]\nasync fn b() {}\n";
        write("main.rs", &format!("mod tls {{\n    #[test]\n    fn a() {{}}\n}}\n{two}"));
        write("tls.rs", &format!("{two}mod own_cluster {{\n    #[test]\n    fn a() {{}}\n}}\n"));
        write("real_kafka/groups.rs", two);
        let all = tests_below(folder.path(), &[]);
        let count = |module| all.iter().filter(|inside| inside.contains(&module)).count();
        assert_eq!(all.len(), 8);
        assert_eq!((count("tls"), count("real_kafka"), count("docker")), (4, 2, 0));
        let both = all.iter().filter(|inside| **inside == ["tls", "own_cluster"]).count();
        assert_eq!((count("own_cluster"), both), (1, 1));
    }
}
