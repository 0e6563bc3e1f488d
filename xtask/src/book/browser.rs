//! `book test` and `book pdf`: a real browser over the built book.
//!
//! The tests are JavaScript and run in Node (`xtask/book/browser`); this module finds Node and
//! Chromium, has npm install the tests' packages into the build folder, and hands over.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::json;
use testbed::machine::{State, Tool};

use crate::child;
use crate::project::Project;
use crate::say::Spinner;
use crate::tools;

/// Tests of what widgets compute. They need no browser, and run with those that do.
const WIDGET_TESTS: &str = "book/widgets/tests";

/// Where the suite lies.
const SUITE: &str = "xtask/book/browser";

/// What npm needs to install the suite's packages.
const PACKAGE_FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Chromium and Node, both here.
#[derive(Debug)]
pub struct Browser {
    chromium: PathBuf,
}

impl Browser {
    /// Finds both, or says what is missing and the command that mends it.
    pub fn find() -> Result<Browser, String> {
        for tool in [tools::node(), tools::chromium()] {
            lacking(&tool).map_or(Ok(()), Err)?;
        }
        let chromium = tools::chromium_path().ok_or("Chromium is gone")?;
        Ok(Browser { chromium })
    }

    /// Runs the suite, or the tests in it whose names match `pattern`, over the built book and over `server`.
    pub fn test(
        &self,
        project: &Project,
        server: &Path,
        pattern: Option<&str>,
    ) -> anyhow::Result<bool> {
        let suite = project.root.join(SUITE);
        let mut command = self.node(project, Some(server))?;
        let reporter = format!("--test-reporter={}", suite.join("report.js").display());
        command.args(["--test", &reporter, "--test-reporter-destination=stdout"]);
        // A test that hangs is an error with a name; the first live run may have to compile a client in C.
        command.arg("--test-timeout=1200000");
        if let Some(pattern) = pattern {
            command.arg(format!("--test-name-pattern={pattern}"));
        }
        command.arg(suite.join("suite.js")).args(widget_tests(&project.root)?);
        child::passes(&mut command)
    }

    /// Prints the built book as one PDF, and the file's path.
    pub fn pdf(&self, project: &Project) -> anyhow::Result<bool> {
        let mut command = self.node(project, None)?;
        child::passes(command.arg(project.root.join(SUITE).join("pdf.js")))
    }

    /// Node, with what the suite must know in its environment.
    fn node(&self, project: &Project, server: Option<&Path>) -> anyhow::Result<Command> {
        let target = project.root.join("target");
        let packages = target.join("book-browser");
        install(&project.root.join(SUITE), &packages)?;
        let told = json!({
            "root": project.root,
            "book": target.join("book"),
            "server": server,
            "xtask": super::this_program(project)?,
            "chromium": self.chromium,
            "packages": packages,
            "pictures": target.join("book-pictures"),
            "scratch": packages.join("scratch"),
        });
        let mut command = Command::new("node");
        command.current_dir(&project.root).env("BOOK_BROWSER", told.to_string());
        Ok(command)
    }
}

/// `no node on the PATH (to mend: …)`, where the tool cannot be used.
fn lacking(tool: &Tool) -> Option<String> {
    match &tool.state {
        State::Ready(_) => None,
        State::Missing(what) | State::Unfit(what) => {
            Some(format!("{what} (to mend: {})", tool.mend))
        }
    }
}

/// Every `….test.js` beside the widgets, in the order of their names.
fn widget_tests(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = root.join(WIDGET_TESTS);
    let unreadable = || format!("{} cannot be read", folder.display());
    let entries = fs::read_dir(&folder).with_context(unreadable)?;
    let mut files = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .with_context(unreadable)?;
    files.retain(|path| path.to_string_lossy().ends_with(".test.js"));
    files.sort();
    Ok(files)
}

/// Has npm install exactly what the lock file names, unless it lies there already.
///
/// No package's own scripts run: none of them needs to.
fn install(suite: &Path, packages: &Path) -> anyhow::Result<()> {
    let lock = suite.join("package-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("{} cannot be read", lock.display()))?;
    let installed = packages.join("installed");
    if fs::read(&installed).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    let prepare = || -> std::io::Result<()> {
        fs::create_dir_all(packages)?;
        // Gone first: an installation that breaks off must not count as done.
        if installed.exists() {
            fs::remove_file(&installed)?;
        }
        PACKAGE_FILES
            .iter()
            .try_for_each(|file| fs::copy(suite.join(file), packages.join(file)).map(drop))
    };
    prepare().with_context(|| format!("{} cannot be written", packages.display()))?;
    let spinner = Spinner::start("Fetching what drives the browser, once");
    let output = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(packages)
        .output()
        .context("npm does not start")?;
    drop(spinner);
    anyhow::ensure!(
        output.status.success(),
        "npm cannot fetch what drives the browser: is there a network?\n{}",
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    fs::write(&installed, wanted)
        .with_context(|| format!("{} cannot be written", installed.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(state: State) -> Tool {
        Tool { name: "Node", state, mend: "sudo apt-get install nodejs".to_owned() }
    }

    #[test]
    fn what_is_missing_is_said_with_the_command_that_mends_it() {
        assert_eq!(lacking(&tool(State::Ready("v20".to_owned()))), None);
        let missing = lacking(&tool(State::Missing("no node on the PATH".to_owned()))).unwrap();
        assert_eq!(missing, "no node on the PATH (to mend: sudo apt-get install nodejs)");
    }

    #[test]
    fn the_tests_of_the_widgets_are_found_and_nothing_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let tests = folder.path().join(WIDGET_TESTS);
        fs::create_dir_all(&tests).unwrap();
        for name in ["model.test.js", "histories.js", "clock.test.js"] {
            fs::write(tests.join(name), "").unwrap();
        }
        let found = widget_tests(folder.path()).unwrap();
        assert_eq!(found, [tests.join("clock.test.js"), tests.join("model.test.js")]);
        let none = widget_tests(&folder.path().join("elsewhere")).unwrap_err();
        assert!(none.to_string().ends_with("book/widgets/tests cannot be read"), "{none}");
    }

    #[test]
    fn packages_of_the_same_lock_are_not_fetched_again() {
        let folder = tempfile::tempdir().unwrap();
        let (suite, packages) = (folder.path().join("suite"), folder.path().join("packages"));
        fs::create_dir_all(&suite).unwrap();
        fs::create_dir_all(&packages).unwrap();
        fs::write(suite.join("package-lock.json"), "{}").unwrap();
        fs::write(packages.join("installed"), "{}").unwrap();
        install(&suite, &packages).unwrap();
        // With another lock they are, and here package.json is missing.
        fs::write(suite.join("package-lock.json"), "{ }").unwrap();
        assert!(install(&suite, &packages).is_err());
        assert!(!packages.join("installed").exists(), "a failed installation counts as done");
    }
}
