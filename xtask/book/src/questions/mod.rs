//! The questions of a page, from the file beside it: `<page>.questions.toml`.
//!
//! A **prediction** is asked before a run and answered by it: its right answer is found in a
//! recording, in a tested output or behind a claim, so it cannot be typed wrongly and cannot grow
//! old. A **quiz** is asked afterwards, and its right option is marked. Each tests one misconception.

mod answer;
mod form;
mod show;

use std::io::ErrorKind;

use toml::Spanned;

use crate::finding::{Finding, Problem};
use crate::inline::inline;
use crate::markdown::outline;
use crate::misconceptions;
use crate::project::Project;
use crate::source::Source;
use form::{ChoiceTable, File, GuessTable, PredictionTable, QuizTable};

pub use show::{PREDICT, QUIZ};

/// What the name of a file of questions ends with, in place of the page's `.md`.
pub const ENDING: &str = ".questions.toml";

/// What a reader can hold beside each other.
const MOST_OPTIONS: usize = 6;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The path of the page from the book's folder.
    pub page: String,
    /// The file that defines it.
    pub file: String,
    /// Its line in the file.
    pub line: usize,
    /// Its name on the page.
    pub id: String,
    /// What it tests.
    pub misconception: String,
    /// Whether it is asked before a run or afterwards.
    pub kind: Kind,
    /// Where the links in its texts lead, from the page.
    pub links: Vec<String>,
    /// What it shows; `None` if a finding says why it cannot be shown.
    pub text: Option<Text>,
}

/// When a question is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Before something happens.
    Prediction {
        /// Where the playback of a run waits for it.
        stop: Option<Stop>,
    },
    /// After something was read.
    Quiz {
        /// The earlier page that it goes back to.
        from: Option<String>,
    },
}

/// Where playback stops until a prediction is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The run, as `logging/broken`.
    pub run: String,
    /// The name of the moment before which it stops.
    pub moment: String,
}

/// What a question shows, as HTML of one paragraph each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What is asked.
    pub prompt: String,
    /// What can be chosen, and why it is right or who holds it.
    pub options: Vec<(String, String)>,
    /// The index of the right option.
    pub right: usize,
}

impl Question {
    /// What the directive is called that places it.
    pub fn directive(&self) -> &'static str {
        match self.kind {
            Kind::Prediction { .. } => PREDICT.name,
            Kind::Quiz { .. } => QUIZ.name,
        }
    }

    /// Its name in the whole book.
    pub fn address(&self) -> String {
        format!("{}#{}", self.page, self.id)
    }

    /// The earlier page that it goes back to.
    pub fn from(&self) -> Option<&str> {
        match &self.kind {
            Kind::Quiz { from } => from.as_deref(),
            Kind::Prediction { .. } => None,
        }
    }

    /// Where playback waits for it.
    pub fn stop(&self) -> Option<&Stop> {
        match &self.kind {
            Kind::Prediction { stop } => stop.as_ref(),
            Kind::Quiz { .. } => None,
        }
    }
}

/// The path of the file with a page's questions; both are from the workspace's root.
pub fn file_of(page: &str) -> String {
    format!("{}{ENDING}", page.strip_suffix(".md").unwrap_or(page))
}

/// The questions of all pages in the summary, in the order of the files.
pub fn load(project: &Project, findings: &mut Vec<Finding>) -> Vec<Question> {
    let mut questions = Vec::new();
    for entry in &project.summary.entries {
        let page = Source::new(format!("book/{}", entry.path), "");
        let path = file_of(&page.path);
        match Source::read(&project.root, &path) {
            Ok(source) => read(project, &page, &source, &mut questions, findings),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let what = format!("this file cannot be read ({error})");
                findings.push(Finding::new(path, 1, what, "make it readable"));
            }
        }
    }
    questions
}

fn read(
    project: &Project,
    page: &Source,
    source: &Source,
    questions: &mut Vec<Question>,
    findings: &mut Vec<Finding>,
) {
    let file: File = match toml::from_str(&source.text) {
        Ok(file) => file,
        Err(error) => {
            let line = error.span().map_or(1, |span| source.line(span.start));
            findings.push(Finding::new(
                &source.path,
                line,
                error.message(),
                "correct the question",
            ));
            return;
        }
    };
    let first = questions.len();
    let mut draft = |line: usize, make: &dyn Fn(&mut Draft<'_>) -> Question| {
        let mut draft = Draft { project, page, links: Vec::new(), problems: Vec::new() };
        let question = make(&mut draft);
        let mut problems = draft.problems;
        if let Some(other) = questions[first..].iter().find(|other| other.id == question.id) {
            problems.push(Problem::new(
                "its id stands twice",
                format!("give another to this one or to line {}", other.line),
            ));
        }
        findings.extend(problems.into_iter().map(|Problem { what, mend }| {
            Finding::new(&source.path, line, format!("question `{}`: {what}", question.id), mend)
        }));
        questions.push(Question { line, file: source.path.clone(), ..question });
    };
    for table in &file.predictions {
        draft(line_of(source, table), &|draft| draft.prediction(table.as_ref()));
    }
    for table in &file.quizzes {
        draft(line_of(source, table), &|draft| draft.quiz(table.as_ref()));
    }
}

fn line_of<T>(source: &Source, table: &Spanned<T>) -> usize {
    source.line(table.span().start)
}

/// A question that is being read, and what is wrong with it.
struct Draft<'a> {
    project: &'a Project,
    page: &'a Source,
    links: Vec<String>,
    problems: Vec<Problem>,
}

impl Draft<'_> {
    fn prediction(&mut self, table: &PredictionTable) -> Question {
        let stop = match (&table.run, &table.stop) {
            (Some(run), Some(moment)) => Some(Stop { run: run.clone(), moment: moment.clone() }),
            (None, None) => None,
            _ => {
                self.problems.push(Problem::new(
                    "one of `run` and `stop` without the other",
                    "give both, so that the run stops before that moment, or none",
                ));
                None
            }
        };
        let right = self.keep(table.answer.find(self.project)).and_then(|(answer, place)| {
            let is_right = |option: &GuessTable| option.value == answer;
            let right = only(&table.options, is_right).map_err(|count| match count {
                0 => Problem::new(
                    format!("no option has the value `{answer}`, which {place} gives"),
                    "correct a `value`, or ask for something else",
                ),
                _ => Problem::new(
                    format!("{count} options have the value `{answer}`"),
                    "keep one of them",
                ),
            });
            self.keep(right)
        });
        let options: Vec<_> = table.options.iter().map(|o| (&*o.text, &*o.why)).collect();
        let text = self.text(&table.id, &table.misconception, &table.prompt, &options, right);
        self.question(&table.id, &table.misconception, Kind::Prediction { stop }, text)
    }

    fn quiz(&mut self, table: &QuizTable) -> Question {
        let right = only(&table.options, |option: &ChoiceTable| option.right).map_err(|count| {
            Problem::new(
                format!("{count} options are right"),
                "mark one with `right = true` and the others with `right = false`",
            )
        });
        let right = self.keep(right);
        let options: Vec<_> = table.options.iter().map(|o| (&*o.text, &*o.why)).collect();
        let text = self.text(&table.id, &table.misconception, &table.prompt, &options, right);
        let from = table.from.clone();
        self.question(&table.id, &table.misconception, Kind::Quiz { from }, text)
    }

    fn question(
        &mut self,
        id: &str,
        misconception: &str,
        kind: Kind,
        text: Option<Text>,
    ) -> Question {
        let page = self.page.path.strip_prefix("book/").unwrap_or(&self.page.path);
        Question {
            page: page.to_owned(),
            file: String::new(),
            line: 0,
            id: id.to_owned(),
            misconception: misconception.to_owned(),
            kind,
            links: std::mem::take(&mut self.links),
            text: text.filter(|_| self.problems.is_empty()),
        }
    }

    /// What every question has, whenever it is asked.
    fn text(
        &mut self,
        id: &str,
        misconception: &str,
        prompt: &str,
        options: &[(&str, &str)],
        right: Option<usize>,
    ) -> Option<Text> {
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || !id.chars().all(kebab) {
            self.problems.push(Problem::new(
                "its id cannot stand in an address",
                "use small letters, digits and `-`",
            ));
        }
        self.keep(misconceptions::named(self.project, misconception).map(|_| ()));
        if !(2..=MOST_OPTIONS).contains(&options.len()) {
            self.problems.push(Problem::new(
                format!("it has {} options", options.len()),
                format!("give it two to {MOST_OPTIONS}"),
            ));
        }
        let prompt = self.inline(prompt, "a question without a prompt", "ask something");
        let mut shown = Vec::new();
        for ((text, why), letter) in options.iter().zip('a'..) {
            let text = self.inline(text, &format!("option {letter} has no text"), "write one");
            let why = self.inline(
                why,
                &format!("option {letter} has no `why`"),
                "say what is so, and why somebody may hold this one",
            );
            shown.extend(text.zip(why));
        }
        Some(Text { prompt: prompt?, options: shown, right: right? })
    }

    fn inline(&mut self, text: &str, empty: &str, mend: &str) -> Option<String> {
        if text.trim().is_empty() {
            self.problems.push(Problem::new(empty, mend));
            return None;
        }
        self.links.extend(outline(text).links.into_iter().map(|link| link.target));
        self.keep(inline(self.project, self.page, text))
    }

    fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.problems.push(problem)).ok()
    }
}

/// The index of the only item of which this is true, or of how many it is true.
fn only<T>(items: &[T], is: impl Fn(&T) -> bool) -> Result<usize, usize> {
    let mut found = items.iter().enumerate().filter(|(_, item)| is(item)).map(|(at, _)| at);
    match (found.next(), found.count()) {
        (Some(at), 0) => Ok(at),
        (first, more) => Err(usize::from(first.is_some()) + more),
    }
}
