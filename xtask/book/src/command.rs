//! `{{#command VERB WORDS…}}`: a command line of this repository, with the present chapter number.

use crate::directive::{Maker, Stands, Takes};
use crate::finding::{Problem, nearest};
use crate::project::Project;

/// `{{#command VERB WORDS…}}`.
pub const COMMAND: Maker = Maker {
    name: "command",
    takes: Takes::Words,
    stands: Stands::Anywhere,
    make: |asked| {
        let words: Vec<&str> = asked.words.split_whitespace().collect();
        line(asked.project, &words).map(Into::into)
    },
};

/// What stands after a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// Nothing but flags.
    None,
    /// A chapter, which must exist.
    Chapter,
    /// A chapter or nothing.
    MaybeChapter,
    /// One of these words, or nothing.
    Words(&'static [&'static str]),
    /// A chapter, which must exist, then one of its faults or nothing.
    Fault,
    /// One of these words, then an exercise or nothing.
    Exercise(&'static [&'static str]),
    /// The name of something that is to be made.
    Name,
}

/// Every verb of `cargo xtask` that a page may name (a test compares them with xtask's source).
pub const VERBS: [(&str, Operand); 15] = [
    ("bench", Operand::MaybeChapter),
    ("book", Operand::Words(&["addresses", "build", "check", "diagrams", "pdf", "serve", "test"])),
    ("break", Operand::Fault),
    ("ci", Operand::None),
    ("copy", Operand::Chapter),
    ("coverage", Operand::MaybeChapter),
    ("doctor", Operand::None),
    (
        "exercise",
        Operand::Exercise(&["list", "start", "check", "watch", "hint", "solution", "reset"]),
    ),
    ("kafka", Operand::Words(&["up", "down", "status", "logs"])),
    ("list", Operand::None),
    ("new", Operand::Name),
    ("record", Operand::MaybeChapter),
    ("run", Operand::Chapter),
    ("test", Operand::MaybeChapter),
    ("tidy", Operand::None),
];

/// What a reader types for `words`.
///
/// `run quickstart` becomes `cargo xtask run chapter 1`; other verbs keep the chapter's name, which
/// says more and does not change.
pub fn line(project: &Project, words: &[&str]) -> Result<String, Problem> {
    let Some((verb, rest)) = words.split_first() else {
        return Err(Problem::new(
            "a command without a verb",
            "write `{{#command run quickstart}}`",
        ));
    };
    let operand = operand(verb)?;
    let first = rest.first().filter(|word| !word.starts_with('-'));
    let second = rest.get(1).filter(|word| !word.starts_with('-'));
    let mut shown: Vec<String> = rest.iter().map(|word| (*word).to_owned()).collect();
    match (operand, first) {
        (Operand::Fault, Some(slug)) => {
            project.number(slug)?;
            if let Some(fault) = second {
                project.fault(slug, fault)?;
            }
        }
        (Operand::Chapter | Operand::MaybeChapter, Some(slug)) => {
            let number = project.number(slug)?;
            if *verb == "run" {
                shown[0] = format!("chapter {number}");
                if let Some(run) = second {
                    project.run(slug, run)?;
                }
            }
        }
        (Operand::Chapter | Operand::Fault | Operand::Name, None) => {
            return Err(Problem::new(
                format!("`{verb}` needs a name after it"),
                format!("write `{{{{#command {verb} quickstart}}}}`"),
            ));
        }
        (Operand::Words(known) | Operand::Exercise(known), Some(word)) if !known.contains(word) => {
            return Err(Problem::new(
                format!("`cargo xtask {verb}` knows no `{word}`"),
                format!("use one of {}", known.join(", ")),
            ));
        }
        (Operand::Exercise(_), Some(_)) => {
            if let Some(exercise) = second {
                project.exercise(exercise)?;
            }
        }
        (Operand::None, Some(word)) => {
            return Err(Problem::new(
                format!("`cargo xtask {verb}` takes no `{word}`"),
                "leave it out",
            ));
        }
        _ => {}
    }
    shown.insert(0, format!("cargo xtask {verb}"));
    Ok(shown.join(" "))
}

/// What stands after `verb`; an error if xtask has no such verb.
pub fn operand(verb: &str) -> Result<Operand, Problem> {
    let known = VERBS.iter().find(|(name, _)| *name == verb);
    known.map(|(_, operand)| *operand).ok_or_else(|| {
        let mend = match nearest(verb, VERBS.iter().map(|(name, _)| *name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`cargo xtask --help` lists the verbs".into(),
        };
        Problem::new(format!("`cargo xtask` has no verb `{verb}`"), mend)
    })
}
