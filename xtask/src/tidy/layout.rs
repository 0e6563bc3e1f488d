//! Laws about which files there are, and about files that are not Rust.

use std::path::Path;

use anyhow::Context;

use super::Finding;
use super::tree::{File, Tree};
use crate::project::{Chapter, Project, Summary};

/// What a chapter's folder must hold.
pub fn chapter_parts(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for slug in tree.chapters() {
        let at = |path: &str| format!("chapters/{slug}/{path}");
        let mut miss = |path: &str, what: &str, mend: &str| {
            findings.push(Finding::new(&at(path), 1, what, mend))
        };
        if !tree.has(&at("README.md")) {
            miss(
                "README.md",
                "a chapter without README",
                "say what the crate is to somebody who has not read the book",
            );
        }
        if !tree.has(&at("tests/it/main.rs")) {
            miss(
                "tests/it/main.rs",
                "a chapter without integration tests",
                "add the one binary, with a list of its modules",
            );
        }
        if !tree.has(&at("examples/run.rs")) && !tree.has(&at("src/main.rs")) {
            miss(
                "examples/run.rs",
                "a chapter with nothing to run",
                "add the guided run, or src/main.rs",
            );
        }
        match tree.text(&at("Cargo.toml")) {
            Some(text) if text.contains("[package.metadata.chapter]") => {}
            _ => miss(
                "Cargo.toml",
                "a chapter without [package.metadata.chapter]",
                "add title, pages and runs",
            ),
        }
    }
    findings
}

/// Files and folders of the top, from DESIGN section 2.
const TOP: [&str; 25] = [
    ".cargo",
    ".ci",
    ".config",
    ".dockerignore",
    ".editorconfig",
    ".gitattributes",
    ".github",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "LICENSE-PROSE",
    "README.md",
    "adr",
    "book",
    "book.toml",
    "chapters",
    "clippy.toml",
    "deny.toml",
    "docker-compose.yml",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "xtask",
    "LICENSE",
];

/// A file at the top is the first thing that a newcomer sees.
pub fn top_level(tree: &Tree) -> Vec<Finding> {
    let mut tops: Vec<&str> = tree.files().filter_map(|file| file.path.split('/').next()).collect();
    tops.dedup();
    let strangers = tops.into_iter().filter(|top| !TOP.contains(top));
    let mend = "put it where it belongs: below a chapter, book/ or xtask/";
    strangers.map(|top| Finding::new(top, 1, "the top folder does not hold this", mend)).collect()
}

/// Home folders, which exist on one machine only.
const HOMES: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/ro", "ot/"), concat!("/wo", "rk/")];

/// A path that starts in somebody's home.
pub fn machine_path(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        for (number, line) in file.lines() {
            let starts_here = |home: &&&str| {
                line.match_indices(**home).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    before.is_none_or(|c| {
                        !(c.is_alphanumeric() || matches!(c, '/' | '.' | '}' | '_' | '-' | '~'))
                    })
                })
            };
            if let Some(home) = HOMES.iter().find(starts_here) {
                let what = format!("a path of one machine: {home}…");
                findings.push(Finding::new(
                    file.path,
                    number,
                    what,
                    "take it relative to the repository, or from the environment",
                ));
            }
        }
    }
    findings
}

/// A test that passes at the second try has found something.
pub fn retries(tree: &Tree) -> Vec<Finding> {
    const PATH: &str = ".config/nextest.toml";
    let Some(text) = tree.text(PATH) else { return Vec::new() };
    let again = |line: &str| {
        let value = line
            .trim()
            .strip_prefix("retries")
            .map(|rest| rest.trim_start().trim_start_matches('=').trim());
        value.is_some_and(|value| value != "0")
    };
    let lines = File { path: PATH, text }.lines().filter(|(_, line)| again(line));
    lines
        .map(|(number, _)| {
            Finding::new(PATH, number, "tests are tried again", "mend the test: `retries = 0`")
        })
        .collect()
}

/// The chapter that stays the first: the README says `run chapter 1`, and so may it.
const FIRST: &str = "chapters/quickstart/";

/// A chapter that is moved gets another number, and a command with the old one then runs its neighbour.
pub fn chapter_number(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_held =
        |file: &File<'_>| file.path.starts_with("chapters/") && !file.path.starts_with(FIRST);
    for file in tree.files().filter(is_held) {
        for (number, line) in file.lines() {
            if let Some(command) = with_a_number(line) {
                findings.push(Finding::new(
                    file.path,
                    number,
                    format!("a chapter's number in `{command}`"),
                    "write its slug, which does not change",
                ));
            }
        }
    }
    findings
}

/// The start of a command such as `xtask run chapter 2` or `xtask test 2`.
fn with_a_number(line: &str) -> Option<&str> {
    line.match_indices("xtask ").find_map(|(at, called)| {
        let (verb, rest) = line[at + called.len()..].split_once(' ')?;
        let is_verb = !verb.is_empty() && verb.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        let rest = rest.strip_prefix("chapter ").unwrap_or(rest);
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let end = line.len() - rest.len() + digits;
        (is_verb && digits > 0).then(|| &line[at..end])
    })
}

/// What `cargo xtask new` leaves for a person to write.
pub const MARK: &str = concat!("WRITE", " ME");

/// What is said about such a place.
pub const UNWRITTEN: &str = "not written yet";

/// Each mark is a place where a chapter is not written yet.
pub fn unwritten(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree
        .files()
        .filter(|file| file.path.starts_with("chapters/") || file.path.starts_with("book/"))
    {
        for (number, line) in file.lines().filter(|(_, line)| line.contains(MARK)) {
            let rest = line.split_once(MARK).map_or("", |(_, rest)| rest);
            // In a manifest it stands in quotes, in a page perhaps in a comment.
            let rest = rest.split(['"', '<']).next().unwrap_or_default();
            let rest = rest.trim_matches(|c: char| !c.is_alphanumeric());
            findings.push(Finding::new(file.path, number, UNWRITTEN, rest));
        }
    }
    findings
}

/// A chapter that the book does not list has no number and no place.
pub fn summary(tree: &Tree) -> Vec<Finding> {
    let summary = Summary::parse(tree.text("book/SUMMARY.md").unwrap_or_default());
    let mut findings = Vec::new();
    for chapter in chapters(tree) {
        let listed = chapter.pages.first().is_some_and(|page| summary.pages.contains(&page.path));
        if !listed {
            let what = format!("the chapter {} is not in SUMMARY.md", chapter.slug);
            findings.push(Finding::new(
                "book/SUMMARY.md",
                1,
                what,
                "add its first page where it is to be read",
            ));
        }
    }
    findings
}

const OPENED: &str = "<!-- chapters -->";
const CLOSED: &str = "<!-- /chapters -->";

/// The table between two comments of the README is what the manifests say.
pub fn readme_table(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text("README.md") else {
        return vec![Finding::new(
            "README.md",
            1,
            "no README.md",
            "say what this is, and the two commands",
        )];
    };
    let summary = Summary::parse(tree.text("book/SUMMARY.md").unwrap_or_default());
    let project = Project::assemble(Path::new(""), summary, chapters(tree));
    let line = File { path: "README.md", text }.line_of(OPENED);
    match with_table(text, &project) {
        None => vec![Finding::new(
            "README.md",
            line,
            "no table of chapters",
            format!("add {OPENED} and {CLOSED}, then run `cargo xtask tidy --fix`"),
        )],
        Some(wanted) if wanted != text => {
            vec![Finding::new(
                "README.md",
                line,
                "the table of chapters is out of date",
                "run `cargo xtask tidy --fix`",
            )]
        }
        Some(_) => Vec::new(),
    }
}

/// Writes the table again, and gives the paths that changed.
pub fn write_readme_table(project: &Project) -> anyhow::Result<Vec<String>> {
    let path = project.root.join("README.md");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    match with_table(&text, project) {
        Some(wanted) if wanted != text => {
            std::fs::write(&path, wanted)
                .with_context(|| format!("{} cannot be written", path.display()))?;
            Ok(vec!["README.md".to_owned()])
        }
        _ => Ok(Vec::new()),
    }
}

fn chapters(tree: &Tree) -> Vec<Chapter> {
    let manifests = tree.manifests().filter(|manifest| manifest.chapter().is_some());
    manifests
        .filter_map(|manifest| Chapter::parse(manifest.file.text, Path::new(manifest.folder)).ok())
        .collect()
}

fn with_table(readme: &str, project: &Project) -> Option<String> {
    let (before, rest) = readme.split_once(OPENED)?;
    let (_, after) = rest.split_once(CLOSED)?;
    let mut table = String::from("| | Chapter | Question | Minutes |\n|---|---|---|---|\n");
    for chapter in project.chapters.iter().filter(|chapter| chapter.number.is_some()) {
        let Some(page) = chapter.pages.first() else { continue };
        table.push_str(&format!(
            "| {} | [{}](book/{}) | {} | {} |\n",
            chapter.number_text(),
            chapter.title,
            page.path,
            chapter.question().replace('|', "\\|"),
            chapter.minutes()
        ));
    }
    Some(format!("{before}{OPENED}\n{table}{CLOSED}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(law: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)]) -> Vec<String> {
        law(&Tree::of(files))
            .iter()
            .map(|finding| format!("{}:{}: {}", finding.path, finding.line, finding.what))
            .collect()
    }

    const MANIFEST: &str = "[package]\nname = \"a\"\n[package.metadata.chapter]\ntitle = \"A\"\n\
        pages = [{ path = \"p/a.md\", question = \"Why?\", minutes = 9 }, { path = \"p/b.md\", minutes = 3 }]\n";

    #[test]
    fn each_missing_part_of_a_chapter_is_named() {
        let nothing = found(chapter_parts, &[("chapters/a/Cargo.toml", "[package]\n")]);
        assert_eq!(nothing.len(), 4, "{nothing:?}");
        let whole = [
            ("chapters/a/Cargo.toml", MANIFEST),
            ("chapters/a/README.md", ""),
            ("chapters/a/src/main.rs", ""),
            ("chapters/a/tests/it/main.rs", ""),
        ];
        assert!(found(chapter_parts, &whole).is_empty());
    }

    #[test]
    fn a_stranger_at_the_top_is_found() {
        assert_eq!(
            found(top_level, &[("README.md", ""), ("notes.txt", ""), ("tools/a.rs", "")]).len(),
            2
        );
    }

    #[test]
    fn a_home_folder_is_found_and_a_part_of_a_path_is_not() {
        let home = concat!("see /ho", "me/somebody/x\n");
        assert_eq!(found(machine_path, &[("book/a.md", home)]).len(), 1);
        let part =
            concat!("https://example.org/ho", "me/x and ../wo", "rk/y and ${HOME}/ro", "ot/\n");
        assert!(found(machine_path, &[("book/a.md", part)]).is_empty());
    }

    #[test]
    fn retries_are_refused_wherever_they_stand() {
        let text = "[profile.default]\nretries = 0\n[profile.ci]\nretries = { backoff = \"fixed\", count = 2 }\n";
        assert_eq!(
            found(retries, &[(".config/nextest.toml", text)]),
            [".config/nextest.toml:4: tests are tried again"]
        );
    }

    #[test]
    fn a_number_in_a_command_is_found_but_in_the_first_chapter() {
        let text = concat!("//! `cargo xt", "ask run chapter 2 shop`\n");
        assert_eq!(
            found(chapter_number, &[("chapters/a/examples/run.rs", text)]),
            [concat!(
                "chapters/a/examples/run.rs:1: a chapter's number in `xt",
                "ask run chapter 2`"
            )]
        );
        let plain = concat!("see `xt", "ask test 12`\n");
        assert_eq!(found(chapter_number, &[("chapters/a/README.md", plain)]).len(), 1);
        let slugs =
            "cargo xtask run events 2\ncargo xtask ci --steps\ncargo xtask run chapter events\n";
        let fine = [
            ("chapters/a/README.md", slugs),
            ("chapters/quickstart/src/main.rs", text),
            ("README.md", text),
        ];
        assert!(found(chapter_number, &fine).is_empty());
    }

    #[test]
    fn a_mark_is_found_in_chapters_and_pages_with_what_is_to_be_written() {
        let text = format!("# A\n\n<!-- {MARK}: the question -->\n");
        let findings = unwritten(&Tree::of(&[("book/p/a.md", &text), ("adr/1.md", &text)]));
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].line, findings[0].mend.as_str()), (3, "the question"));
    }

    #[test]
    fn a_chapter_outside_of_the_summary_is_found() {
        let files = [("chapters/a/Cargo.toml", MANIFEST), ("book/SUMMARY.md", "- [A](p/a.md)\n")];
        assert!(found(summary, &files).is_empty());
        assert_eq!(
            found(summary, &files[..1]),
            ["book/SUMMARY.md:1: the chapter a is not in SUMMARY.md"]
        );
    }

    #[test]
    fn the_readmes_table_is_the_generated_one() {
        let table = "| | Chapter | Question | Minutes |\n|---|---|---|---|\n| 1 | [A](book/p/a.md) | Why? | 12 |\n";
        let good = format!("# X\n{OPENED}\n{table}{CLOSED}\nend\n");
        let with = |readme: &str| {
            found(
                readme_table,
                &[
                    ("README.md", readme),
                    ("chapters/a/Cargo.toml", MANIFEST),
                    ("book/SUMMARY.md", "- [A](p/a.md)\n"),
                ],
            )
        };
        assert!(with(&good).is_empty(), "{:?}", with(&good));
        assert_eq!(
            with(&good.replace("12", "13")),
            ["README.md:2: the table of chapters is out of date"]
        );
        assert_eq!(with("# X\n"), ["README.md:1: no table of chapters"]);
    }
}
