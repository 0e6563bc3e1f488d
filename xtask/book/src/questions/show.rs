//! `{{#predict ID}}` and `{{#quiz ID}}`: a question as a page shows it.
//!
//! Without JavaScript the answer opens on request; with it the data let the reader choose first.

use std::fmt::Write;

use serde::Serialize;

use super::{Kind, Question, file_of};
use crate::directive::{Asked, Made, Maker, OPEN, Stands, Takes};
use crate::finding::{Problem, nearest};
use crate::markdown::{escape_html, json_script};
use crate::source::relative;

/// `{{#predict ID}}`.
pub const PREDICT: Maker =
    Maker { name: "predict", takes: Takes::One("lost-orders"), stands: Stands::Alone, make };

/// `{{#quiz ID}}`.
pub const QUIZ: Maker =
    Maker { name: "quiz", takes: Takes::One("lost-orders"), stands: Stands::Alone, make };

/// What the page's scripts know of a question.
#[derive(Serialize)]
struct Data<'a> {
    id: &'a str,
    right: usize,
    whys: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<&'a str>,
    misconception: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
}

fn make(asked: &Asked<'_>) -> Result<Made, Problem> {
    let page = asked.page();
    let of_page = || asked.project.questions.iter().filter(|question| question.page == page);
    let found = of_page().find(|question| question.id == asked.words);
    let question = found.ok_or_else(|| {
        let file = file_of(&asked.source.path);
        Problem::new(
            format!("{file} defines no question `{}`", asked.words),
            match nearest(asked.words, of_page().map(|question| question.id.as_str())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write it there".into(),
            },
        )
    })?;
    if question.directive() != asked.name {
        let (right, id) = (question.directive(), &question.id);
        let what = format!("question `{id}` is placed with `{}`", asked.name);
        return Err(Problem::new(what, format!("write `{OPEN}{right} {id}}}}}`")));
    }
    Ok(html(asked, question).into())
}

/// The question; empty where it cannot be shown, which a finding at its file says.
fn html(asked: &Asked<'_>, question: &Question) -> String {
    let Some(text) = &question.text else { return String::new() };
    let address = question.address();
    let (class, kind) = match question.kind {
        Kind::Prediction { .. } => ("predict", "Guess first"),
        Kind::Quiz { from: None } => ("quiz", "Question"),
        Kind::Quiz { from: Some(_) } => ("quiz", "From an earlier page"),
    };
    let mut html = format!(
        "<section class=\"ask {class}\" id=\"question-{}\" data-question=\"{}\">\n\
         <p class=\"ask-kind\">{kind}</p>\n<div class=\"ask-prompt\"><p>{}</p></div>\n\
         <ol class=\"ask-options\" type=\"a\">\n",
        question.id,
        escape_html(&address),
        text.prompt,
    );
    // Writing to a String cannot fail.
    for (option, _) in &text.options {
        let _ = writeln!(html, "<li>{option}</li>");
    }
    html.push_str("</ol>\n<details class=\"ask-answer\"><summary>Answer</summary>\n");
    let lettered = || ('a'..).zip(&text.options).enumerate();
    for (_, (letter, (_, why))) in lettered().filter(|(at, _)| *at == text.right) {
        let _ = writeln!(html, "<p><strong>{letter}.</strong> {why}</p>");
    }
    html.push_str("<ul>\n");
    for (_, (letter, (_, why))) in lettered().filter(|(at, _)| *at != text.right) {
        let _ = writeln!(html, "<li>{letter}: {why}</li>");
    }
    html.push_str("</ul>\n");
    let from = question.from();
    if let Some(entry) = from.and_then(|from| asked.project.summary.entry(from)) {
        let way = relative(&question.page, &entry.path);
        let way = way.strip_suffix(".md").unwrap_or(&way);
        let (way, title) = (escape_html(way), escape_html(&entry.title));
        let _ = writeln!(
            html,
            "<p class=\"ask-from\">It was said in <a href=\"{way}.html\">{title}</a>.</p>"
        );
    }
    let stop = question.stop();
    let data = Data {
        id: &address,
        right: text.right,
        whys: text.options.iter().map(|(_, why)| why.as_str()).collect(),
        run: stop.map(|stop| stop.run.as_str()),
        stop: stop.map(|stop| stop.moment.as_str()),
        misconception: &question.misconception,
        from,
    };
    let _ = write!(html, "</details>\n{}\n</section>", json_script(&data));
    html
}
