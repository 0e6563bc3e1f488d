//! `{{#claim id}}`: the mark behind a sentence that a test proves.

use crate::directive::{Maker, Stands, Takes};
use crate::finding::{Problem, nearest};
use crate::markdown::escape_html;
use crate::project::Project;
use crate::results::Outcome;
use crate::test_functions::TestFunction;

/// `{{#claim id}}`.
pub const CLAIM: Maker = Maker {
    name: "claim",
    takes: Takes::One("nothing-is-lost"),
    stands: Stands::InText,
    make: |asked| {
        let test = proof(asked.project, asked.words)?;
        let outcome = asked.project.results.of(&asked.project.root, test);
        Ok(mark(asked.words, test, outcome).into())
    },
};

/// The test that proves a claim.
pub fn proof<'a>(project: &'a Project, id: &str) -> Result<&'a TestFunction, Problem> {
    let ids = || project.claims.iter().flat_map(|test| &test.claims).map(|(id, _)| id.as_str());
    let carries = |test: &&TestFunction| test.claims.iter().any(|(claim, _)| claim == id);
    project.claims.iter().find(carries).ok_or_else(|| {
        Problem::new(
            format!("no test carries the claim `{id}`"),
            match nearest(id, ids()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write `/// claim: {id}` above the test that proves it"),
            },
        )
    })
}

/// The mark: it can be focused, and says by which test the sentence is checked.
fn mark(id: &str, test: &TestFunction, outcome: Outcome) -> String {
    let (sign, result, said) = match outcome {
        Outcome::Passed => ("✓", "passed", "which passed"),
        Outcome::Failed => ("✗", "failed", "which failed"),
        Outcome::NotRun => ("✓", "not-run", "which was not run for this copy of the page"),
    };
    let (id, name) = (escape_html(id), escape_html(&test.full_name()));
    format!(
        "<span class=\"claim\" tabindex=\"0\" role=\"note\" data-claim=\"{id}\" \
         data-test=\"{name}\" data-result=\"{result}\" \
         aria-label=\"Checked by the test {name}, {said}\">{sign}</span>"
    )
}
