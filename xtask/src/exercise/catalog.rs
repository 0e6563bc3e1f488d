//! The exercises that stand in the chapters, as their `exercise.toml` describes them.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use regex_lite::Regex;
use serde::Deserialize;

use crate::project::{Chapter, Project, nearest};
use crate::say::Usage;

/// One folder below `chapters/<slug>/exercises/`.
#[derive(Debug, Clone)]
pub struct Exercise {
    /// What it is called everywhere: `quickstart/forgotten`.
    pub id: String,
    /// The chapter's slug.
    pub slug: String,
    /// Its own name within the chapter.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// What its `exercise.toml` says.
    pub says: Says,
}

/// `exercise.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Says {
    /// Its title, on the page and in the list.
    pub title: String,
    /// What the reader does.
    pub kind: Kind,
    /// What is to be done, in Markdown.
    pub task: String,
    /// Where to look, what idea, the line.
    pub hints: [String; 3],
    /// Why the solution works, shown after success.
    pub why: String,
    /// What the check says of the starter, as a regular expression.
    pub fails_with: String,
    /// What the code and its check use: names from the chapter's `Cargo.toml`, or the chapter itself.
    #[serde(default)]
    pub uses: Vec<String>,
    /// A program of the chapter that the check runs, built from the chapter's own source.
    pub program: Option<String>,
}

/// What the reader does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Something is broken, for the reason that the page explains.
    Mend,
    /// Something is missing.
    Extend,
    /// Something was seen; what did it?
    Diagnose,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Mend => "mend",
            Kind::Extend => "extend",
            Kind::Diagnose => "diagnose",
        })
    }
}

impl Exercise {
    fn read(chapter: &Chapter, folder: &Path) -> anyhow::Result<Exercise> {
        let path = folder.join("exercise.toml");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read: an exercise needs it", path.display()))?;
        let wrong = || format!("{} is not right: correct it", path.display());
        let says: Says = toml_edit::de::from_str(&text).with_context(wrong)?;
        Regex::new(&says.fails_with)
            .with_context(|| format!("{}: fails_with is no regular expression", path.display()))?;
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        Ok(Exercise {
            id: format!("{}/{name}", chapter.slug),
            slug: chapter.slug.clone(),
            name,
            folder: folder.to_owned(),
            says,
        })
    }

    /// The name of its copy's folder and package.
    pub fn copy_name(&self) -> String {
        format!("{}-{}", self.slug, self.name)
    }
}

/// All exercises, in the order of the book.
#[derive(Debug)]
pub struct Catalog(Vec<Exercise>);

impl Catalog {
    /// Reads the exercises of all chapters.
    pub fn read(project: &Project) -> anyhow::Result<Catalog> {
        let mut all = Vec::new();
        for chapter in &project.chapters {
            let Ok(entries) = std::fs::read_dir(chapter.folder.join("exercises")) else { continue };
            let mut folders: Vec<PathBuf> =
                entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
            folders.sort();
            for folder in folders {
                all.push(Exercise::read(chapter, &folder)?);
            }
        }
        Ok(Catalog(all))
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Exercise> {
        self.0.iter()
    }

    /// The exercise of this name, or of which this is a part that no other has.
    pub fn find(&self, word: &str) -> anyhow::Result<&Exercise> {
        if let Some(exercise) = self.iter().find(|one| one.id == word || one.copy_name() == word) {
            return Ok(exercise);
        }
        let containing: Vec<&Exercise> = self.iter().filter(|one| one.id.contains(word)).collect();
        match containing[..] {
            [exercise] if !word.is_empty() => Ok(exercise),
            [] => {
                let ids = self.iter().map(|one| one.id.as_str());
                let names = self.iter().map(|one| one.name.as_str());
                let hint = nearest(word, ids.chain(names))
                    .map(|near| format!("did you mean {near:?}? "))
                    .unwrap_or_default();
                Err(Usage::error(format!(
                    "there is no exercise {word:?}: {hint}`cargo xtask exercise list` shows all"
                )))
            }
            _ => {
                let ids: Vec<&str> = containing.iter().map(|one| one.id.as_str()).collect();
                Err(Usage::error(format!(
                    "{word:?} is part of {}: type more of one",
                    ids.join(" and ")
                )))
            }
        }
    }

    /// The first after this one that is not done, else the first of all that is not.
    pub fn next(&self, after: &Exercise, is_done: impl Fn(&str) -> bool) -> Option<&Exercise> {
        let place = self.iter().position(|one| one.id == after.id).unwrap_or(0);
        let around = self.0[place..].iter().chain(&self.0[..place]);
        around.skip(1).find(|one| !is_done(&one.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exercise(id: &str) -> Exercise {
        let (slug, name) = id.split_once('/').unwrap();
        let says = "title = \"T\"\nkind = \"mend\"\ntask = \"t\"\nhints = [\"a\", \"b\", \"c\"]\n\
                    why = \"w\"\nfails_with = \"x\"\n";
        Exercise {
            id: id.to_owned(),
            slug: slug.to_owned(),
            name: name.to_owned(),
            folder: PathBuf::new(),
            says: toml_edit::de::from_str(says).unwrap(),
        }
    }

    fn catalog() -> Catalog {
        Catalog(["quickstart/forgotten", "events/refund", "events/gift"].map(exercise).into())
    }

    #[test]
    fn an_exercise_is_found_by_its_name_and_by_a_part_that_no_other_has() {
        for word in ["quickstart/forgotten", "quickstart-forgotten", "forg", "quick"] {
            assert_eq!(catalog().find(word).unwrap().id, "quickstart/forgotten", "{word}");
        }
    }

    #[test]
    fn what_is_not_there_is_answered_with_what_is() {
        let said = |word: &str| {
            let error = catalog().find(word).unwrap_err();
            assert!(error.is::<Usage>());
            error.to_string()
        };
        assert!(said("forgoten").contains("did you mean \"forgotten\"?"));
        assert!(said("events").contains("is part of events/refund and events/gift"));
        assert!(!said("zzzz").contains("did you mean"));
        assert!(said("").contains("type more"));
    }

    #[test]
    fn the_next_one_is_the_first_after_it_that_is_not_done() {
        let catalog = catalog();
        let next = |after: &str, done: &[&str]| {
            let after = catalog.find(after).unwrap();
            catalog.next(after, |id| done.contains(&id)).map(|one| one.id.clone())
        };
        assert_eq!(next("forgotten", &["quickstart/forgotten"]).unwrap(), "events/refund");
        let most = ["events/refund", "events/gift"];
        assert_eq!(next("gift", &most).unwrap(), "quickstart/forgotten");
        assert_eq!(next("gift", &["quickstart/forgotten", "events/refund"]), None);
    }

    #[test]
    fn two_hints_and_an_unknown_key_are_refused() {
        let good = "title = \"T\"\nkind = \"mend\"\ntask = \"t\"\nhints = [\"a\", \"b\", \"c\"]\n\
                    why = \"w\"\nfails_with = \"x\"\n";
        let refused = |text: &str| toml_edit::de::from_str::<Says>(text).unwrap_err().to_string();
        assert!(refused(&good.replace(", \"c\"", "")).contains("hints"));
        assert!(refused(&good.replace("why", "because")).contains("unknown field `because`"));
        assert!(refused(&good.replace("mend", "guess")).contains("unknown variant `guess`"));
    }
}
