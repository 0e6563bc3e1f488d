//! What readers try, run natively: the results that the browser suite expects in the page, and the manifests that
//! declare it.
#![forbid(unsafe_code)]

/// Each case of `cases/*.json`.
mod cases;
/// Manifests, functions and targets agree.
mod declared;

use std::collections::BTreeMap;
use std::path::Path;

use book::project::Project;
use book::tries::Try;
use serde_json::{Value, json};

/// The repository's top folder.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The repository as the book sees it.
pub fn project() -> Project {
    let (project, findings) = Project::load(root());
    assert!(findings.is_empty(), "{findings:?}");
    project
}

/// What stands in a try's inputs at first.
pub fn defaults(project: &Project, slug: &str, declared: &Try) -> BTreeMap<String, String> {
    let chapter = project.chapter(slug).unwrap();
    let text = |input: &book::tries::Input| {
        let default = input.default_text(project, chapter);
        (input.name.clone(), default.unwrap_or_else(|problem| panic!("{problem:?}")))
    };
    declared.inputs.iter().map(text).collect()
}

/// What a chapter's module answers.
pub fn ask(slug: &str, name: &str, inputs: &BTreeMap<String, String>) -> Value {
    let (_, tries) = page::chapters::ALL.iter().find(|(known, _)| *known == slug).unwrap();
    let inputs: Vec<_> = inputs.iter().collect();
    let question = json!({"try": name, "inputs": inputs}).to_string();
    serde_json::from_slice(&page::answer(tries, question.as_bytes())).unwrap()
}
