//! The law of a chapter's README, which goes along where the crate is taken home.

use super::Finding;
use super::tree::{File, Tree};
use crate::copy::files::{OF_THE_BOOK, OF_THE_TESTS};
use crate::copy::readme::{RUN_AND_TEST, of_library};

/// What else every README has: the last section but for this one would take the licence along.
const LICENCE: &str = "## Licence";

/// How a command names a program, a test or a bench.
const TARGETS: [&str; 3] = ["--example", "--test", "--bench"];

/// A library leaves programs and tests behind, and the sections about them. What another section says of them would
/// name what is not there.
pub fn sections(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for slug in tree.chapters() {
        let path = format!("chapters/{slug}/README.md");
        let Some(text) = tree.text(&path) else { continue };
        let file = File { path: &path, text };
        for heading in RUN_AND_TEST.into_iter().chain([LICENCE]) {
            if !file.lines().any(|(_, line)| line == heading) {
                let what = format!("a README without `{heading}`");
                findings.push(Finding::new(&path, 1, what, "add the section"));
            }
        }
        let kept = of_library(text);
        for line in kept.lines() {
            if let Some(word) = left_behind(line) {
                let what = format!("`{word}` is not there in a copy of the library");
                let mend = format!("say it below `{}`", RUN_AND_TEST.join("` or `"));
                findings.push(Finding::new(&path, file.line_of(line), what, mend));
            }
        }
    }
    findings
}

/// The word of a line that names a folder, or a target of Cargo, which no library brings along.
fn left_behind(line: &str) -> Option<&str> {
    let mut words = line.split(|c: char| c.is_whitespace() || "`()\"'<>,;:".contains(c));
    words.find(|word| {
        let path = word.strip_prefix("./").unwrap_or(word);
        let folder = path.split_once('/').map_or("", |(folder, _)| folder);
        TARGETS.contains(word) || OF_THE_TESTS.contains(&folder) || OF_THE_BOOK.contains(&folder)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "# a\n\nSends by `src/runs/mod.rs`.\n\n## Run it\n\nSee `examples/run.rs`.\n\n\
                         ## Test it\n\nSee `tests/it/`.\n\n## Licence\n";

    fn found(readme: &str) -> Vec<String> {
        sections(&Tree::of(&[("chapters/a/README.md", readme)]))
            .iter()
            .map(|finding| format!("{}: {}", finding.line, finding.what))
            .collect()
    }

    #[test]
    fn each_missing_section_is_named() {
        assert!(found(SOUND).is_empty(), "{:?}", found(SOUND));
        assert_eq!(
            found("# a\n\n## Test it\n"),
            ["1: a README without `## Run it`", "1: a README without `## Licence`"]
        );
    }

    #[test]
    fn what_a_library_leaves_behind_is_found_where_it_stays() {
        for (text, word) in [
            ("- `examples/run.rs`: five orders.", "examples/run.rs"),
            ("See (tests/faults/).", "tests/faults/"),
            ("cargo run --example a_run", "--example"),
            ("See [one](./runs/first/1.jsonl)", "./runs/first/1.jsonl"),
            ("`exercises/x`", "exercises/x"),
        ] {
            let readme = SOUND.replace("Sends by", &format!("{text}\n\nSends by"));
            assert_eq!(
                found(&readme),
                [format!("3: `{word}` is not there in a copy of the library")]
            );
        }
    }
}
