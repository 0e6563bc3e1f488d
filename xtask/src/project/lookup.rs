//! Finding a chapter and a run by what was typed.

use super::{Chapter, Fault, Project, Run};
use crate::say::Usage;

impl Project {
    /// The chapter with this number, this slug, or of which this is a part that no other has.
    pub fn chapter(&self, word: &str) -> anyhow::Result<&Chapter> {
        if let Ok(number) = word.parse::<usize>() {
            return self.chapters.iter().find(|chapter| chapter.number == Some(number)).ok_or_else(|| {
                let last = self.chapters.iter().filter_map(|chapter| chapter.number).max().unwrap_or(0);
                Usage::error(format!(
                    "there is no chapter {number}: they go from 1 to {last}. `cargo xtask list` shows them"
                ))
            });
        }
        if let Some(chapter) = self.chapters.iter().find(|chapter| chapter.slug == word) {
            return Ok(chapter);
        }
        let containing: Vec<&Chapter> =
            self.chapters.iter().filter(|c| c.slug.contains(word)).collect();
        match containing[..] {
            [chapter] if !word.is_empty() => Ok(chapter),
            [] => Err(Usage::error(match self.nearest(word) {
                Some(slug) => format!(
                    "there is no chapter {word:?}: did you mean {slug:?}? `cargo xtask list` shows all"
                ),
                None => format!("there is no chapter {word:?}: `cargo xtask list` shows all"),
            })),
            _ => {
                let slugs: Vec<&str> =
                    containing.iter().map(|chapter| chapter.slug.as_str()).collect();
                Err(Usage::error(format!(
                    "{word:?} is part of {}: type more of one",
                    slugs.join(" and ")
                )))
            }
        }
    }

    fn nearest(&self, word: &str) -> Option<&str> {
        nearest(word, self.chapters.iter().map(|chapter| chapter.slug.as_str()))
    }
}

impl Chapter {
    /// The run of this name; the first where none is named.
    pub fn run(&self, name: Option<&str>) -> anyhow::Result<&Run> {
        let Some(name) = name else {
            return self.runs.first().ok_or_else(|| {
                Usage::error(format!(
                    "chapter {:?} has nothing to run: read its page instead",
                    self.slug
                ))
            });
        };
        self.runs.iter().find(|run| run.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.runs.iter().map(|run| run.name.as_str()).collect();
            let hint = nearest(name, names.iter().copied())
                .map(|n| format!("did you mean {n:?}? "))
                .unwrap_or_default();
            Usage::error(format!(
                "chapter {:?} has no run {name:?}: {hint}It has {}",
                self.slug,
                names.join(", ")
            ))
        })
    }
}

impl Chapter {
    /// The fault of this name.
    pub fn fault(&self, name: &str) -> anyhow::Result<&Fault> {
        self.faults.iter().find(|fault| fault.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.faults.iter().map(|fault| fault.name.as_str()).collect();
            let hint = nearest(name, names.iter().copied())
                .map(|near| format!("did you mean {near:?}? "))
                .unwrap_or_default();
            let has = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            Usage::error(format!(
                "chapter {:?} has no fault {name:?}: {hint}It has {has}",
                self.slug
            ))
        })
    }
}

/// The candidate most like the word, if one is like it at all.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Below 0.7 a suggestion is noise: "zzz" would bring up whatever has a z.
    const ALIKE: f64 = 0.7;
    candidates
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Takes off the word `chapter` of `run chapter 3`.
pub fn without_the_word_chapter(words: &[String]) -> &[String] {
    match words {
        [first, rest @ ..] if first == "chapter" && !rest.is_empty() => rest,
        all => all,
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn project() -> Project {
        let chapter = |number, slug: &str| {
            let text = format!(
                "[package]\nname = {slug:?}\n[package.metadata.chapter]\n\
                 runs = [{{ name = \"first\", program = \"a\" }}, {{ name = \"shop\", program = \"b\" }}]\n"
            );
            Chapter { number, ..Chapter::parse(&text, Path::new(".")).unwrap() }
        };
        Project {
            root: PathBuf::new(),
            chapters: vec![
                chapter(Some(1), "quickstart"),
                chapter(Some(2), "kafka-producers"),
                chapter(None, "kafka-cli"),
            ],
            built_in: None,
        }
    }

    fn error(word: &str) -> String {
        let error = project().chapter(word).unwrap_err();
        assert!(error.is::<Usage>());
        error.to_string()
    }

    #[test]
    fn number_slug_and_part_of_a_slug_are_one() {
        let project = project();
        for word in ["2", "kafka-producers", "prod"] {
            assert_eq!(project.chapter(word).unwrap().slug, "kafka-producers");
        }
    }

    #[test]
    fn what_is_not_there_is_answered_with_what_is() {
        assert!(error("quikstart").contains("did you mean \"quickstart\"?"));
        assert!(error("9").contains("they go from 1 to 2"));
        assert!(error("kafka").contains("is part of kafka-producers and kafka-cli"));
        assert!(!error("zzzz").contains("did you mean"));
        assert!(error("").contains("type more"));
    }

    #[test]
    fn the_first_run_is_the_default_and_an_unknown_one_is_answered() {
        let project = project();
        let chapter = project.chapter("1").unwrap();
        assert_eq!(chapter.run(None).unwrap().name, "first");
        assert_eq!(chapter.run(Some("shop")).unwrap().name, "shop");
        let error = chapter.run(Some("shpo")).unwrap_err().to_string();
        assert_eq!(
            error,
            "chapter \"quickstart\" has no run \"shpo\": did you mean \"shop\"? It has first, shop"
        );
    }

    #[test]
    fn the_word_chapter_may_stand_before_the_chapter() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(without_the_word_chapter(&words("chapter 3 shop")), words("3 shop"));
        assert_eq!(without_the_word_chapter(&words("3 shop")), words("3 shop"));
        assert_eq!(without_the_word_chapter(&words("chapter")), words("chapter"));
    }
}
