//! A plan as people read it: `+` comes, `-` goes, `~` changes, `!` is not done.

use std::fmt;

use crate::danger::Danger;
use crate::plan::{Change, Plan, TopicPlan};

impl fmt::Display for Plan {
    /// One block a topic; topics that are as declared in one line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for topic in &self.topics {
            topic.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for TopicPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.changes[..] {
            [] => writeln!(f, "= {name}"),
            [Change::Create(topic)] => {
                writeln!(f, "+ {name}")?;
                writeln!(f, "  + partitions: {}", topic.partitions)?;
                writeln!(
                    f,
                    "  + replication_factor: {}",
                    topic.replication_factor
                )?;
                topic.configs.iter().try_for_each(|(name, value)| {
                    writeln!(f, "  + {name}: {value}")
                })
            }
            changes => {
                writeln!(f, "~ {name}")?;
                changes.iter().try_for_each(|change| change.fmt(f))
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Create(topic) => writeln!(f, "  + {}", topic.name),
            Change::Config { name, from, to, danger } => {
                if let Some(from) = from {
                    writeln!(f, "  - {name}: {from}")?;
                }
                writeln!(f, "  + {name}: {to}{}", Mark(*danger))
            }
            Change::AddPartitions { from, to, danger } => {
                writeln!(f, "  - partitions: {from}")?;
                writeln!(f, "  + partitions: {to}{}", Mark(*danger))
            }
            Change::Refused(refusal) => writeln!(f, "  ! {refusal}"),
        }
    }
}

/// What a change costs, behind its line.
struct Mark(Option<Danger>);

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |danger| write!(f, "   # {danger}"))
    }
}
