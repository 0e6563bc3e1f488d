//! A text file of the workspace, and lines in it.

use std::path::{Component, Path, PathBuf};
use std::{fs, io};

/// A file's text with its path.
#[derive(Debug, Clone)]
pub struct Source {
    /// The path from the workspace's root, with `/` between its parts.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// Where each line starts.
    starts: Vec<usize>,
}

impl Source {
    /// A text that was read already.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Source {
        let text = text.into();
        let starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Source { path: path.into(), text, starts }
    }

    /// Reads `path`, which is relative to `root`.
    pub fn read(root: &Path, path: &str) -> io::Result<Source> {
        Ok(Source::new(path, fs::read_to_string(root.join(path))?))
    }

    /// The line, from 1, in which the byte at `offset` stands.
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// Where the line of the byte at `offset` starts.
    pub fn line_start(&self, offset: usize) -> usize {
        self.starts[self.line(offset) - 1]
    }
}

/// `path` taken from the folder `base`, without `.` and `..`; both are relative to the root.
///
/// `None` if it leads out of the workspace.
pub fn resolve(base: &str, path: &str) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in PathBuf::from(base).join(path).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// The folder of a path that is relative to the root; "" for a file at the top.
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The way from the folder of page `from` to the file `to`, both relative to the same folder.
pub fn relative(from: &str, to: &str) -> String {
    let from: Vec<&str> = folder(from).split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = to.split('/').collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut way = vec![".."; from.len() - common];
    way.extend(&to[common..]);
    way.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_from_one() {
        let source = Source::new("a", "one\ntwo\n\nfour");
        assert_eq!([0, 3, 4, 8, 9].map(|at| source.line(at)), [1, 1, 2, 3, 4]);
        assert_eq!(source.line_start(6), 4);
    }

    #[test]
    fn paths_are_taken_from_the_page() {
        assert_eq!(resolve("book/data", "../../a/b.rs").as_deref(), Some("a/b.rs"));
        assert_eq!(resolve("book", "./c.md").as_deref(), Some("book/c.md"));
        assert_eq!(resolve("book", "../../etc/passwd"), None);
        assert_eq!(resolve("book", "/etc/passwd"), None);
        assert_eq!(relative("data/events.md", "first-steps/q.md"), "../first-steps/q.md");
        assert_eq!(relative("introduction.md", "data/events.md"), "data/events.md");
        assert_eq!(relative("data/events.md", "data/other.md"), "other.md");
    }
}
