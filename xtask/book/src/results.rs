//! How the tests ended, from the reports that the test runner leaves below `target/nextest/`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::test_functions::TestFunction;

/// How a test ended last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It did not run on this machine, or not since its file was changed.
    NotRun,
}

/// The newest outcome of each test, and when its report was written.
#[derive(Debug, Clone, Default)]
pub struct Results(HashMap<(String, String), (SystemTime, Outcome)>);

impl Results {
    /// Reads every report of the workspace at `root`.
    ///
    /// Reports are by-products of test runs: one that is missing or cut short says nothing, and
    /// its tests count as not run.
    pub fn read(root: &Path) -> Results {
        let mut results = Results::default();
        for folder in entries(&root.join("target/nextest")) {
            for report in entries(&folder) {
                let is_report = report.extension().is_some_and(|extension| extension == "xml");
                if is_report && let Some(written) = modified(&report) {
                    results.add(&fs::read_to_string(&report).unwrap_or_default(), written);
                }
            }
        }
        results
    }

    /// Adds a report in JUnit's form.
    fn add(&mut self, report: &str, written: SystemTime) {
        let Ok(document) = roxmltree::Document::parse(report) else { return };
        for case in document.descendants().filter(|node| node.has_tag_name("testcase")) {
            let program = case.parent().and_then(|suite| suite.attribute("name"));
            let (Some(program), Some(name)) = (program, case.attribute("name")) else { continue };
            let failed = case
                .children()
                .any(|child| child.has_tag_name("failure") || child.has_tag_name("error"));
            let outcome = if failed { Outcome::Failed } else { Outcome::Passed };
            let key = (program.to_owned(), name.to_owned());
            let last = self.0.entry(key).or_insert((written, outcome));
            if written >= last.0 {
                *last = (written, outcome);
            }
        }
    }

    /// How `test` ended, unless its file is newer than what is known.
    pub fn of(&self, root: &Path, test: &TestFunction) -> Outcome {
        let changed = modified(&root.join(&test.file));
        match self.0.get(&(test.program.clone(), test.name.clone())) {
            Some((written, outcome)) if changed.is_some_and(|changed| changed <= *written) => {
                *outcome
            }
            _ => Outcome::NotRun,
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_newest_report_counts() {
        let case = |failure: &str| {
            format!(
                "<testsuites><testsuite name=\"a::a_it\"><testcase name=\"m::sent\">{failure}\
                 </testcase></testsuite></testsuites>"
            )
        };
        let start = SystemTime::UNIX_EPOCH;
        let mut results = Results::default();
        results.add(&case("<failure type=\"test failure\"/>"), start + Duration::from_secs(2));
        results.add(&case(""), start + Duration::from_secs(1));
        results.add("<testsuites><testsuite", start + Duration::from_secs(9));
        let key = ("a::a_it".to_owned(), "m::sent".to_owned());
        assert_eq!(results.0[&key].1, Outcome::Failed);
        results.add(&case(""), start + Duration::from_secs(3));
        assert_eq!(results.0[&key].1, Outcome::Passed);
    }
}
