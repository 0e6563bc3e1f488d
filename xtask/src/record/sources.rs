//! The files that decide what a run writes: `book check` compares them with what a recording was made from.

use std::path::Path;

use anyhow::Context;
use logging::Sources;

use crate::project::{Chapter, Run};
use crate::source_files::crate_at;

/// The program of the run with its modules, and the library of its chapter; with the texts that they include, and
/// without what is compiled for tests alone.
///
/// A foundation's library is left out. Every recording comes through `logging` and `testbed`, and their own runs
/// would grow old with each change to a file that has no part in them: to the comparison of recordings, to the
/// start of a broker in Docker. What such a run shows is what its program does; that the libraries below it still
/// do the same is what `record --check` sees, which runs them. For an ordinary chapter the library is the topic,
/// and a page that shows its code must show a run of that code.
pub fn of(root: &Path, chapter: &Chapter, run: &Run) -> anyhow::Result<Sources> {
    let target = chapter
        .target(&run.program)
        .with_context(|| format!("{} has no program {:?}", chapter.slug, run.program))?;
    let at = |file: &str| format!("chapters/{}/{file}", chapter.slug);
    let mut files = crate_at(root, &at(&target.path))?.code;
    if chapter.has_lib() && !chapter.is_foundation() {
        files.extend(crate_at(root, &at("src/lib.rs"))?.code);
    }
    Sources::of(root, files)
        .with_context(|| format!("the code of {} {} cannot be read", chapter.slug, run.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
[package]
name = "@"
[package.metadata.chapter]
runs = [{ name = "send", program = "send_run" }, { name = "first", program = "@" }]
[[bin]]
name = "@"
[[example]]
name = "send_run"
path = "examples/run.rs"
"#;

    /// The files of a run of a chapter with this name.
    fn files(slug: &str, run: &str) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("chapters").join(slug);
        let all = [
            ("src/lib.rs", "mod wire;\n#[cfg(test)]\nmod properties;\n"),
            ("src/wire.rs", "mod code;\n"),
            ("src/wire/code.rs", ""),
            ("src/properties.rs", ""),
            ("src/main.rs", ""),
            ("src/notes.md", ""),
            (
                "examples/run.rs",
                "mod stage;\nconst WEEK: &str = include_str!(\"../fixtures/week.yaml\");\n",
            ),
            ("examples/stage/mod.rs", "pub mod stories;\n"),
            ("examples/stage/stories.rs", ""),
            ("examples/other.rs", ""),
            ("fixtures/week.yaml", ""),
            ("fixtures/other.yaml", ""),
            ("tests/it/main.rs", ""),
        ];
        for (file, text) in all {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let chapter = Chapter::parse(&MANIFEST.replace('@', slug), &folder).unwrap();
        let sources = of(root.path(), &chapter, chapter.run(Some(run)).unwrap()).unwrap();
        let sources = serde_json::to_value(sources).unwrap();
        let files = sources.as_object().unwrap().keys();
        files.map(|file| file.trim_start_matches(&format!("chapters/{slug}/")).to_owned()).collect()
    }

    const OF_THE_RUN: [&str; 4] = [
        "examples/run.rs",
        "examples/stage/mod.rs",
        "examples/stage/stories.rs",
        "fixtures/week.yaml",
    ];

    #[test]
    fn a_program_its_modules_its_texts_and_the_library_of_its_chapter() {
        let library = ["src/lib.rs", "src/wire.rs", "src/wire/code.rs"];
        assert_eq!(files("producers", "send"), [&OF_THE_RUN[..], &library].concat());
        assert_eq!(
            files("producers", "first"),
            ["src/lib.rs", "src/main.rs", "src/wire.rs", "src/wire/code.rs"]
        );
    }

    #[test]
    fn a_foundation_is_more_than_what_its_run_shows() {
        assert_eq!(files("logging", "send"), OF_THE_RUN);
    }
}
