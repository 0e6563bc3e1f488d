//! READMEs of a copy: they say how to run and test what is there, and nothing else.

use crate::project::{Chapter, Run, TargetKind};

/// The sections of a chapter's README about what a library leaves behind: its programs, its tests.
pub const RUN_AND_TEST: [&str; 2] = ["## Run it", "## Test it"];

/// The README of a workspace that a chapter was copied to.
pub fn of_workspace(chapter: &Chapter, crates: &[&Chapter]) -> String {
    let mut text = format!(
        "# {}\n\n{}\nFrom the book \"Kafka in Rust\"; `{}/README.md` says more about the crate itself.\n\n## Run it\n\n",
        chapter.title, chapter.description, chapter.slug
    );
    let has_testbed = crates.iter().any(|one| one.slug == "testbed");
    if has_testbed {
        text.push_str("`testbed` starts a Kafka for as long as a program runs: a built-in one, or one that can do more where that is needed.\n");
    } else {
        text.push_str("The programs find Kafka in `KAFKA_BROKERS`, as `host:port`.\n");
    }
    for run in &chapter.runs {
        text.push_str(&format!(
            "\n{}\n\n```console\n$ {}\n```\n",
            run.about,
            command(chapter, run, has_testbed)
        ));
    }
    text.push_str(&format!(
        "\n## Test it\n\n```console\n$ cargo test -p {}\n```\n\n## What is here\n\n",
        chapter.slug
    ));
    for one in crates {
        text.push_str(&format!("- `{}`: {}\n", one.slug, one.description));
    }
    text.push_str("\n## Licence\n\nMIT or Apache-2.0, as you like.\n");
    text
}

/// The README of a chapter that goes along as a library: without the sections about the rest.
pub fn of_library(readme: &str) -> String {
    let mut text = String::new();
    let (mut is_left_out, mut in_code) = (false, false);
    for line in readme.split_inclusive('\n') {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        let is_heading = !in_code && (line.starts_with("# ") || line.starts_with("## "));
        if is_heading {
            is_left_out = RUN_AND_TEST.contains(&line.trim_end());
        }
        if !is_left_out {
            text.push_str(line);
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn command(chapter: &Chapter, run: &Run, has_testbed: bool) -> String {
    let kind = chapter.target(&run.program).map_or(TargetKind::Bin, |target| target.kind);
    let program = format!("cargo run -p {} {} {}", chapter.slug, kind.flag(), run.program);
    let arguments =
        if run.args.is_empty() { String::new() } else { format!(" -- {}", run.args.join(" ")) };
    if run.owns_cluster || !has_testbed {
        return format!("{program}{arguments}");
    }
    let mut around = "cargo run -p testbed -- exec".to_owned();
    if !run.needs.is_empty() {
        around.push_str(&format!(" --needs {}", run.needs.to_string().replace(' ', "")));
    }
    if !run.topics.is_empty() {
        around.push_str(&format!(" --topics {}", run.topics.join(",")));
    }
    format!("{around} -- {program}{arguments}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_run_is_a_command_that_works_there() {
        let text = "[package]\nname = \"a\"\ndescription = \"Sends.\"\n[package.metadata.chapter]\ntitle = \"A\"\nruns = [\n\
                    { name = \"r\", program = \"a_run\", about = \"It runs.\", needs = [\"txn\", \"admin\"], topics = [\"o:1\", \"p:2\"] },\n\
                    ]\n[[example]]\nname = \"a_run\"\n";
        let chapter = Chapter::parse(text, Path::new(".")).unwrap();
        let testbed = Chapter { slug: "testbed".to_owned(), ..chapter.clone() };
        let with = of_workspace(&chapter, &[&chapter, &testbed]);
        let command = "$ cargo run -p testbed -- exec --needs txn,admin --topics o:1,p:2 -- cargo run -p a --example a_run\n";
        assert!(with.contains(command), "{with}");
        let without = of_workspace(&chapter, &[&chapter]);
        assert!(
            without.contains("KAFKA_BROKERS")
                && without.contains("$ cargo run -p a --example a_run\n"),
            "{without}"
        );
    }

    #[test]
    fn a_library_keeps_every_section_but_those_about_what_stays_behind() {
        let readme = "# a\n\nSends.\n\n## Run it\n\n```console\n# a comment\ncargo run --example a_run\n```\n\n\
                      ### Slowly\n\nOr so.\n\n## Use it\n\n```rust\n# Ok(())\n```\n\n## Test it\n\nWith tests.\n";
        assert_eq!(of_library(readme), "# a\n\nSends.\n\n## Use it\n\n```rust\n# Ok(())\n```\n",);
    }
}
