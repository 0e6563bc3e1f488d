//! Each case of `cases/*.json`: what a reader has in the inputs, and what the page then shows.
//!
//! `UPDATE_CASES=1 cargo test -p page` writes the results again; read the difference before it is committed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ask, defaults, project, root};

/// The cases of one try. The browser suite reads the same file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    /// Chapter and name, as in `{{#try events/order}}`.
    r#try: String,
    cases: Vec<Case>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// What the reader changed; every other input has its default.
    inputs: BTreeMap<String, String>,
    /// What the module answers.
    #[serde(default)]
    output: Value,
}

fn file(slug: &str, name: &str) -> PathBuf {
    root().join("xtask/page/cases").join(format!("{slug}-{name}.json"))
}

/// Every declared try has its cases, beginning with what the reader sees first, and each comes out as it says.
#[test]
fn every_case_comes_out_as_its_file_says() {
    let project = project();
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut files = Vec::new();
    for chapter in &project.chapters {
        for declared in &chapter.tries {
            let (slug, name) = (chapter.slug.as_str(), declared.name.as_str());
            let path = file(slug, name);
            let text = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let mut cases: Cases = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(cases.r#try, format!("{slug}/{name}"), "{}", path.display());
            let first = cases.cases.first().expect("a file of cases has one");
            assert!(first.inputs.is_empty(), "the first case of {slug}/{name} changes nothing");
            for case in &mut cases.cases {
                let mut inputs = defaults(&project, slug, declared);
                for (input, text) in &case.inputs {
                    let old = inputs.insert(input.clone(), text.clone());
                    assert!(old.is_some(), "{slug}/{name}, {}: no input `{input}`", case.name);
                }
                let output = ask(slug, name, &inputs);
                if update {
                    case.output = output;
                } else {
                    assert_eq!(output, case.output, "{slug}/{name}: {}", case.name);
                }
            }
            if update {
                let text = serde_json::to_string_pretty(&cases).unwrap() + "\n";
                std::fs::write(&path, text).unwrap();
            }
            files.push(path);
        }
    }
    let folder = std::fs::read_dir(root().join("xtask/page/cases")).unwrap();
    let mut found: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    files.sort();
    assert_eq!(found, files, "each file belongs to a try that a manifest declares");
}
