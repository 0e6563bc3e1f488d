//! `{{#run CHAPTER/RUN}}`: a recorded run, as text to read and as data to play.
//!
//! The figure is complete without JavaScript: what the run printed, what it is, and what to look
//! at. The data stand beside it, so that a page plays from a file, too.

use std::fmt::Write;

use logging::{Header, Line, Moment};
use serde::Serialize;
use testbed::kind::Kind;

use crate::command;
use crate::directive::{Asked, Made, Maker, Stands, Takes};
use crate::finding::Problem;
use crate::manifest::Run;
use crate::markdown::{escape_html, json_script};
use crate::recording::{Recorded, Take, split};

/// `{{#run CHAPTER/RUN}}`.
pub const RUN: Maker =
    Maker { name: "run", takes: Takes::One("quickstart/shop"), stands: Stands::Alone, make };

fn make(asked: &Asked<'_>) -> Result<Made, Problem> {
    let (chapter, name) = split(asked.words)?;
    let run = asked.project.run(chapter, name)?;
    let recorded = Recorded::read(asked.project, chapter, name)?;
    let default = asked.project.chapter(chapter)?.runs.first().is_some_and(|run| run.name == name);
    let mut words = vec!["run", chapter];
    words.extend((!default).then_some(name));
    let [first, ..] = &recorded.takes[..] else { return Ok(Made::default()) };
    let data = Playback {
        chapter,
        run: name,
        title: run.title(),
        about: &run.about,
        command: command::line(asked.project, &words)?,
        topics: &first.header.topics,
        recordings: recorded.takes.iter().map(|take| Shown::of(take, &recorded.moments)).collect(),
        moments: &recorded.moments,
        stops: stops(asked),
    };
    Ok(Made {
        markdown: format!(
            "<run-playback data-run=\"{}\">\n\n{}\n\n{}\n\n</run-playback>",
            escape_html(asked.words),
            figure(chapter, run, first, &recorded.moments),
            json_script(&data),
        ),
        laws: recorded.stale(asked.project, run).into_iter().collect(),
    })
}

/// What a run is played from.
#[derive(Serialize)]
struct Playback<'a> {
    chapter: &'a str,
    run: &'a str,
    title: &'a str,
    about: &'a str,
    command: String,
    topics: &'a [String],
    recordings: Vec<Shown<'a>>,
    /// How to find them in the lines of a run that is not recorded but happens.
    moments: &'a [Moment],
    stops: Vec<StopAt<'a>>,
}

/// Where playback waits for a prediction.
#[derive(Serialize)]
struct StopAt<'a> {
    moment: &'a str,
    question: String,
}

/// Where the page's predictions stop its run.
fn stops<'a>(asked: &Asked<'a>) -> Vec<StopAt<'a>> {
    let page = asked.page();
    let questions = asked.project.questions.iter().filter(|question| question.page == page);
    questions
        .filter_map(|question| Some((question, question.stop()?)))
        .filter(|(_, stop)| stop.run == asked.words)
        .map(|(question, stop)| StopAt { moment: &stop.moment, question: question.address() })
        .collect()
}

/// One recording.
#[derive(Serialize)]
struct Shown<'a> {
    facts: Vec<String>,
    lines: &'a [Line],
    text: Vec<String>,
    moments: Vec<Located<'a>>,
}

/// A moment of a recording.
#[derive(Serialize)]
struct Located<'a> {
    name: &'a str,
    caption: &'a str,
    /// The index of its line.
    at: usize,
}

impl<'a> Shown<'a> {
    fn of(take: &'a Take, moments: &'a [Moment]) -> Shown<'a> {
        let located = moments.iter().zip(&take.at);
        Shown {
            facts: facts(&take.header),
            lines: &take.lines,
            text: take.texts(),
            moments: located
                .map(|(moment, at)| Located {
                    name: &moment.name,
                    caption: &moment.caption,
                    at: *at,
                })
                .collect(),
        }
    }
}

/// What a reader without JavaScript sees.
fn figure(chapter: &str, run: &Run, take: &Take, moments: &[Moment]) -> String {
    let transcript = take.texts().join("\n");
    // The fence is longer than any in the transcript, so that nothing in it can end the block.
    let longest = transcript.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let mut figure = format!(
        "<figure class=\"run\" id=\"run-{chapter}-{}\">\n\n{fence}text\n{transcript}\n{fence}\n\n\
         <figcaption>\n<p>{}</p>\n<p class=\"run-facts\">{}</p>\n",
        escape_html(&run.name),
        escape_html(&run.about),
        escape_html(&facts(&take.header).join(" · ")),
    );
    if !moments.is_empty() {
        figure.push_str("<ol class=\"moments\">\n");
        for (moment, at) in moments.iter().zip(&take.at) {
            let t_ms = take.lines.get(*at).map_or(0, |line| line.t_ms);
            // Writing to a String cannot fail.
            let _ = writeln!(
                figure,
                "<li><time>{}.{:03} s</time> <span>{}</span></li>",
                t_ms / 1000,
                t_ms % 1000,
                escape_html(&moment.caption)
            );
        }
        figure.push_str("</ol>\n");
    }
    figure.push_str("</figcaption>\n</figure>");
    figure
}

/// What a recording says about itself, in the reader's words.
fn facts(header: &Header) -> Vec<String> {
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
    facts
}
