//! Comparing a recorded run with a new one of the same program.
//!
//! Two services write when they like, so their lines have no common order. What must be equal:
//!
//! 1. the lines of each group, in order: one group for each process, and one for each partition that it works on;
//! 2. the moments: they occur in their order;
//! 3. the outcome: it is the last line, and equal to the letter.
//!
//! How a line and its fields compare is said by the [vocabulary](crate::vocabulary), and by the run's own rules.

mod difference;
mod identity;
mod soak;

pub use difference::{Difference, Group, Which};
pub use soak::Soak;

use identity::{Conflict, Identities};

use crate::line::{Line, Value};
use crate::moments::Moments;
use crate::recording::Recording;
use crate::vocabulary::{Compare, Multiplicity, OUTCOME};

/// Every way in which the new run differs from the recorded one; none when they are equal.
// ANCHOR: compare
pub fn compare(
    recorded: &Recording,
    new: &Recording,
    moments: &Moments,
) -> Vec<Difference> {
    let mut comparison = Comparison::new(moments);
    comparison.groups(&recorded.lines, &new.lines);
    comparison.moments(&recorded.lines, &new.lines);
    comparison.outcome(&recorded.lines, &new.lines);
    comparison.differences
}
// ANCHOR_END: compare

struct Comparison<'a> {
    moments: &'a Moments,
    /// One renaming for the whole run.
    identities: Identities,
    differences: Vec<Difference>,
}

/// Lines of a group that count as one: a line that occurs once, or alike lines in a row.
struct Block<'a> {
    line: &'a Line,
    count: usize,
}

impl<'a> Comparison<'a> {
    fn new(moments: &'a Moments) -> Self {
        Comparison {
            moments,
            identities: Identities::default(),
            differences: Vec::new(),
        }
    }

    fn groups(&mut self, recorded: &[Line], new: &[Line]) {
        let recorded = self.blocks_by_group(recorded);
        let new = self.blocks_by_group(new);
        for (group, blocks) in &recorded {
            let other = new.iter().find(|(known, _)| known == group);
            self.group(
                group,
                blocks,
                other.map_or(&[], |(_, blocks)| blocks),
            );
        }
        for (group, blocks) in &new {
            if !recorded.iter().any(|(known, _)| known == group) {
                self.group(group, &[], blocks);
            }
        }
    }

    /// The groups in the order in which they first appear, without what timing decides.
    fn blocks_by_group<'b>(
        &self,
        lines: &'b [Line],
    ) -> Vec<(Group, Vec<Block<'b>>)> {
        let mut groups: Vec<(Group, Vec<Block<'b>>)> = Vec::new();
        for line in lines.iter().filter(|line| line.message != OUTCOME) {
            let multiplicity = self.moments.multiplicity(&line.message);
            if matches!(
                multiplicity,
                Multiplicity::Optional | Multiplicity::AtLeast(0)
            ) {
                continue;
            }
            let group = Group::of(line);
            let at = groups
                .iter()
                .position(|(known, _)| *known == group)
                .unwrap_or_else(|| {
                    groups.push((group, Vec::new()));
                    groups.len() - 1
                });
            let blocks = &mut groups[at].1;
            match blocks.last_mut() {
                Some(last)
                    if multiplicity != Multiplicity::Once
                        && self.alike(last.line, line) =>
                {
                    last.count += 1;
                }
                _ => blocks.push(Block { line, count: 1 }),
            }
        }
        groups
    }

    /// Whether two lines of one run say the same, identities included.
    fn alike(&self, one: &Line, other: &Line) -> bool {
        let same = self.agree(&Identities::default(), one, other);
        same.is_ok_and(|identities| identities.is_identity())
    }

    /// Walks through both sides of a group. Where they part, it looks one line ahead on each side, so that one
    /// missing line is reported as that and not as a difference in every line after it.
    fn group(
        &mut self,
        group: &Group,
        recorded: &[Block<'_>],
        new: &[Block<'_>],
    ) {
        let (mut old_rest, mut new_rest) = (recorded, new);
        while let ([old, old_after @ ..], [fresh, new_after @ ..]) =
            (old_rest, new_rest)
        {
            let unlike =
                match self.agree(&self.identities, old.line, fresh.line) {
                    Ok(identities) => {
                        self.identities.extend(identities);
                        self.count(group, old, fresh);
                        (old_rest, new_rest) = (old_after, new_after);
                        continue;
                    }
                    Err(unlike) => unlike,
                };
            let would_agree = |old: &Block<'_>, fresh: &Block<'_>| {
                self.agree(&self.identities, old.line, fresh.line).is_ok()
            };
            if old_after
                .first()
                .is_some_and(|next| would_agree(next, fresh))
            {
                self.differences.push(Difference::missing(group, old.line));
                old_rest = old_after;
            } else if new_after
                .first()
                .is_some_and(|next| would_agree(old, next))
            {
                self.differences
                    .push(Difference::unexpected(group, fresh.line));
                new_rest = new_after;
            } else if old.line.message == fresh.line.message {
                let named = unlike
                    .into_iter()
                    .map(|unlike| unlike.into_difference(group, old.line));
                self.differences.extend(named);
                (old_rest, new_rest) = (old_after, new_after);
            } else {
                // From here on nothing would fit, and saying so for each line helps nobody.
                self.differences
                    .push(Difference::another(group, old.line, fresh.line));
                return;
            }
        }
        self.differences.extend(
            old_rest
                .iter()
                .map(|block| Difference::missing(group, block.line)),
        );
        self.differences.extend(
            new_rest
                .iter()
                .map(|block| Difference::unexpected(group, block.line)),
        );
    }

    fn count(&mut self, group: &Group, old: &Block<'_>, fresh: &Block<'_>) {
        if let Multiplicity::AtLeast(least) =
            self.moments.multiplicity(&old.line.message)
            && fresh.count < least as usize
        {
            self.differences.push(Difference::too_few(
                group,
                fresh.line,
                least,
                fresh.count,
            ));
        }
    }

    /// The identities that the two lines bind to each other, beside those that are `known`; or in which ways the
    /// lines differ.
    fn agree(
        &self,
        known: &Identities,
        old: &Line,
        fresh: &Line,
    ) -> Result<Identities, Vec<Unlike>> {
        let mut identities = Identities::default();
        let mut unlike = Vec::new();
        if old.message != fresh.message {
            unlike.push(Unlike::value(
                "message",
                Some(&old.message.as_str().into()),
                Some(&fresh.message.as_str().into()),
            ));
            return Err(unlike);
        }
        if old.level != fresh.level {
            unlike.push(Unlike::value(
                "level",
                Some(&old.level.as_str().into()),
                Some(&fresh.level.as_str().into()),
            ));
        }
        let only_new = fresh
            .fields
            .iter()
            .filter(|(name, _)| old.fields.get(name).is_none());
        for (name, _) in old.fields.iter().chain(only_new) {
            let (was, is) = (old.fields.get(name), fresh.fields.get(name));
            let equal =
                match (self.moments.compare(&old.message, name), was, is) {
                    (Compare::Any, ..) => true,
                    (Compare::SameIdentity(thing), Some(was), Some(is)) => {
                        match identities.bind(
                            known,
                            thing,
                            &was.to_string(),
                            &is.to_string(),
                        ) {
                            Ok(()) => true,
                            Err(conflict) => {
                                unlike
                                    .push(Unlike::identity(name, conflict));
                                continue;
                            }
                        }
                    }
                    (
                        Compare::Range { times, plus },
                        Some(Value::Int(was)),
                        Some(Value::Int(is)),
                    ) => in_range(*was, *is, times, plus),
                    _ => was == is,
                };
            if !equal {
                unlike.push(Unlike::value(name, was, is));
            }
        }
        if unlike.is_empty() { Ok(identities) } else { Err(unlike) }
    }

    fn moments(&mut self, recorded: &[Line], new: &[Line]) {
        for (which, lines) in
            [(Which::Recorded, recorded), (Which::New, new)]
        {
            let found = self.moments.locate(lines);
            // Those after it are missing because it is.
            if let Some(at) = found.iter().position(Option::is_none) {
                let moment = &self.moments.moments[at];
                let after = at.checked_sub(1).map(|before| {
                    self.moments.moments[before].name.clone()
                });
                let (name, wanted) = (moment.name.clone(), moment.wanted());
                self.differences.push(Difference::Moment {
                    which,
                    name,
                    wanted,
                    after,
                });
            }
        }
    }

    fn outcome(&mut self, recorded: &[Line], new: &[Line]) {
        let mut outcomes = Vec::new();
        for (which, lines) in
            [(Which::Recorded, recorded), (Which::New, new)]
        {
            let count =
                lines.iter().filter(|line| line.message == OUTCOME).count();
            match lines.last().filter(|line| line.message == OUTCOME) {
                Some(outcome) if count == 1 => outcomes.push(outcome),
                _ => self
                    .differences
                    .push(Difference::Outcomes { which, count }),
            }
        }
        let [old, fresh] = outcomes[..] else { return };
        let only_new = fresh
            .fields
            .iter()
            .filter(|(name, _)| old.fields.get(name).is_none());
        for (name, _) in old.fields.iter().chain(only_new) {
            let (was, is) = (old.fields.get(name), fresh.fields.get(name));
            if was != is {
                let (field, recorded, new) =
                    (name.to_owned(), was.cloned(), is.cloned());
                self.differences.push(Difference::Outcome {
                    field,
                    recorded,
                    new,
                });
            }
        }
    }
}

fn in_range(was: i64, is: i64, times: u32, plus: u32) -> bool {
    let (small, large) = (i128::from(was.min(is)), i128::from(was.max(is)));
    small >= 0 && large <= small * i128::from(times) + i128::from(plus)
}

/// One way in which two lines differ.
enum Unlike {
    Value { field: String, recorded: Option<Value>, new: Option<Value> },
    Identity { field: String, conflict: Conflict },
}

impl Unlike {
    fn value(
        field: &str,
        recorded: Option<&Value>,
        new: Option<&Value>,
    ) -> Self {
        Unlike::Value {
            field: field.to_owned(),
            recorded: recorded.cloned(),
            new: new.cloned(),
        }
    }

    fn identity(field: &str, conflict: Conflict) -> Self {
        Unlike::Identity { field: field.to_owned(), conflict }
    }

    fn into_difference(self, group: &Group, line: &Line) -> Difference {
        let (group, line) = (group.clone(), difference::in_words(line));
        match self {
            Unlike::Value { field, recorded, new } => {
                Difference::Field { group, line, field, recorded, new }
            }
            Unlike::Identity { field, conflict } => Difference::Identity {
                group,
                line,
                field,
                conflict: conflict.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
