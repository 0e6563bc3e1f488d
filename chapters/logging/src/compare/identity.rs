//! One renaming a run: which name of the new run stands for which of the recorded one.

use std::collections::HashMap;
use std::fmt;

use crate::vocabulary::Thing;

/// A renaming that is being found: each name of one run has at most one in the other, both ways.
#[derive(Debug, Default)]
pub(super) struct Identities {
    new_of: HashMap<(Thing, String), String>,
    recorded_of: HashMap<(Thing, String), String>,
}

/// Two names that cannot stand for each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conflict {
    recorded: String,
    new: String,
    /// What the recorded name stands for already, if anything.
    known_new: Option<String>,
    /// What the new name stands for already, if anything.
    known_recorded: Option<String>,
}

impl Identities {
    /// Lets two names stand for each other from now on, unless that contradicts `known` or what is here.
    pub(super) fn bind(
        &mut self,
        known: &Identities,
        thing: Thing,
        recorded: &str,
        new: &str,
    ) -> Result<(), Conflict> {
        let (old_key, new_key) =
            ((thing, recorded.to_owned()), (thing, new.to_owned()));
        let known_new = known
            .new_of
            .get(&old_key)
            .or_else(|| self.new_of.get(&old_key));
        let known_recorded = known
            .recorded_of
            .get(&new_key)
            .or_else(|| self.recorded_of.get(&new_key));
        match (known_new, known_recorded) {
            (None, None) => {
                self.new_of.insert(old_key, new.to_owned());
                self.recorded_of.insert(new_key, recorded.to_owned());
                Ok(())
            }
            (Some(known), _) if known == new => Ok(()),
            _ => Err(Conflict {
                recorded: recorded.to_owned(),
                new: new.to_owned(),
                known_new: known_new.cloned(),
                known_recorded: known_recorded.cloned(),
            }),
        }
    }

    /// Takes over what was bound beside these.
    pub(super) fn extend(&mut self, other: Identities) {
        self.new_of.extend(other.new_of);
        self.recorded_of.extend(other.recorded_of);
    }

    /// Whether every name stands for itself.
    pub(super) fn is_identity(&self) -> bool {
        self.new_of.iter().all(|((_, recorded), new)| recorded == new)
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Conflict { recorded, new, .. } = self;
        write!(f, "`{new}` stands where `{recorded}` was recorded, but ")?;
        match (&self.known_new, &self.known_recorded) {
            (Some(known), _) => {
                write!(f, "`{recorded}` is `{known}` elsewhere")
            }
            (None, Some(known)) => {
                write!(f, "`{new}` stands for `{known}` elsewhere")
            }
            (None, None) => write!(f, "they are different"),
        }
    }
}
