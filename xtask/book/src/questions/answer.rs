//! The right answer of a prediction: found where it was observed, never typed.

use regex::Regex;
use serde::Deserialize;

use crate::claim;
use crate::finding::Problem;
use crate::project::Project;
use crate::recording::{Recorded, split};
use crate::source::Source;

/// Where the answer is found: the keys of one of its forms.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerTable {
    run: Option<String>,
    moment: Option<String>,
    field: Option<String>,
    file: Option<String>,
    claim: Option<String>,
    find: Option<String>,
}

/// Where the answer is found.
#[derive(Debug, PartialEq, Eq)]
enum Answer<'a> {
    /// In a field of the line that says how a run ended, or of the line of a moment.
    Run { run: &'a str, moment: Option<&'a str>, field: &'a str },
    /// In the text that a test compares a program's output with: what stands in the parentheses.
    File { file: &'a str, find: &'a str },
    /// In the test that proves a claim: what stands in the parentheses.
    Claim { claim: &'a str, find: &'a str },
}

impl AnswerTable {
    /// The answer, and where it was found.
    pub fn find(&self, project: &Project) -> Result<(String, String), Problem> {
        match self.form()? {
            Answer::Run { run, moment, field } => {
                let (chapter, name) = split(run)?;
                let value = Recorded::read(project, chapter, name)?.value(moment, field)?;
                Ok((value, format!("the recordings of {run}")))
            }
            Answer::File { file, find } => Ok((in_file(project, file, find)?, file.to_owned())),
            Answer::Claim { claim, find } => {
                let value = in_test(project, claim, find)?;
                Ok((value, format!("the test of the claim `{claim}`")))
            }
        }
    }

    fn form(&self) -> Result<Answer<'_>, Problem> {
        let AnswerTable { run, moment, field, file, claim, find } = self;
        let moment = moment.as_deref();
        match (run, field, file, claim, find) {
            (Some(run), Some(field), None, None, None) => Ok(Answer::Run { run, moment, field }),
            (None, None, Some(file), None, Some(find)) if moment.is_none() => {
                Ok(Answer::File { file, find })
            }
            (None, None, None, Some(claim), Some(find)) if moment.is_none() => {
                Ok(Answer::Claim { claim, find })
            }
            _ => Err(Problem::new(
                "an answer that is found nowhere",
                "write `{ run, field }`, `{ run, moment, field }`, `{ file, find }` or \
                 `{ claim, find }`",
            )),
        }
    }
}

/// What the expression captures in a file that a test holds to what a program prints.
fn in_file(project: &Project, file: &str, find: &str) -> Result<String, Problem> {
    // Any other file could say anything: a test's own files are compared with what happened.
    if !(file.starts_with("chapters/") && file.contains("/tests/")) {
        return Err(Problem::new(
            format!("{file} is not the output of a test"),
            "name a file below `tests/` of a chapter",
        ));
    }
    captured(&read(project, file)?.text, find, file)
}

/// What the expression captures in the test that proves a claim.
fn in_test(project: &Project, claim: &str, find: &str) -> Result<String, Problem> {
    let test = claim::proof(project, claim)?;
    let source = read(project, &test.file)?;
    let lines: Vec<&str> = source.text.lines().skip(test.line - 1).collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let begins = lines.first().map_or(0, |line| indent(line));
    // As rustfmt writes it: the brace that ends a function stands below the word that begins it.
    let ends = |line: &&str| line.trim() == "}" && indent(line) == begins;
    let last = lines.iter().position(ends).unwrap_or(lines.len());
    let body = &lines[..last];
    captured(&body.join("\n"), find, &format!("the test `{}`", test.name))
}

fn read(project: &Project, file: &str) -> Result<Source, Problem> {
    Source::read(&project.root, file).map_err(|error| {
        Problem::new(format!("{file} cannot be read ({error})"), "correct the path")
    })
}

/// The one text that stands in the parentheses of the expression, wherever it matches.
fn captured(text: &str, find: &str, place: &str) -> Result<String, Problem> {
    let mend = "give it one pair of parentheses, around what the options' values are";
    let expression = Regex::new(find).map_err(|error| {
        let error = error.to_string();
        let last = error.lines().last().unwrap_or_default();
        Problem::new(format!("`{find}` is no regular expression ({last})"), mend)
    })?;
    let mut found: Option<&str> = None;
    for captures in expression.captures_iter(text) {
        let text = captures.get(1).map(|group| group.as_str());
        let text = text.ok_or_else(|| Problem::new(format!("`{find}` captures nothing"), mend))?;
        if let Some(first) = found.filter(|first| *first != text) {
            let what = format!("`{find}` finds `{first}` and `{text}` in {place}");
            return Err(Problem::new(what, "say more of the line that is meant"));
        }
        found = Some(text);
    }
    found.map(str::to_owned).ok_or_else(|| {
        Problem::new(format!("`{find}` finds nothing in {place}"), "correct the expression")
    })
}
