//! The recordings of a run and its moments: the one place that reads them.

use std::fmt::Write;
use std::io::ErrorKind;
use std::path::Path;

use logging::{Header, Line, Moment, Moments, Recording, Value, write_text};

use crate::directive::OPEN;
use crate::finding::{Problem, nearest};
use crate::manifest::Run;
use crate::project::Project;

/// A run is recorded at most so often: enough to see which order is promised.
const RECORDINGS: usize = 3;

/// The kind of line that says how a run ended.
const OUTCOME: &str = "outcome";

/// The folder of a run's recordings and moments.
pub fn folder(chapter: &str, run: &str) -> String {
    format!("chapters/{chapter}/runs/{run}")
}

/// The chapter and the run in `logging/broken`.
pub fn split(words: &str) -> Result<(&str, &str), Problem> {
    words.split_once('/').ok_or_else(|| {
        Problem::new(
            format!("`{words}` names no run"),
            format!("write chapter and run: `{OPEN}run {words}/name}}}}`"),
        )
    })
}

/// What is kept of a run: at least one recording, in each of which every moment occurs.
#[derive(Debug)]
pub struct Recorded {
    /// The first is shown; the others show what may differ.
    pub takes: Vec<Take>,
    /// The run's moments.
    pub moments: Vec<Moment>,
}

/// One recording.
#[derive(Debug)]
pub struct Take {
    /// The path of its file.
    pub path: String,
    /// What it says about itself.
    pub header: Header,
    /// The lines of the run's story.
    pub lines: Vec<Line>,
    /// For each moment the index of its line.
    pub at: Vec<usize>,
}

impl Recorded {
    /// Reads what is kept of a run that a manifest declares.
    pub fn read(project: &Project, chapter: &str, run: &str) -> Result<Recorded, Problem> {
        project.run(chapter, run)?;
        let folder = folder(chapter, run);
        let moments = moments(&project.root, &folder)?;
        let mut takes = Vec::new();
        for number in 1..=RECORDINGS {
            let path = format!("{folder}/{number}.jsonl");
            match std::fs::read_to_string(project.root.join(&path)) {
                Ok(text) => takes.push(Take::parse(chapter, run, path, &text, &moments)?),
                Err(error) if error.kind() == ErrorKind::NotFound => break,
                Err(error) => {
                    let what = format!("{path} cannot be read ({error})");
                    return Err(Problem::new(what, again(chapter)));
                }
            }
        }
        if takes.is_empty() {
            let what = format!("the run {chapter}/{run} was never recorded");
            return Err(Problem::new(what, format!("use `cargo xtask record {chapter}`")));
        }
        Ok(Recorded { takes, moments: moments.moments })
    }

    /// The place of a moment among the run's moments.
    pub fn moment(&self, name: &str) -> Result<usize, Problem> {
        self.moments.iter().position(|moment| moment.name == name).ok_or_else(|| {
            let names = || self.moments.iter().map(|moment| moment.name.as_str());
            let mend = match nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its moments are {}", names().collect::<Vec<_>>().join(", ")),
            };
            Problem::new(format!("the run has no moment `{name}`"), mend)
        })
    }

    /// What a field of the outcome's line holds, or of the line of a moment: the same in every
    /// recording, since what differs from run to run cannot be asked for.
    pub fn value(&self, moment: Option<&str>, field: &str) -> Result<String, Problem> {
        let moment = moment.map(|name| self.moment(name)).transpose()?;
        let mut found: Option<&Value> = None;
        for take in &self.takes {
            let line = match moment {
                Some(moment) => take.lines.get(take.at[moment]),
                None => take.lines.iter().rev().find(|line| line.message == OUTCOME),
            };
            let line = line.ok_or_else(|| {
                Problem::new(
                    format!("{} has no outcome line", take.path),
                    "name a moment instead: `answer = { run = …, moment = …, field = … }`",
                )
            })?;
            let value = line.fields.get(field).ok_or_else(|| {
                let fields: Vec<&str> = line.fields.iter().map(|(name, _)| name).collect();
                Problem::new(
                    format!("the line `{}` of {} has no field `{field}`", line.message, take.path),
                    format!("use one of {}", fields.join(", ")),
                )
            })?;
            match found {
                Some(first) if first != value => {
                    return Err(Problem::new(
                        format!(
                            "`{field}` is {first} in one recording and {value} in {}",
                            take.path
                        ),
                        "ask for something that is the same in every run",
                    ));
                }
                _ => found = Some(value),
            }
        }
        Ok(found.map(ToString::to_string).unwrap_or_default())
    }

    /// Why the run should be recorded anew, if anything says so.
    pub fn stale(&self, project: &Project, run: &Run) -> Option<Problem> {
        let what = self.takes.iter().find_map(|take| take.stale(project, run))?;
        let chapter = &self.takes.first()?.header.chapter;
        Some(Problem::new(what, again(chapter)))
    }
}

impl Take {
    fn parse(
        chapter: &str,
        run: &str,
        path: String,
        text: &str,
        moments: &Moments,
    ) -> Result<Take, Problem> {
        let Recording { header, lines } = Recording::parse(text, Path::new(&path))
            .map_err(|error| Problem::new(chain(&error), again(chapter)))?;
        if (header.chapter.as_str(), header.run.as_str()) != (chapter, run) {
            let what = format!("{path} says that it is of {}/{}", header.chapter, header.run);
            return Err(Problem::new(what, again(chapter)));
        }
        let located = moments.moments.iter().zip(moments.locate(&lines));
        let at = located.map(|(moment, at)| {
            at.ok_or_else(|| {
                Problem::new(
                    format!("the moment `{}` does not occur in {path}", moment.name),
                    "correct it in moments.toml, or record the run anew",
                )
            })
        });
        let at = at.collect::<Result<Vec<usize>, Problem>>()?;
        Ok(Take { path, header, lines, at })
    }

    /// Each line as a terminal shows it, without the indentation that all share, which a phone has
    /// no room for.
    pub fn texts(&self) -> Vec<String> {
        let text = |line: &Line| {
            let mut text = String::new();
            write_text(line, None, &mut text);
            text.truncate(text.trim_end_matches('\n').len());
            text
        };
        let mut texts: Vec<String> = self.lines.iter().map(text).collect();
        let margin = |text: &String| text.len() - text.trim_start_matches(' ').len();
        let least = texts.iter().map(margin).min().unwrap_or(0);
        for text in &mut texts {
            text.drain(..least);
        }
        texts
    }

    /// A recording of other versions, of another run or of older code than those of the
    /// workspace shows what no reader will see.
    fn stale(&self, project: &Project, run: &Run) -> Option<String> {
        let Take { path, header, .. } = self;
        let recorded = [("kafka", &header.kafka), ("librdkafka", &header.librdkafka)];
        for (name, recorded) in recorded {
            if let (Some(recorded), Ok(present)) = (recorded, project.versions.get(name))
                && recorded != present
            {
                return Some(format!(
                    "{path} was recorded with {name} {recorded}, present is {present}"
                ));
            }
        }
        let same = [
            ("program", header.program == run.program),
            ("args", header.args == run.args),
            ("topics", header.topics == run.topics),
        ];
        if let Some((key, _)) = same.iter().find(|(_, same)| !same) {
            return Some(format!("{path} was recorded with another `{key}` than the manifest has"));
        }
        if header.sources.is_empty() {
            return Some(format!("{path} does not say which code it was recorded from"));
        }
        let changed = header.sources.changed(&project.root);
        changed.map(|file| format!("{path} was recorded before {file} changed"))
    }
}

/// The moments of the run in a [`folder`]; a run without the file has none.
pub fn moments(root: &Path, folder: &str) -> Result<Moments, Problem> {
    let path = format!("{folder}/moments.toml");
    match std::fs::read_to_string(root.join(&path)) {
        Ok(text) => Moments::parse(&text, Path::new(&path))
            .map_err(|error| Problem::new(chain(&error), format!("correct {path}"))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Moments::default()),
        Err(error) => {
            Err(Problem::new(format!("{path} cannot be read ({error})"), "make it readable"))
        }
    }
}

fn again(chapter: &str) -> String {
    format!("make it anew with `cargo xtask record {chapter}`")
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a String cannot fail.
        let _ = write!(text, " ({error})");
        cause = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
