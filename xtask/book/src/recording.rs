//! A recorded run as a page shows it: the one place that reads recordings.

use std::fmt::Write;
use std::io::ErrorKind;
use std::path::Path;

use logging::{Header, Line, Moments, Recording};
use testbed::kind::Kind;

use crate::finding::Problem;
use crate::manifest::Run;
use crate::markdown::escape_html;
use crate::project::Project;

/// The folder of a run's recordings and moments.
pub fn folder(chapter: &str, run: &str) -> String {
    format!("chapters/{chapter}/runs/{run}")
}

/// A recorded run on a page.
#[derive(Debug)]
pub struct Figure {
    /// What it printed, what it is, and what to look at.
    pub markdown: String,
    /// Why it should be recorded anew.
    pub stale: Option<Problem>,
}

/// The figure of a run, from its first recording; the others show what may differ.
pub fn figure(project: &Project, chapter: &str, run: &Run) -> Result<Figure, Problem> {
    let again = format!("make it anew with `cargo xtask record {chapter}`");
    let path = format!("{}/1.jsonl", folder(chapter, &run.name));
    let text = match std::fs::read_to_string(project.root.join(&path)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let what = format!("the run {chapter}/{} was never recorded", run.name);
            return Err(Problem::new(what, format!("use `cargo xtask record {chapter}`")));
        }
        Err(error) => return Err(Problem::new(format!("{path} cannot be read ({error})"), again)),
    };
    let recording = Recording::parse(&text, Path::new(&path))
        .map_err(|error| Problem::new(chain(&error), again.as_str()))?;
    let header = &recording.header;
    if (header.chapter.as_str(), header.run.as_str()) != (chapter, &run.name) {
        let what = format!("{path} says that it is of {}/{}", header.chapter, header.run);
        return Err(Problem::new(what, again));
    }
    let moments = moments(&project.root, &folder(chapter, &run.name))?;
    let located = located(&moments, &recording.lines)?;
    let markdown = render(chapter, run, &recording, &located);
    Ok(Figure { markdown, stale: stale(project, &path, header).map(|w| Problem::new(w, again)) })
}

/// The run's moments; a run without the file has none.
fn moments(root: &Path, folder: &str) -> Result<Moments, Problem> {
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

/// A recording of other versions than those of the workspace shows what no reader will see.
fn stale(project: &Project, path: &str, header: &Header) -> Option<String> {
    let recorded = [("kafka", &header.kafka), ("librdkafka", &header.librdkafka)];
    recorded.into_iter().find_map(|(name, recorded)| {
        let (recorded, present) = (recorded.as_ref()?, project.versions.get(name).ok()?);
        (recorded != present)
            .then(|| format!("{path} was recorded with {name} {recorded}, present is {present}"))
    })
}

/// The caption of each moment and the line at which it occurs.
fn located<'a>(moments: &'a Moments, lines: &[Line]) -> Result<Vec<(&'a str, u64)>, Problem> {
    let found = moments.moments.iter().zip(moments.locate(lines));
    found
        .map(|(moment, at)| match at.and_then(|at| lines.get(at)) {
            Some(line) => Ok((moment.caption.as_str(), line.t_ms)),
            None => Err(Problem::new(
                format!("the moment `{}` does not occur in the recording", moment.name),
                "correct it in moments.toml, or record the run anew",
            )),
        })
        .collect()
}

fn render(chapter: &str, run: &Run, recording: &Recording, moments: &[(&str, u64)]) -> String {
    let transcript = without_margin(&recording.transcript());
    // The fence is longer than any in the transcript, so that nothing in it can end the block.
    let longest = transcript.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let mut figure = format!(
        "<figure class=\"run\" id=\"run-{chapter}-{}\">\n\n{fence}text\n{transcript}\n{fence}\n\n\
         <figcaption>\n<p>{}</p>\n<p class=\"run-facts\">{}</p>\n",
        escape_html(&run.name),
        escape_html(&run.about),
        escape_html(&facts(&recording.header)),
    );
    if !moments.is_empty() {
        figure.push_str("<ol class=\"moments\">\n");
        for (caption, t_ms) in moments {
            // Writing to a String cannot fail.
            let _ = writeln!(
                figure,
                "<li><time>{}.{:03} s</time> <span>{}</span></li>",
                t_ms / 1000,
                t_ms % 1000,
                escape_html(caption)
            );
        }
        figure.push_str("</ol>\n");
    }
    figure.push_str("</figcaption>\n</figure>");
    figure
}

/// The lines without the indentation that all share, which a phone has no room for.
fn without_margin(transcript: &str) -> String {
    let margin = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let least = transcript.lines().map(margin).min().unwrap_or(0);
    transcript.lines().map(|line| &line[least..]).collect::<Vec<_>>().join("\n")
}

/// What the recording says about itself, in the reader's words.
fn facts(header: &Header) -> String {
    let kinds = [Kind::Embedded, Kind::Local, Kind::Docker, Kind::External];
    let kind = kinds.into_iter().find(|kind| kind.word() == header.broker);
    let broker = kind.map_or(header.broker.as_str(), |kind| kind.label());
    let mut facts = vec!["Recorded run".to_owned(), format!("broker: {broker}")];
    match (&header.kafka, &header.librdkafka) {
        (Some(kafka), _) => facts.push(format!("Kafka {kafka}")),
        (None, Some(librdkafka)) => facts.push(format!("librdkafka {librdkafka}")),
        (None, None) => {}
    }
    facts.push(header.recorded.clone());
    facts.join(" · ")
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, " ({error})");
        cause = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
