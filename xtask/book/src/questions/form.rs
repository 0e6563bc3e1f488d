//! The form of a file of questions.

use serde::Deserialize;
use toml::Spanned;

use super::answer::AnswerTable;

/// `<page>.questions.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    #[serde(default, rename = "prediction")]
    pub predictions: Vec<Spanned<PredictionTable>>,
    #[serde(default, rename = "quiz")]
    pub quizzes: Vec<Spanned<QuizTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictionTable {
    pub id: String,
    pub misconception: String,
    pub prompt: String,
    pub run: Option<String>,
    pub stop: Option<String>,
    pub answer: AnswerTable,
    #[serde(default)]
    pub options: Vec<GuessTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuessTable {
    pub value: String,
    pub text: String,
    #[serde(default)]
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuizTable {
    pub id: String,
    pub misconception: String,
    pub prompt: String,
    pub from: Option<String>,
    #[serde(default)]
    pub options: Vec<ChoiceTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceTable {
    pub right: bool,
    pub text: String,
    #[serde(default)]
    pub why: String,
}
