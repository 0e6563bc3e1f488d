//! `book/SUMMARY.md`: the one source of the order of pages, and so of the numbers of chapters.

/// The pages of the book in reading order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Paths below `book/`.
    pub pages: Vec<String>,
}

impl Summary {
    /// Reads the links of the list; headings and everything else are skipped.
    pub fn parse(text: &str) -> Summary {
        let link = |line: &str| {
            let line = line.trim().trim_start_matches(['-', '*', '+']).trim_start();
            let path = line.strip_prefix('[')?.strip_suffix(')')?.split_once("](")?.1;
            (!path.is_empty()).then(|| path.trim_start_matches("./").to_owned())
        };
        Summary { pages: text.lines().filter_map(link).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_in_order_whatever_their_indentation() {
        let text = "# Kafka in Rust\n\n[Introduction](introduction.md)\n\n# Part I · First steps\n\n\
                    - [Quickstart](./first-steps/quickstart.md)\n  - [More](first-steps/more.md)\n- [Draft]()\n---\n";
        let pages = Summary::parse(text).pages;
        assert_eq!(pages, ["introduction.md", "first-steps/quickstart.md", "first-steps/more.md"]);
    }
}
