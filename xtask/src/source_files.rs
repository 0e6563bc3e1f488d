//! The files that a crate is made of: what `mod` lines name, from its root on, and what is included as text.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use anyhow::Context;

/// Files of a crate, as paths from one folder, with `/` between their parts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// What the compiler reads for a program or a library, texts that it includes among them.
    pub code: BTreeSet<String>,
    /// What it reads for tests alone.
    pub tests: BTreeSet<String>,
}

/// The files of the crate whose first file is `root`; both its path and theirs start at `folder`.
///
/// Read as rustfmt writes it: an item begins a line. A module without a file is left to the compiler to complain of.
pub fn crate_at(folder: &Path, root: &str) -> anyhow::Result<Files> {
    let mut files = Files::default();
    // The modules of a crate's root stand beside it, whatever its name.
    let beside = parent(root).to_owned();
    files.read(folder, root, &beside, false)?;
    // A file may be a module of the program and, by another path, of its tests.
    files.tests = files.tests.difference(&files.code).cloned().collect();
    Ok(files)
}

impl Files {
    /// `modules` is the folder of the file's own modules.
    fn read(
        &mut self,
        folder: &Path,
        file: &str,
        modules: &str,
        is_test: bool,
    ) -> anyhow::Result<()> {
        let all = if is_test { &mut self.tests } else { &mut self.code };
        if !all.insert(file.to_owned()) {
            return Ok(());
        }
        let text = std::fs::read_to_string(folder.join(file))
            .with_context(|| format!("{} cannot be read", folder.join(file).display()))?;
        let tests_from = tests_from(&text).unwrap_or(usize::MAX);
        for module in declared(&text) {
            let is_test = is_test || module.is_test || module.line >= tests_from;
            let name = module.name;
            let candidates = match &module.path {
                // As the compiler reads it: from the folder of the file that says so.
                Some(path) => vec![join(parent(file), path)],
                None => vec![
                    join(modules, &format!("{name}.rs")),
                    join(modules, &format!("{name}/mod.rs")),
                ],
            };
            let is_there = |path: &&String| folder.join(path).is_file();
            let Some(found) = candidates.iter().find(is_there) else { continue };
            let below = if module.path.is_some() || found.ends_with("/mod.rs") {
                parent(found).to_owned()
            } else {
                join(modules, name)
            };
            self.read(folder, found, &below, is_test)?;
        }
        for (line, path) in included(&text) {
            let path = join(parent(file), path);
            let all = if is_test || line >= tests_from { &mut self.tests } else { &mut self.code };
            all.insert(path);
        }
        Ok(())
    }
}

/// The line, from 1, from which on a file holds nothing but tests: `#[cfg(test)]` above `mod tests {`.
///
/// Such a module stands last in a file here, as Clippy's `items_after_test_module` asks.
pub fn tests_from(text: &str) -> Option<usize> {
    let mut attribute = None;
    for (number, line) in code(text) {
        match line {
            "#[cfg(test)]" => attribute = Some(number),
            // Other attributes may stand between.
            _ if line.starts_with("#[") => {}
            _ if module(line).is_some_and(|(_, opens)| opens) && attribute.is_some() => {
                return attribute;
            }
            _ => attribute = None,
        }
    }
    None
}

/// A module that has a file of its own.
struct Module<'a> {
    name: &'a str,
    line: usize,
    /// What `#[path = "…"]` says.
    path: Option<String>,
    is_test: bool,
}

fn declared(text: &str) -> Vec<Module<'_>> {
    let mut modules = Vec::new();
    let (mut path, mut is_test) = (None, false);
    for (number, line) in code(text) {
        if line.starts_with("#[") {
            is_test |= line == "#[cfg(test)]";
            let named = line.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]"));
            path = named.map(str::to_owned).or(path);
            continue;
        }
        if let Some((name, false)) = module(line) {
            modules.push(Module { name, line: number, path: path.take(), is_test });
        }
        (path, is_test) = (None, false);
    }
    modules
}

/// The name of `mod name;` or `mod name {`, and whether it opens; whoever may see it.
fn module(line: &str) -> Option<(&str, bool)> {
    let rest = match line.strip_prefix("pub") {
        None => line,
        // `pub(crate)`, `pub(in …)`
        Some(rest) if rest.starts_with('(') => rest.split_once(')')?.1.trim_start(),
        Some(rest) => rest.trim_start(),
    };
    let rest = rest.strip_prefix("mod ")?;
    let (name, opens) = match rest.strip_suffix(';') {
        Some(name) => (name, false),
        None => (rest.strip_suffix('{')?.trim_end(), true),
    };
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_name.then_some((name, opens))
}

/// Paths in `include!`, `include_str!` and `include_bytes!`, with their lines; a README in the documentation changes
/// nothing that a program does.
fn included(text: &str) -> Vec<(usize, &str)> {
    const MACROS: [&str; 3] = ["include!(", "include_str!(", "include_bytes!("];
    let mut paths = Vec::new();
    let mut is_open = false;
    for (number, line) in code(text) {
        if line.starts_with("#[doc") || line.starts_with("#![doc") {
            continue;
        }
        // A path that is too long for the line stands on the next.
        if let (true, Some(path)) = (is_open, quoted(line)) {
            paths.push((number, path));
        }
        for name in MACROS {
            let calls = line.match_indices(name).map(|(at, _)| &line[at + name.len()..]);
            paths.extend(calls.filter_map(quoted).map(|path| (number, path)));
        }
        is_open = MACROS.iter().any(|name| line.ends_with(name));
    }
    paths
}

/// What stands in quotes at the start.
fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.split_once('"').map(|(path, _)| path)
}

/// Lines that are not comments, without their indentation, with their numbers from 1.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with("//"))
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `a/b` and `../c.rs` are `a/c.rs`.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in Path::new(folder).join(path).components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::CurDir => {}
            part => parts.push(part.as_os_str().to_string_lossy().into_owned()),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_of(files: &[(&str, &str)], root: &str) -> (Vec<String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let found = crate_at(folder.path(), root).unwrap();
        (found.code.into_iter().collect(), found.tests.into_iter().collect())
    }

    #[test]
    fn modules_of_a_root_stand_beside_it_and_those_of_a_module_below_it() {
        let files = [
            ("examples/run.rs", "//! Runs.\nmod stage;\nmod shop;\npub(crate) mod gone;\n"),
            ("examples/stage/mod.rs", "pub mod stories;\n"),
            ("examples/stage/stories.rs", ""),
            ("examples/shop.rs", "mod wire;\n"),
            ("examples/shop/wire.rs", "#[path = \"other/name.rs\"]\nmod elsewhere;\n"),
            ("examples/shop/other/name.rs", ""),
            ("examples/run/stranger.rs", ""),
            ("examples/other.rs", ""),
        ];
        let (code, tests) = crate_of(&files, "examples/run.rs");
        assert_eq!(
            code,
            [
                "examples/run.rs",
                "examples/shop.rs",
                "examples/shop/other/name.rs",
                "examples/shop/wire.rs",
                "examples/stage/mod.rs",
                "examples/stage/stories.rs",
            ]
        );
        assert_eq!(tests, [""; 0]);
    }

    #[test]
    fn texts_that_are_compiled_in_belong_to_the_code_but_for_documentation() {
        let root = "#[doc = include_str!(\"../README.md\")]\nfn a() {\n    \
                    let week = include_str!(\"../fixtures/shop.yaml\");\n    \
                    let more = include_bytes!(\n        \"more.bin\"\n    );\n    \
                    // include_str!(\"never.txt\")\n}\n\n\
                    #[cfg(test)]\nmod tests {\n    const GOLDEN: &str = include_str!(\"golden.tsv\");\n}\n";
        let (code, tests) = crate_of(&[("src/lib.rs", root)], "src/lib.rs");
        assert_eq!(code, ["fixtures/shop.yaml", "src/lib.rs", "src/more.bin"]);
        assert_eq!(tests, ["src/golden.tsv"]);
    }

    #[test]
    fn what_tests_alone_reach_is_no_code() {
        let files = [
            ("src/lib.rs", "mod plan;\n\n#[cfg(test)]\nmod properties;\nmod keys;\n"),
            ("src/plan.rs", "#[cfg(test)]\n#[allow(dead_code)]\nmod tests;\n"),
            ("src/plan/tests.rs", "mod golden;\n"),
            ("src/plan/tests/golden.rs", ""),
            ("src/properties.rs", "#[path = \"keys.rs\"]\nmod keys;\n"),
            ("src/keys.rs", ""),
        ];
        let (code, tests) = crate_of(&files, "src/lib.rs");
        assert_eq!(code, ["src/keys.rs", "src/lib.rs", "src/plan.rs"]);
        assert_eq!(tests, ["src/plan/tests.rs", "src/plan/tests/golden.rs", "src/properties.rs"]);
    }

    #[test]
    fn tests_begin_at_their_attribute() {
        let text = "fn a() {}\n\n#[cfg(test)]\nfn helper() {}\n\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n}\n";
        assert_eq!(tests_from(text), Some(6));
        assert_eq!(tests_from("#[cfg(test)]\nmod tests;\nfn a() {}\n"), None);
        assert_eq!(tests_from("mod tests {\n}\n"), None);
    }
}
