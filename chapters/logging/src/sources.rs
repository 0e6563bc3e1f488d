//! The files that decide what a run writes, with a digest of each: a recording that is older than they are
//! shows what the program no longer does.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::io;
use std::path::Path;

use fnv::FnvHasher;
use serde::{Deserialize, Serialize};

/// Files with a digest of each, by path from a root folder.
///
/// The digest is that of the code: blank lines, indentation and lines that only comment do not count. It tells
/// one version of a file from the next and is no protection against somebody who wants two files to look alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sources(BTreeMap<String, String>);

impl Sources {
    /// The digests of these files, whose paths start at `root` and have `/` between their parts.
    ///
    /// # Errors
    /// When a file cannot be read as text.
    pub fn of(
        root: &Path,
        files: impl IntoIterator<Item = String>,
    ) -> io::Result<Self> {
        let digests = files.into_iter().map(|file| {
            let text = std::fs::read_to_string(root.join(&file))?;
            Ok((file, digest(&text)))
        });
        Ok(Sources(digests.collect::<io::Result<_>>()?))
    }

    /// The first of them that is no longer what it was, or no longer there.
    pub fn changed(&self, root: &Path) -> Option<&str> {
        let same = |file: &str, old: &str| {
            std::fs::read_to_string(root.join(file))
                .is_ok_and(|text| digest(&text) == old)
        };
        let mut files = self.0.iter();
        files
            .find(|(file, old)| !same(file, old))
            .map(|(file, _)| file.as_str())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn digest(text: &str) -> String {
    let mut hasher = FnvHasher::default();
    let code = text.lines().map(str::trim);
    for line in
        code.filter(|line| !line.is_empty() && !line.starts_with("//"))
    {
        hasher.write(line.as_bytes());
        hasher.write_u8(b'\n');
    }
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_counts_and_comments_do_not() {
        let old = digest("fn main() {\n    send(1);\n}\n");
        // The same on every machine and in every release: recordings keep it.
        assert_eq!(old, "1aa8e816d1f72b28");
        assert_eq!(
            old,
            digest("// Sends.\nfn main() {\n\n  send(1);\r\n}")
        );
        assert_ne!(old, digest("fn main() {\n    send(2);\n}\n"));
        assert_ne!(digest("a\nb"), digest("ab"));
    }

    #[test]
    fn a_file_that_changed_or_is_gone_is_named() {
        let root = std::env::temp_dir()
            .join(format!("logging-sources-{}", std::process::id()));
        std::fs::create_dir_all(root.join("src")).unwrap();
        let write = |file: &str, text: &str| {
            std::fs::write(root.join(file), text).unwrap();
        };
        write("src/a.rs", "a();");
        write("src/b.rs", "b();");
        let files = || ["src/a.rs", "src/b.rs"].map(str::to_owned);
        let sources = Sources::of(&root, files()).unwrap();
        assert_eq!(sources.changed(&root), None);
        write("src/b.rs", "c();");
        assert_eq!(sources.changed(&root), Some("src/b.rs"));
        std::fs::remove_file(root.join("src/a.rs")).unwrap();
        assert_eq!(sources.changed(&root), Some("src/a.rs"));
        assert!(Sources::of(&root, files()).is_err());
        std::fs::remove_dir_all(&root).unwrap();
    }
}
