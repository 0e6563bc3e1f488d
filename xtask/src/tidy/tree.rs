//! The files that laws look at: texts by path, from disk or, in tests, made up.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use toml_edit::DocumentMut;

/// Text files by their path from the top folder, with `/` between its parts.
#[derive(Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
}

/// A text file.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its path from the top folder.
    pub path: &'a str,
    /// What is in it.
    pub text: &'a str,
}

impl Tree {
    /// Reads what stands in the repository; what git ignores at the top is left out, and what is no text.
    pub fn read(root: &Path) -> anyhow::Result<Tree> {
        let ignored: Vec<String> = std::fs::read_to_string(root.join(".gitignore"))
            .unwrap_or_default()
            .lines()
            .filter_map(|line| {
                line.trim().strip_prefix('/').map(|name| name.trim_end_matches('/').to_owned())
            })
            .chain([".git".to_owned()])
            .collect();
        let mut tree = Tree::default();
        tree.read_folder(root, "", &ignored)?;
        Ok(tree)
    }

    fn read_folder(
        &mut self,
        folder: &Path,
        prefix: &str,
        ignored: &[String],
    ) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(folder)
            .with_context(|| format!("{} cannot be read", folder.display()))?
        {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if ignored.contains(&path) || path.ends_with("/target") {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"), ignored)?;
            } else if let Ok(text) = String::from_utf8(std::fs::read(entry.path())?) {
                self.files.insert(path, text);
            }
        }
        Ok(())
    }

    /// A made-up tree.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Tree {
        Tree {
            files: files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect(),
        }
    }

    /// All files in the order of their paths.
    pub fn files(&self) -> impl Iterator<Item = File<'_>> {
        self.files.iter().map(|(path, text)| File { path, text })
    }

    /// Rust files.
    pub fn rust(&self) -> impl Iterator<Item = File<'_>> {
        self.files().filter(|file| file.path.ends_with(".rs"))
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// True if the file is there.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The slugs of the folders below `chapters/`.
    pub fn chapters(&self) -> Vec<&str> {
        let mut slugs: Vec<&str> = self
            .files
            .keys()
            .filter_map(|path| Some(path.strip_prefix("chapters/")?.split_once('/')?.0))
            .collect();
        slugs.dedup();
        slugs
    }

    /// The manifests of all packages that can be read as TOML.
    pub fn manifests(&self) -> impl Iterator<Item = Manifest<'_>> {
        self.files()
            .filter(|file| {
                let parts: Vec<&str> = file.path.split('/').collect();
                matches!(
                    parts[..],
                    ["chapters", _, "Cargo.toml"]
                        | ["xtask", "Cargo.toml"]
                        | ["xtask", "book" | "page", "Cargo.toml"]
                )
            })
            .filter_map(|file| {
                let folder = file.path.strip_suffix("/Cargo.toml")?;
                Some(Manifest { file, folder, document: file.text.parse().ok()? })
            })
    }
}

impl<'a> File<'a> {
    /// The lines with their numbers from 1.
    pub fn lines(self) -> impl Iterator<Item = (usize, &'a str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    /// The number of the first line that contains this; 1 where none does.
    pub fn line_of(self, needle: &str) -> usize {
        self.lines().find(|(_, line)| line.contains(needle)).map_or(1, |(number, _)| number)
    }
}

/// A package's `Cargo.toml`.
#[derive(Debug)]
pub struct Manifest<'a> {
    /// The file.
    pub file: File<'a>,
    /// The folder of the package.
    pub folder: &'a str,
    /// What it says.
    pub document: DocumentMut,
}

impl Manifest<'_> {
    /// The slug, if it is a chapter.
    pub fn chapter(&self) -> Option<&str> {
        self.folder.strip_prefix("chapters/")
    }

    /// The line of a dependency, or of any key at the start of a line.
    pub fn line_of_key(&self, key: &str) -> usize {
        let is_key = |line: &str| {
            line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', '.']))
        };
        self.file.lines().find(|(_, line)| is_key(line)).map_or(1, |(number, _)| number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_ignores_and_what_is_no_text_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, bytes: &[u8]| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        write(".gitignore", b"/build\n*.new\n");
        write("build/index.html", b"x");
        write("chapters/a/target/debug/x", b"x");
        write("chapters/a/src/lib.rs", b"x");
        write("logo.png", &[0xff, 0xfe]);
        let tree = Tree::read(folder.path()).unwrap();
        let paths: Vec<&str> = tree.files().map(|file| file.path).collect();
        assert_eq!(paths, [".gitignore", "chapters/a/src/lib.rs"]);
        assert_eq!(tree.chapters(), ["a"]);
    }

    #[test]
    fn manifests_are_those_of_packages() {
        let package = "[package]\nname = \"a\"\n\n[dependencies]\nserde = \"1\"\n";
        let tree = Tree::of(&[
            ("Cargo.toml", "[workspace]\n"),
            ("chapters/a/Cargo.toml", package),
            ("chapters/a/exercises/x/Cargo.toml", package),
            ("xtask/Cargo.toml", package),
        ]);
        let folders: Vec<&str> = tree.manifests().map(|manifest| manifest.folder).collect();
        assert_eq!(folders, ["chapters/a", "xtask"]);
        assert_eq!(tree.manifests().next().unwrap().line_of_key("serde"), 5);
    }
}
