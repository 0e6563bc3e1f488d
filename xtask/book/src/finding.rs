//! What is wrong with the book, where, and how to mend it.

use std::fmt;

/// One broken law, printed as `file:line: what: how to mend`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, relative to the workspace's root, with `/` between its parts.
    pub file: String,
    /// The line in that file; the first line is 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub mend: String,
}

impl Finding {
    /// A finding in a file at a line.
    pub fn new(
        file: impl Into<String>,
        line: usize,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Finding {
        Finding { file: file.into(), line, what: what.into(), mend: mend.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file, self.line, self.what, self.mend)
    }
}

/// A finding that does not know yet where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub mend: String,
}

impl Problem {
    /// A problem and its remedy.
    pub fn new(what: impl Into<String>, mend: impl Into<String>) -> Problem {
        Problem { what: what.into(), mend: mend.into() }
    }

    /// The finding that this problem is at a place.
    pub fn at(self, file: &str, line: usize) -> Finding {
        Finding::new(file, line, self.what, self.mend)
    }
}

/// The name in `known` that is nearest to `typed`, if one is near enough to be meant.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(typed, name), name))
        .filter(|(distance, name)| *distance <= name.len().max(typed.len()) / 3)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line() {
        let finding = Finding::new("book/a.md", 3, "no such page `b.md`", "write it");
        assert_eq!(finding.to_string(), "book/a.md:3: no such page `b.md`: write it");
    }

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("quikstart", ["events", "quickstart"]), Some("quickstart"));
        assert_eq!(nearest("rnu", ["list", "run"]), Some("run"));
        assert_eq!(nearest("sagas", ["events", "quickstart"]), None);
    }
}
