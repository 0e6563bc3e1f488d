//! What manifests declare, what this package answers, and what Cargo builds are the same.

use std::collections::BTreeSet;

use book::tries::Kind;
use serde_json::Value;

use crate::{ask, defaults, project, root};

#[test]
fn each_declaration_has_its_function_and_each_function_its_declaration() {
    let project = project();
    let declared: BTreeSet<(&str, &str)> = project
        .chapters
        .iter()
        .flat_map(|chapter| {
            chapter.tries.iter().map(|declared| (chapter.slug.as_str(), declared.name.as_str()))
        })
        .collect();
    let answered: BTreeSet<(&str, &str)> = page::chapters::ALL
        .iter()
        .flat_map(|(slug, tries)| tries.iter().map(|one| (*slug, one.name)))
        .collect();
    assert_eq!(declared, answered);
}

#[test]
fn each_chapter_with_something_to_try_has_its_module() {
    let manifest = std::fs::read_to_string(root().join("xtask/page/Cargo.toml")).unwrap();
    for (slug, _) in page::chapters::ALL {
        let name = book::wasm::example(slug);
        let example = format!(
            "[[example]]\nname = \"{name}\"\npath = \"examples/{slug}.rs\"\ncrate-type = [\"cdylib\"]\n"
        );
        assert!(manifest.contains(&example), "xtask/page/Cargo.toml lacks:\n{example}");
    }
}

/// The page stops a reader at the limits that the manifest names; the function must not stop earlier, nor later.
#[test]
fn a_numbers_limits_are_those_of_its_function() {
    let project = project();
    let mut tried = 0;
    for chapter in &project.chapters {
        for declared in &chapter.tries {
            for input in declared.inputs.iter().filter(|input| input.kind == Kind::Number) {
                let (Some(min), Some(max)) = (input.min, input.max) else {
                    panic!("{}/{}: `{}` has no limits", chapter.slug, declared.name, input.name)
                };
                for (number, fits) in [(min, true), (max, true), (min - 1, false), (max + 1, false)]
                {
                    let mut inputs = defaults(&project, &chapter.slug, declared);
                    inputs.insert(input.name.clone(), number.to_string());
                    let answer = ask(&chapter.slug, &declared.name, &inputs);
                    let refused = answer["blocks"][0]["errors"][0]["input"] == *input.name;
                    assert_eq!(refused, !fits, "{} = {number}: {answer}", input.name);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 0, "no number is tried");
}

#[test]
fn what_a_module_cannot_answer_is_told_from_what_the_reader_did() {
    let answer = ask("events", "gone", &Default::default());
    assert_eq!(answer["blocks"], Value::Null);
    assert_eq!(answer["problem"], "this module has no `gone`: load the page again");
}
