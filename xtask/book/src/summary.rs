//! `SUMMARY.md`: the one source of the order and the numbers of chapters.

use std::sync::LazyLock;

use regex::Regex;

use crate::source::Source;

/// Where the summary stands.
pub const PATH: &str = "book/SUMMARY.md";

static ENTRY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:[-*+]\s+)?\[([^\]]*)\]\(([^)]*)\)\s*$")
        .expect("the expression is constant and a test compiles it")
});

/// A page in the summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its title in the sidebar.
    pub title: String,
    /// The path of the Markdown file from the book's folder; empty for a draft.
    pub path: String,
    /// The line of the summary.
    pub line: usize,
    /// The part under which it stands, as an index into [`Summary::parts`].
    pub part: Option<usize>,
}

/// The book's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The titles of the parts, with their lines.
    pub parts: Vec<(String, usize)>,
    /// The pages in order.
    pub entries: Vec<Entry>,
}

impl Summary {
    /// Reads the summary's lines; what mdBook does not allow there, it says itself.
    pub fn parse(source: &Source) -> Summary {
        let mut summary = Summary::default();
        let mut titled = false;
        for (at, line) in source.text.lines().enumerate() {
            if let Some(title) = line.strip_prefix("# ") {
                // The first heading is the page's own, as in mdBook.
                if !titled && summary.entries.is_empty() {
                    titled = true;
                } else {
                    summary.parts.push((title.trim().to_owned(), at + 1));
                }
            } else if let Some(entry) = ENTRY.captures(line) {
                summary.entries.push(Entry {
                    title: entry[1].to_owned(),
                    path: entry[2].trim_start_matches("./").to_owned(),
                    line: at + 1,
                    part: summary.parts.len().checked_sub(1),
                });
            }
        }
        summary
    }

    /// The entry of a page.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.path == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_pages_are_read_with_their_lines() {
        let text = "# Summary\n\n[Introduction](introduction.md)\n\n# Part I · First steps\n\n\
                    - [Quickstart](./first-steps/quickstart.md)\n  - [More](first-steps/more.md)\n";
        let summary = Summary::parse(&Source::new(PATH, text));
        assert_eq!(summary.parts, [("Part I · First steps".to_owned(), 5)]);
        let paths: Vec<_> =
            summary.entries.iter().map(|e| (e.path.as_str(), e.line, e.part)).collect();
        assert_eq!(
            paths,
            [
                ("introduction.md", 3, None),
                ("first-steps/quickstart.md", 7, Some(0)),
                ("first-steps/more.md", 8, Some(0)),
            ]
        );
    }
}
