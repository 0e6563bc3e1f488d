//! `{{#exercise chapter/name}}`: an exercise as its page shows it, with hints that open one by one.

use std::path::Path;

use serde::Deserialize;

use crate::directive::{Maker, Stands, Takes};
use crate::finding::Finding;
use crate::markdown::escape_html;
use crate::source::Source;

/// `{{#exercise chapter/name}}`.
pub const EXERCISE: Maker = Maker {
    name: "exercise",
    takes: Takes::One("quickstart/lost-orders"),
    stands: Stands::Alone,
    make: |asked| {
        let exercise = asked.project.exercise(asked.words)?;
        Ok(exercise.markdown().into())
    },
};

/// What each hint gives away, in their order.
const HINTS: [&str; 3] = ["where to look", "the idea", "the line"];

/// How many hints an exercise has.
pub const HINT_COUNT: usize = HINTS.len();

/// An exercise of a chapter.
#[derive(Debug, Clone)]
pub struct Exercise {
    /// The chapter's slug.
    pub chapter: String,
    /// The name of its folder.
    pub name: String,
    /// The path of its `exercise.toml`.
    pub file: String,
    /// What that file says.
    pub table: Table,
}

/// `exercise.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its title.
    pub title: String,
    /// What the reader does in it.
    pub kind: Kind,
    /// The task, in Markdown.
    pub task: String,
    /// Where to look, what idea, the line; each in Markdown.
    pub hints: Vec<String>,
    /// Why the solution works, shown after success.
    pub why: String,
    /// What the failing check of the starter prints, as a regular expression.
    pub fails_with: String,
    /// What its code and its check use; no page shows it.
    #[serde(default)]
    pub uses: Vec<String>,
    /// A program that its check runs; no page shows it.
    pub program: Option<String>,
}

/// What the reader does in an exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Mend a program whose test fails.
    Mend,
    /// Make a program do more.
    Extend,
    /// Find out from a recorded run what was wrong.
    Diagnose,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Mend => "mend",
            Kind::Extend => "extend",
            Kind::Diagnose => "diagnose",
        }
    }
}

impl Exercise {
    /// Reads the exercise in folder `name` of a chapter; `None` where it has no `exercise.toml`.
    pub fn read(root: &Path, chapter: &str, name: &str) -> Option<Result<Exercise, Finding>> {
        let file = format!("chapters/{chapter}/exercises/{name}/exercise.toml");
        let source = Source::read(root, &file).ok()?;
        let table = toml::from_str(&source.text).map_err(|error| {
            let line = error.span().map_or(1, |span| source.line(span.start));
            Finding::new(&file, line, error.message(), "correct the exercise")
        });
        let (chapter, name) = (chapter.to_owned(), name.to_owned());
        Some(table.map(|table| Exercise { chapter, name, file, table }))
    }

    /// How pages and commands name it.
    pub fn id(&self) -> String {
        format!("{}/{}", self.chapter, self.name)
    }

    fn markdown(&self) -> String {
        let Exercise { chapter, name, table, .. } = self;
        let (id, kind) = (self.id(), table.kind.word());
        let hints: String = HINTS
            .iter()
            .zip(&table.hints)
            .enumerate()
            .map(|(at, (gives, hint))| {
                let hint = hint.trim();
                format!(
                    "<details class=\"hint\">\n<summary>Hint {}: {gives}</summary>\n\n{hint}\n\n\
                     </details>\n",
                    at + 1
                )
            })
            .collect();
        format!(
            "<section class=\"exercise\" id=\"exercise-{chapter}-{name}\" data-exercise=\"{id}\">\n\
             <p class=\"exercise-kind\">Exercise: {kind}</p>\n\
             <p class=\"exercise-title\">{title}</p>\n\n{task}\n\n\
             ```console\ncargo xtask exercise start {id}\n```\n\n{hints}</section>",
            title = escape_html(&table.title),
            task = table.task.trim(),
        )
    }
}
