//! The named moments of a run: what must happen, in this order, whatever happens around it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::line::{Fields, Line, Value};
use crate::vocabulary::{Compare, Kind, Multiplicity};

/// The file `moments.toml` beside the recordings of a run.
///
/// ```toml
/// [[moments]]
/// name = "killed"
/// caption = "packer-2 is killed. Nobody reads its partition."
/// when = { message = "killed", victim = "packer-2" }
///
/// # Where this run must be compared in another way than the vocabulary has it:
/// [lines.committed]
/// multiplicity = "once"
/// fields = { offset = "any", duration_ms = { range = { times = 2, plus = 100 } } }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moments {
    /// The moments, in the order in which they must occur.
    #[serde(default)]
    pub moments: Vec<Moment>,
    /// Rules of this run for kinds of line, by message.
    #[serde(default)]
    pub lines: std::collections::BTreeMap<String, Rule>,
}

/// One named moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// A short name, once in the file.
    pub name: String,
    /// One sentence: what just happened.
    pub caption: String,
    /// What the line of this moment has: `message`, and any fields with exactly these values.
    pub when: Fields,
}

/// How lines of one kind compare in one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// How often the line occurs; the vocabulary's multiplicity when it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiplicity: Option<Multiplicity>,
    /// How fields compare; the vocabulary decides on those that are missing.
    #[serde(default)]
    pub fields: std::collections::BTreeMap<String, Compare>,
}

/// Why the moments could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MomentsError {
    /// The file could not be read.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not in its form.
    #[error("{path} is no list of moments")]
    Form {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// Two moments have one name.
    #[error(
        "{path} has two moments named `{name}`: give one of them another name"
    )]
    Twice {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// A moment says nothing about its line.
    #[error(
        "{path}: the moment `{name}` would be any line: say `when = {{ message = \"…\" }}`"
    )]
    AnyLine {
        /// The file.
        path: PathBuf,
        /// The moment's name.
        name: String,
    },
}

impl Moments {
    /// Reads the moments of a run. A file that is not there has none.
    ///
    /// # Errors
    /// When the file cannot be read, is not in its form, or names two moments alike.
    pub fn read(path: &Path) -> Result<Self, MomentsError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(source) => {
                Err(MomentsError::File { path: path.to_owned(), source })
            }
        }
    }

    /// Reads the moments from the text of their file; `path` is what errors call it.
    ///
    /// # Errors
    /// When the text is not in its form, or names two moments alike.
    pub fn parse(text: &str, path: &Path) -> Result<Self, MomentsError> {
        let path = path.to_owned();
        let all: Moments = match toml::from_str(text) {
            Ok(all) => all,
            Err(error) => {
                return Err(MomentsError::Form {
                    path,
                    source: Box::new(error),
                });
            }
        };
        for (at, moment) in all.moments.iter().enumerate() {
            let name = moment.name.clone();
            if all.moments[..at].iter().any(|earlier| earlier.name == name)
            {
                return Err(MomentsError::Twice { path, name });
            }
            if moment.when.is_empty() {
                return Err(MomentsError::AnyLine { path, name });
            }
        }
        Ok(all)
    }

    /// Where each moment is: the index of its line. A moment is the first line after the moment before it that
    /// has what `when` says; none when there is no such line, and then for those after it too.
    pub fn locate(&self, lines: &[Line]) -> Vec<Option<usize>> {
        let mut from = Some(0);
        let mut found = Vec::with_capacity(self.moments.len());
        for moment in &self.moments {
            let at = from.and_then(|from: usize| {
                let after = lines.get(from..)?;
                Some(from + after.iter().position(|line| moment.is(line))?)
            });
            found.push(at);
            from = at.map(|at| at + 1);
        }
        found
    }

    pub(crate) fn multiplicity(&self, message: &str) -> Multiplicity {
        let of_run =
            self.lines.get(message).and_then(|rule| rule.multiplicity);
        of_run.unwrap_or_else(|| {
            Kind::of(message)
                .map_or(Kind::other(), |kind| kind.multiplicity)
        })
    }

    pub(crate) fn compare(&self, message: &str, field: &str) -> Compare {
        let of_run =
            self.lines.get(message).and_then(|rule| rule.fields.get(field));
        of_run.copied().unwrap_or_else(|| Compare::of(message, field))
    }
}

impl Moment {
    /// Whether this is the moment's line.
    pub fn is(&self, line: &Line) -> bool {
        self.when.iter().all(|(name, wanted)| match name {
            "message" => wanted.as_str() == Some(line.message.as_str()),
            "level" => wanted.as_str() == Some(line.level.as_str()),
            _ => line.fields.get(name) == Some(wanted),
        })
    }

    /// What `when` says, in words: the message, then the fields by name.
    pub(crate) fn wanted(&self) -> String {
        let mut fields: Vec<(&str, &Value)> = self.when.iter().collect();
        fields.sort_by_key(|(name, _)| (*name != "message", *name));
        let shown = |(name, value): (&str, &Value)| match name {
            "message" => value.to_string(),
            _ => format!("{name}={value}"),
        };
        fields.into_iter().map(shown).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        [[moments]]
        name = "killed"
        caption = "packer-2 is killed."
        when = { message = "killed", victim = "packer-2" }

        [[moments]]
        name = "read again"
        caption = "The first record is read for the second time."
        when = { message = "consumed", partition = 1, offset = 0 }

        [lines.committed]
        multiplicity = { at_least = 2 }
        fields = { offset = "any", member = { same_identity = "member" }, ms = { range = { times = 2, plus = 5 } } }
    "#;

    fn parse(text: &str) -> Result<Moments, MomentsError> {
        Moments::parse(text, Path::new("moments.toml"))
    }

    #[test]
    fn moments_are_found_one_after_the_other() {
        let moments = parse(FILE).unwrap();
        let consumed = || {
            Line::new(0, "consumed").with("partition", 1).with("offset", 0)
        };
        let killed = || Line::new(0, "killed").with("victim", "packer-2");
        assert_eq!(
            moments.locate(&[consumed(), killed(), consumed()]),
            [Some(1), Some(2)]
        );
        assert_eq!(
            moments.locate(&[consumed(), killed()]),
            [Some(1), None]
        );
        assert_eq!(moments.locate(&[consumed(), consumed()]), [None, None]);
    }

    #[test]
    fn a_run_may_compare_in_its_own_way() {
        let moments = parse(FILE).unwrap();
        assert_eq!(
            moments.multiplicity("committed"),
            Multiplicity::AtLeast(2)
        );
        assert_eq!(moments.multiplicity("consumed"), Multiplicity::Once);
        assert_eq!(moments.compare("committed", "offset"), Compare::Any);
        assert_eq!(
            moments.compare("committed", "ms"),
            Compare::Range { times: 2, plus: 5 }
        );
        assert_eq!(moments.compare("consumed", "offset"), Compare::Exact);
    }

    #[test]
    fn files_that_cannot_be_meant_are_refused() {
        let message = |text| parse(text).unwrap_err().to_string();
        assert!(message("[[moment]]").contains("no list of moments"));
        let twice =
            "[[moments]]\nname='a'\ncaption=''\nwhen={message='x'}\n"
                .repeat(2);
        assert!(message(&twice).contains("two moments named `a`"));
        assert!(
            message("[[moments]]\nname='a'\ncaption=''\nwhen={}")
                .contains("any line")
        );
        assert_eq!(
            Moments::read(Path::new("/no/such/file")).unwrap(),
            Moments::default()
        );
    }
}
