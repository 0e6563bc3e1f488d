//! What a chapter declares to be tried is on one of its pages, under a name that an address can hold.

use super::Page;
use crate::directive::{PlaceKind, places};
use crate::finding::Finding;
use crate::project::Project;
use crate::tries::TRY;

/// Looks at the manifests, and for each declaration at the pages.
///
/// That a page names what is declared, and that its defaults are there, shows when the page is expanded.
pub fn check(project: &Project, pages: &[Page], findings: &mut Vec<Finding>) {
    for chapter in &project.chapters {
        for (at, declared) in chapter.tries.iter().enumerate() {
            let name = declared.name.as_str();
            let mut report = |what: String, mend: String| {
                findings.push(Finding::new(&chapter.manifest, declared.line, what, mend));
            };
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if name.is_empty() || !name.chars().all(plain) {
                report(
                    format!("`{name}` names something to try"),
                    "use small letters, digits and dashes: it stands in addresses".into(),
                );
            }
            if chapter.tries[..at].iter().any(|other| other.name == name) {
                report(format!("`{name}` is declared twice"), "give each its own name".into());
            }
            let word = format!("{}/{name}", chapter.slug);
            if !pages.iter().any(|page| shows(&page.source.text, &word)) {
                report(
                    format!("`{word}` can be tried on no page"),
                    format!("put `{{{{#try {word}}}}}` on a page of the chapter, or remove it"),
                );
            }
        }
    }
}

fn shows(text: &str, word: &str) -> bool {
    places(text).into_iter().any(|place| match place.kind {
        PlaceKind::Directive { name, words } => name == TRY.name && words == word,
        PlaceKind::Escaped | PlaceKind::Unclosed => false,
    })
}
