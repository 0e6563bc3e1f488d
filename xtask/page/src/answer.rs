//! From the page's question to its answer, both JSON.

use serde::Deserialize;

use crate::inputs::{Inputs, WrongInput};
use crate::json::object;
use crate::lines;
use crate::output::{Block, Output};

/// Something that a reader can try: its name in the chapter's manifest, and the function that answers.
#[derive(Clone, Copy, Debug)]
pub struct Try {
    /// The name.
    pub name: &'static str,
    /// Values in, values out.
    pub function: fn(&Inputs) -> Result<Output, WrongInput>,
}

/// What the page asks.
#[derive(Deserialize)]
struct Question {
    r#try: String,
    inputs: Inputs,
}

/// Answers `{"try": "order", "inputs": [["order", "…"]]}` by `{"blocks": […]}`, or by `{"problem": "…"}` where page and
/// module do not fit together.
///
/// An input that a function refuses is answered by a block of errors. Lines that the core wrote come last.
pub fn answer(tries: &[Try], question: &[u8]) -> Vec<u8> {
    match ask(tries, question) {
        Ok(output) => output.to_json().into_bytes(),
        // The reader did nothing wrong, and there is nothing to show.
        Err(problem) => {
            let mut out = String::new();
            object(&mut out, |answer| answer.text("problem", &problem));
            out.into_bytes()
        }
    }
}

fn ask(tries: &[Try], question: &[u8]) -> Result<Output, String> {
    let question: Question = serde_json::from_slice(question)
        .map_err(|error| format!("the page's question is no JSON of ours: {error}"))?;
    let found = tries.iter().find(|one| one.name == question.r#try);
    let found = found
        .ok_or_else(|| format!("this module has no `{}`: load the page again", question.r#try))?;
    let (result, lines) = lines::during(|| (found.function)(&question.inputs));
    let output = result.unwrap_or_else(|wrong| Output::new().errors([wrong.into()]));
    Ok(if lines.is_empty() { output } else { output.block(Block::Lines { lines }) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const TRIES: &[Try] = &[Try { name: "count", function: count }];

    fn count(inputs: &Inputs) -> Result<Output, WrongInput> {
        let to = inputs.number("to", 1..=3)?;
        for n in 1..=to {
            tracing::info!(target: "run", process = "counter", n_of = to, "processed");
            assert_ne!(n, 4);
        }
        Ok(Output::new().text(format!("Counted to {to}.")))
    }

    fn asked(question: Value) -> Value {
        let answer = answer(TRIES, question.to_string().as_bytes());
        serde_json::from_slice(&answer).unwrap()
    }

    #[test]
    fn the_functions_blocks_come_first_and_the_cores_lines_last() {
        let answer = asked(json!({"try": "count", "inputs": [["to", "2"]]}));
        assert_eq!(
            answer,
            json!({"blocks": [
                {"kind": "text", "text": "Counted to 2."},
                {"kind": "lines",
                 "lines": [
                    {"n": 1, "message": "processed", "process": "counter", "n_of": 2},
                    {"n": 2, "message": "processed", "process": "counter", "n_of": 2}]},
            ]})
        );
    }

    #[test]
    fn a_refused_input_is_an_error_that_names_it() {
        let answer = asked(json!({"try": "count", "inputs": [["to", "4"]]}));
        assert_eq!(
            answer,
            json!({"blocks": [{"kind": "errors", "errors": [
                {"input": "to", "path": "", "message": "must be 1 to 3, is 4"}]}]})
        );
    }

    #[test]
    fn a_question_that_does_not_fit_the_module_is_a_problem() {
        let problem = |question| asked(question)["problem"].as_str().unwrap().to_owned();
        assert_eq!(
            problem(json!({"try": "sum", "inputs": []})),
            "this module has no `sum`: load the page again"
        );
        assert!(problem(json!({"try": "count"})).starts_with("the page's question is no JSON"));
    }
}
