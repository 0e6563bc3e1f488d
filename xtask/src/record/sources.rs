//! The files that decide what a run writes: `book check` compares them with what a recording was made from.

use std::path::Path;

use anyhow::Context;
use logging::Sources;

use crate::project::{Chapter, Run, TargetKind};

/// The program of the run with its modules, and the library of its chapter.
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
    let mut files = vec![target.path.clone()];
    let modules = target.path.trim_end_matches(".rs");
    rust_files(&chapter.folder, modules, &mut files)?;
    let is_program = |file: &str| {
        let programs = chapter.targets.iter().filter(|target| target.kind == TargetKind::Bin);
        programs.into_iter().any(|program| program.path == file)
    };
    if !chapter.is_foundation() {
        let mut library = Vec::new();
        rust_files(&chapter.folder, "src", &mut library)?;
        files.extend(library.into_iter().filter(|file| !is_program(file)));
    }
    let from_root = files.iter().map(|file| format!("chapters/{}/{file}", chapter.slug));
    Sources::of(root, from_root)
        .with_context(|| format!("the code of {} {} cannot be read", chapter.slug, run.name))
}

/// Adds the Rust files below `folder`, as paths from `chapter`; none if there is no such folder.
fn rust_files(chapter: &Path, folder: &str, files: &mut Vec<String>) -> anyhow::Result<()> {
    let path = chapter.join(folder);
    if !path.is_dir() {
        return Ok(());
    }
    let entries =
        std::fs::read_dir(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let below = format!("{folder}/{}", name.to_string_lossy());
        if entry.path().is_dir() {
            rust_files(chapter, &below, files)?;
        } else if below.ends_with(".rs") {
            files.push(below);
        }
    }
    Ok(())
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
            "src/lib.rs",
            "src/wire/code.rs",
            "src/main.rs",
            "src/notes.md",
            "examples/run.rs",
            "examples/run/shop.rs",
            "examples/other.rs",
            "tests/it/main.rs",
        ];
        for file in all {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
        let chapter = Chapter::parse(&MANIFEST.replace('@', slug), &folder).unwrap();
        let sources = of(root.path(), &chapter, chapter.run(Some(run)).unwrap()).unwrap();
        let sources = serde_json::to_value(sources).unwrap();
        let files = sources.as_object().unwrap().keys();
        files.map(|file| file.trim_start_matches(&format!("chapters/{slug}/")).to_owned()).collect()
    }

    #[test]
    fn a_program_its_modules_and_the_library_of_its_chapter() {
        assert_eq!(
            files("producers", "send"),
            ["examples/run.rs", "examples/run/shop.rs", "src/lib.rs", "src/wire/code.rs"]
        );
        assert_eq!(files("producers", "first"), ["src/lib.rs", "src/main.rs", "src/wire/code.rs"]);
    }

    #[test]
    fn a_foundation_is_more_than_what_its_run_shows() {
        assert_eq!(files("logging", "send"), ["examples/run.rs", "examples/run/shop.rs"]);
    }
}
