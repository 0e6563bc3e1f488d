//! Files of a copy: which go along, and never over one that is there.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// What of a crate is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Everything that Cargo builds and tests.
    All,
    /// What the library and its programs are made of.
    Library,
}

/// Exercises belong to a page, and to `cargo xtask exercise`, which stays here: a crate that is taken home is to be
/// used, and whoever wants to practise has this repository.
pub const OF_THE_BOOK: [&str; 1] = ["exercises"];

/// What needs the crates of the repository beside it, and the recorded runs that tests are held to.
pub const OF_THE_TESTS: [&str; 4] = ["examples", "tests", "benches", "runs"];

/// Copies a crate's folder but for its `Cargo.toml` and, with a library, its README, which are written for the place
/// they come to.
pub fn copy_crate(from: &Path, to: &Path, part: Part) -> anyhow::Result<()> {
    copy_wanted(from, to, &|path| {
        let name = path.to_string_lossy();
        let left_behind = OF_THE_BOOK.contains(&&*name)
            || matches!(&*name, "target" | "Cargo.toml")
            || (part == Part::Library && (name == "README.md" || OF_THE_TESTS.contains(&&*name)));
        !left_behind
    })
}

/// Copies a folder, but for what tools leave behind.
pub fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    copy_wanted(from, to, &|_| true)
}

fn copy_wanted(from: &Path, to: &Path, wanted: &dyn Fn(&Path) -> bool) -> anyhow::Result<()> {
    create(to)?;
    for entry in
        std::fs::read_dir(from).with_context(|| format!("{} cannot be read", from.display()))?
    {
        let entry = entry?;
        let name = entry.file_name();
        if !wanted(Path::new(&name)) || is_litter(&name.to_string_lossy()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to.join(&name))?;
        } else {
            copy_new(&entry.path(), &to.join(&name))?;
        }
    }
    Ok(())
}

/// The files below a folder, as paths from there, in a fixed order. What tools leave behind is no part of it.
pub fn below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(inner) = folders.pop() {
        let path = folder.join(&inner);
        for entry in std::fs::read_dir(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?
        {
            let entry = entry?;
            let name = inner.join(entry.file_name());
            if is_litter(&entry.file_name().to_string_lossy()) {
                continue;
            }
            if entry.file_type()?.is_dir() { folders.push(name) } else { found.push(name) }
        }
    }
    found.sort();
    Ok(found)
}

/// What tools leave behind and git ignores.
fn is_litter(name: &str) -> bool {
    name == ".DS_Store" || name.ends_with(".snap.new") || name.ends_with(".pending-snap")
}

/// Makes a folder and those above it.
pub fn create(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))
}

/// Reads a text file.
pub fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Writes a new file; one that is there is an error, not overwritten.
pub fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let refused = || format!("{} cannot be written: is it there already?", path.display());
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(path).with_context(refused)?;
    file.write_all(text.as_bytes()).with_context(refused)
}

/// Copies a file that is there to one that is not.
pub fn copy_if_there(from: &Path, to: &Path) -> anyhow::Result<()> {
    if from.is_file() { copy_new(from, to) } else { Ok(()) }
}

fn copy_new(from: &Path, to: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(!to.exists(), "{} exists, and is not overwritten", to.display());
    std::fs::copy(from, to)
        .map(drop)
        .with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(folder: &Path, files: &[&str]) {
        for file in files {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
    }

    #[test]
    fn a_library_leaves_its_recorded_runs_behind_and_a_module_of_that_name_goes_along() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        tree(
            &from,
            &[
                "Cargo.toml",
                "src/lib.rs",
                "src/runs/mod.rs",
                "runs/first/1.jsonl",
                "exercises/x/a.rs",
                "examples/run.rs",
                "src/a.snap.new",
            ],
        );
        copy_crate(&from, &to, Part::All).unwrap();
        assert!(to.join("src/runs/mod.rs").is_file() && to.join("examples/run.rs").is_file());
        assert!(
            to.join("runs/first/1.jsonl").is_file()
                && !to.join("exercises").exists()
                && !to.join("Cargo.toml").exists()
        );
        assert!(!to.join("src/a.snap.new").exists());
        let library = folder.path().join("library");
        copy_crate(&from, &library, Part::Library).unwrap();
        assert!(library.join("src/lib.rs").is_file() && library.join("src/runs/mod.rs").is_file());
        assert!(!library.join("runs").exists());
        assert!(!library.join("examples").exists());
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "mine").unwrap();
        assert!(write(&path, "theirs").unwrap_err().to_string().contains("is it there already?"));
        assert!(copy_new(&path, &path).unwrap_err().to_string().contains("is not overwritten"));
        assert_eq!(read(&path).unwrap(), "mine");
    }
}
