//! Laws about Rust code.

use super::Finding;
use super::tree::{File, Tree};

/// What waits for a time, whatever happens meanwhile.
const SLEEPS: [&str; 2] = ["sleep", "sleep_until"];

/// A sleeping test is slow on a fast machine and wrong on a slow one.
///
/// Sleep is allowed where tokio's clock is paused: there no time passes.
pub fn sleep_in_a_test(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        // The line that ends the test whose clock is paused.
        let mut paused: Option<String> = None;
        for (number, line) in test_code(file) {
            let item = line.trim_start();
            if item.starts_with("#[test]") || item.starts_with("#[tokio::test") {
                let end = || format!("{}}}", &line[..line.len() - item.len()]);
                paused = line.contains("start_paused = true").then(end);
            } else if paused.as_deref() == Some(line) {
                paused = None;
            }
            if paused.is_none() && SLEEPS.iter().any(|sleep| calls(line, sleep)) {
                findings.push(Finding::new(
                    file.path,
                    number,
                    "a test sleeps",
                    "wait for a condition with a deadline (testbed's `eventually`)",
                ));
            }
        }
    }
    findings
}

/// An ignored test proves nothing and is never seen again.
///
/// What is no test but the body of a process that a test starts says so: `"a helper: …"`.
pub fn ignored_test(tree: &Tree) -> Vec<Finding> {
    let mend = "mend it, or assert what it does today and say what is wrong with that";
    in_code(tree, "a test is ignored", mend, |line| {
        let line = line.trim_start();
        line.starts_with(concat!("#[", "ignore")) && !line.contains("\"a helper: ")
    })
}

/// Code that panics because nobody wrote it.
pub fn unfinished(tree: &Tree) -> Vec<Finding> {
    const MACROS: [&str; 2] = [concat!("to", "do!("), concat!("unimpl", "emented!(")];
    let mend = "write it, or leave it out altogether";
    in_code(tree, "something is not written yet", mend, |line| {
        MACROS.iter().any(|name| line.contains(name))
    })
}

/// Crate roots that may hold back less than `forbid`, because one module of theirs calls C, or is
/// called by a browser.
const MAY_DENY: [&str; 3] =
    ["chapters/testbed/src/lib.rs", "chapters/admin/src/lib.rs", "xtask/page/src/lib.rs"];

/// `forbid` in every crate root; `deny` in those above, with `allow` in their `ffi.rs` alone.
pub fn unsafe_code(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        if is_crate_root(file.path) {
            let denied =
                MAY_DENY.contains(&file.path) && file.text.contains("#![deny(unsafe_code)]");
            if !denied && !file.text.contains("#![forbid(unsafe_code)]") {
                let what = "a crate root that does not forbid unsafe code";
                findings.push(Finding::new(file.path, 1, what, "add `#![forbid(unsafe_code)]`"));
            }
        }
        let ffi = MAY_DENY.iter().any(|root| {
            root.strip_suffix("lib.rs").is_some_and(|src| file.path == format!("{src}ffi.rs"))
        });
        let may_allow = ffi || MAY_DENY.contains(&file.path);
        let allow = concat!("allow(", "unsafe_code)");
        if let Some((number, _)) = code(file).find(|(_, line)| !may_allow && line.contains(allow)) {
            let what = "unsafe code is allowed here";
            findings.push(Finding::new(
                file.path,
                number,
                what,
                "use a safe function, or write an ADR and extend this law",
            ));
        }
    }
    findings
}

/// About 400 lines is where to ask whether a file is still one thing; beyond this it is said aloud.
const LONG: usize = 500;

/// A warning only: some concepts are long.
pub fn long_file(tree: &Tree) -> Vec<Finding> {
    let long = tree.rust().filter(|file| file.text.lines().count() > LONG);
    long.map(|file| Finding {
        warning: true,
        ..Finding::new(
            file.path,
            LONG,
            format!("more than {LONG} lines"),
            "is it still one concept?",
        )
    })
    .collect()
}

fn in_code(tree: &Tree, what: &str, mend: &str, breaks: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let broken = code(file).filter(|(_, line)| breaks(line));
        findings.extend(broken.map(|(number, _)| Finding::new(file.path, number, what, mend)));
    }
    findings
}

/// Lines that are not comments.
fn code(file: File<'_>) -> impl Iterator<Item = (usize, &str)> {
    file.lines().filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Lines of tests: those of files below `tests/`, of files that are a module `tests`, and of modules
/// under `#[cfg(test)]`.
fn test_code(file: File<'_>) -> Vec<(usize, &str)> {
    let whole = file.path.contains("/tests/") || file.path.ends_with("/tests.rs");
    let mut inside = None;
    let mut next_is_test = false;
    code(file)
        .filter(|(_, line)| {
            let margin = line.len() - line.trim_start().len();
            match inside {
                Some(opened) if *line == format!("{}}}", " ".repeat(opened)) => inside = None,
                None if next_is_test && line.trim_end().ends_with('{') => inside = Some(margin),
                _ => {}
            }
            // Other attributes may stand between.
            next_is_test = line.trim() == "#[cfg(test)]"
                || (next_is_test && line.trim_start().starts_with("#["));
            whole || inside.is_some()
        })
        .collect()
}

/// True if the line calls a function of this name, whatever its path.
fn calls(line: &str, function: &str) -> bool {
    line.match_indices(function).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let is_word = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '"' | '.'));
        !is_word
            && line[at + function.len()..].starts_with('(')
            && !line[..at].trim_end().ends_with("fn")
    })
}

fn is_crate_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let inner = match parts[..] {
        ["chapters", _, ref inner @ ..]
        | ["xtask", "book" | "page", ref inner @ ..]
        | ["xtask", ref inner @ ..] => inner,
        _ => return false,
    };
    matches!(
        inner,
        ["src", "lib.rs" | "main.rs"]
            | ["src", "bin", _]
            | ["src", "bin", _, "main.rs"]
            | ["examples" | "benches", _]
            | ["tests", "it", "main.rs"]
            | ["exercises", _, "starter" | "solution", "src", "lib.rs" | "main.rs"]
            | ["exercises", _, "check", "main.rs"]
    ) && path.ends_with(".rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(findings: &[Finding]) -> Vec<usize> {
        findings.iter().map(|finding| finding.line).collect()
    }

    fn of(law: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        lines(&law(&Tree::of(&[(path, text)])))
    }

    /// Written so, or this file would break its own law.
    const SLEEP: &str = concat!("std::thread::sle", "ep(D);\n");

    #[test]
    fn a_test_that_sleeps_is_found_below_tests_and_in_modules_of_tests() {
        assert_eq!(of(sleep_in_a_test, "chapters/a/tests/it/main.rs", SLEEP), [1]);
        let source = format!(
            "fn f() {{\n    {SLEEP}}}\n\n#[cfg(test)]\nmod tests {{\n    {SLEEP}}}\n\nfn g() {{\n    {SLEEP}}}\n"
        );
        assert_eq!(of(sleep_in_a_test, "chapters/a/src/lib.rs", &source), [7]);
        assert_eq!(of(sleep_in_a_test, "chapters/a/src/lib/tests.rs", SLEEP), [1]);
        let imported = concat!("use tokio::time::sleep;\nsle", "ep(D).await;\n");
        assert_eq!(of(sleep_in_a_test, "chapters/a/tests/it/x.rs", imported), [2]);
        let until = concat!("tokio::time::sle", "ep_until(later).await;\n");
        assert_eq!(of(sleep_in_a_test, "chapters/a/tests/it/x.rs", until), [1]);
    }

    #[test]
    fn sleep_is_allowed_where_no_time_passes_and_outside_of_tests() {
        let paused = format!(
            "#[tokio::test(start_paused = true)]\nasync fn a() {{\n    {SLEEP}}}\n#[test]\nfn b() {{\n    {SLEEP}}}\n"
        );
        assert_eq!(of(sleep_in_a_test, "chapters/a/tests/it/main.rs", &paused), [7]);
        let helper = format!(
            "#[tokio::test(start_paused = true)]\nasync fn a() {{\n    if x {{\n    }}\n    {SLEEP}}}\nfn b() {{\n    {SLEEP}}}\n"
        );
        assert_eq!(of(sleep_in_a_test, "chapters/a/tests/it/main.rs", &helper), [8]);
        assert_eq!(of(sleep_in_a_test, "chapters/a/src/lib.rs", SLEEP), [0; 0]);
        let named = concat!("// sle", "ep(\nfn sle", "ep() {}\nbroker.sle", "ep(1);\n");
        assert_eq!(of(sleep_in_a_test, "chapters/a/tests/it/main.rs", named), [0; 0]);
    }

    #[test]
    fn ignored_and_unfinished_code_is_found_and_comments_are_not() {
        let text = concat!("#[", "ignore = \"slow\"]\n// to", "do!()\nfn a() { to", "do!() }\n");
        assert_eq!(of(ignored_test, "chapters/a/src/lib.rs", text), [1]);
        let helper = concat!("#[", "ignore = \"a helper: a test starts it\"]\n");
        assert_eq!(of(ignored_test, "chapters/a/src/lib.rs", helper), [0; 0]);
        assert_eq!(of(unfinished, "chapters/a/src/lib.rs", text), [3]);
        assert_eq!(of(unfinished, "chapters/a/src/lib.rs", concat!("unimpl", "emented!()")), [1]);
    }

    #[test]
    fn every_crate_root_forbids_unsafe_code() {
        for path in [
            "chapters/a/src/lib.rs",
            "chapters/a/examples/run.rs",
            "chapters/a/src/bin/x/main.rs",
            "chapters/a/exercises/e/starter/src/lib.rs",
            "chapters/a/exercises/e/check/main.rs",
            "xtask/src/main.rs",
        ] {
            assert_eq!(of(unsafe_code, path, "fn main() {}\n"), [1], "{path}");
            assert_eq!(of(unsafe_code, path, "#![forbid(unsafe_code)]\n"), [0; 0], "{path}");
        }
        assert_eq!(of(unsafe_code, "chapters/a/src/other.rs", "\n"), [0; 0]);
    }

    #[test]
    fn unsafe_code_is_allowed_in_one_module_of_testbed() {
        let allow = concat!("#![allow(", "unsafe_code)]\n");
        assert_eq!(
            of(unsafe_code, "chapters/testbed/src/lib.rs", "#![deny(unsafe_code)]\n"),
            [0; 0]
        );
        assert_eq!(of(unsafe_code, "chapters/a/src/lib.rs", "#![deny(unsafe_code)]\n"), [1]);
        assert_eq!(of(unsafe_code, "chapters/testbed/src/ffi.rs", allow), [0; 0]);
        assert_eq!(of(unsafe_code, "chapters/testbed/src/other.rs", allow), [1]);
    }

    #[test]
    fn unsafe_code_is_allowed_where_a_page_calls() {
        let allow = concat!("#![allow(", "unsafe_code)]\n");
        let deny = "#![deny(unsafe_code)]\n";
        assert_eq!(of(unsafe_code, "xtask/page/src/lib.rs", deny), [0; 0]);
        assert_eq!(of(unsafe_code, "xtask/page/src/ffi.rs", allow), [0; 0]);
        assert_eq!(of(unsafe_code, "xtask/page/src/answer.rs", allow), [1]);
        assert_eq!(of(unsafe_code, "xtask/page/examples/events.rs", deny), [1]);
    }

    #[test]
    fn a_long_file_is_a_warning() {
        let findings = long_file(&Tree::of(&[("chapters/a/src/lib.rs", &"\n".repeat(501))]));
        assert!(findings[0].warning);
        assert!(long_file(&Tree::of(&[("chapters/a/src/lib.rs", &"\n".repeat(500))])).is_empty());
    }
}
