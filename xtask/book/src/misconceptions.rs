//! `book/misconceptions.toml`: what people hold about Kafka that is not so; each question tests one.

use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::finding::{Finding, Problem, nearest};
use crate::project::Project;
use crate::source::Source;

/// Where they stand.
pub const PATH: &str = "book/misconceptions.toml";

/// A sentence that is not so, as somebody would say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misconception {
    /// What questions call it.
    pub id: String,
    /// The sentence.
    pub says: String,
    /// The chapter that teaches better: before it is written nobody need ask.
    pub chapter: Option<String>,
    /// Its line in the file.
    pub line: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "misconception")]
    misconceptions: Vec<Spanned<Table>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    id: String,
    says: String,
    chapter: Option<String>,
}

/// Reads the file; a book without it has none.
pub fn load(root: &Path, findings: &mut Vec<Finding>) -> Vec<Misconception> {
    let source = match Source::read(root, PATH) {
        Ok(source) => source,
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            let what = format!("this file cannot be read ({error})");
            findings.push(Finding::new(PATH, 1, what, "make it readable"));
            return Vec::new();
        }
    };
    let file: File = match toml::from_str(&source.text) {
        Ok(file) => file,
        Err(error) => {
            let line = error.span().map_or(1, |span| source.line(span.start));
            findings.push(Finding::new(PATH, line, error.message(), "correct the file"));
            return Vec::new();
        }
    };
    let mut all: Vec<Misconception> = Vec::new();
    for table in file.misconceptions {
        let line = source.line(table.span().start);
        let Table { id, says, chapter } = table.into_inner();
        if let Some(first) = all.iter().find(|known| known.id == id) {
            let what = format!("misconception `{id}` stands twice");
            let mend = format!("keep one: this or line {}", first.line);
            findings.push(Finding::new(PATH, line, what, mend));
        }
        all.push(Misconception { id, says, chapter, line });
    }
    all
}

/// The misconception that a question names.
pub fn named<'a>(project: &'a Project, id: &str) -> Result<&'a Misconception, Problem> {
    let all = &project.misconceptions;
    all.iter().find(|known| known.id == id).ok_or_else(|| {
        let mend = match nearest(id, all.iter().map(|known| known.id.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add it to {PATH}"),
        };
        Problem::new(format!("there is no misconception `{id}`"), mend)
    })
}
