//! Which changes cost somebody something, and what.

use std::fmt;

/// What a change costs that cannot be had back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Danger {
    /// Keys go to other partitions than their earlier records: their
    /// order is lost.
    MovesKeys,
    /// Brokers delete records that they keep today, or may cut some off.
    DeletesData,
}

impl fmt::Display for Danger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Danger::MovesKeys => "moves keys",
            Danger::DeletesData => "deletes data",
        })
    }
}

/// What somebody has said yes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allow {
    /// Keys may move.
    pub moved_keys: bool,
    /// Data may be deleted.
    pub deleted_data: bool,
}

impl Allow {
    /// Whether a change with this danger may be made.
    pub fn permits(self, danger: Option<Danger>) -> bool {
        match danger {
            None => true,
            Some(Danger::MovesKeys) => self.moved_keys,
            Some(Danger::DeletesData) => self.deleted_data,
        }
    }
}

/// What one setting was and is to be, and the policies around it.
pub(crate) struct Reset<'a> {
    /// Its name.
    pub name: &'a str,
    /// The value in force now; `None` where the cluster does not know the setting.
    pub from: Option<&'a str>,
    /// The value to come.
    pub to: &'a str,
    /// `cleanup.policy` in force once everything has been changed.
    pub policy: &'a str,
}

// ANCHOR: rules
/// Whether this change lets brokers delete what they keep today.
pub(crate) fn of_config(reset: &Reset<'_>) -> Option<Danger> {
    let deletes = has(reset.policy, "delete");
    let compacts = has(reset.policy, "compact");
    let from = reset.from.unwrap_or_default();
    let costs = match reset.name {
        // A policy that comes: what it takes was kept until today.
        "cleanup.policy" => ["delete", "compact"]
            .into_iter()
            .any(|way| has(reset.to, way) && !has(from, way)),
        "retention.ms" | "retention.bytes" => {
            deletes && lower(from, reset.to)
        }
        // How long a reader who starts anew has to see a tombstone,
        // and how long every value of a key is there.
        "delete.retention.ms" | "min.compaction.lag.ms" => {
            compacts && lower(from, reset.to)
        }
        // A replica that lags may lead then: what it lacks is cut off
        // on the others, acknowledged or not.
        "unclean.leader.election.enable" => {
            is_true(reset.to) && !is_true(from)
        }
        _ => false,
    };
    costs.then_some(Danger::DeletesData)
}

/// Less than before, where −1 is no limit. What is no number is taken
/// for the worst.
fn lower(from: &str, to: &str) -> bool {
    let limit = |text: &str| match text.trim().parse::<i64>() {
        Ok(-1) => Some(i64::MAX),
        other => other.ok(),
    };
    match (limit(from), limit(to)) {
        (Some(from), Some(to)) => to < from,
        _ => true,
    }
}
// ANCHOR_END: rules

/// Brokers read a truth value without regard to case.
fn is_true(value: &str) -> bool {
    value.trim().eq_ignore_ascii_case("true")
}

/// `cleanup.policy` is a list: `delete`, `compact` or `compact,delete`.
pub(crate) fn has(policy: &str, way: &str) -> bool {
    policy.split(',').any(|one| one.trim() == way)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(name: &str, from: &str, to: &str, policy: &str) -> bool {
        let reset = Reset { name, from: Some(from), to, policy };
        of_config(&reset).is_some()
    }

    #[test]
    fn less_retention_deletes_and_more_does_not() {
        for name in ["retention.ms", "retention.bytes"] {
            assert!(costs(name, "2000", "1000", "delete"));
            assert!(costs(name, "-1", "1000", "delete"), "-1 is no limit");
            assert!(costs(name, "2000", "1000", "compact,delete"));
            assert!(!costs(name, "1000", "2000", "delete"));
            assert!(!costs(name, "1000", "-1", "delete"));
            assert!(
                !costs(name, "2000", "1000", "compact"),
                "nobody looks at it"
            );
            assert!(costs(name, "2000", "a week", "delete"), "who knows?");
        }
    }

    #[test]
    fn a_policy_that_comes_deletes_and_one_that_goes_does_not() {
        let policy = |from, to| costs("cleanup.policy", from, to, to);
        assert!(policy("delete", "compact"));
        assert!(policy("compact", "delete"));
        assert!(policy("compact", "compact,delete"));
        assert!(policy("delete", "delete, compact"));
        assert!(!policy("compact,delete", "compact"));
        assert!(!policy("compact,delete", "delete"));
        assert!(!policy("compact,delete", "delete,compact"));
    }

    #[test]
    fn tombstones_and_lag_matter_where_there_is_compaction() {
        for name in ["delete.retention.ms", "min.compaction.lag.ms"] {
            assert!(costs(name, "86400000", "0", "compact"));
            assert!(!costs(name, "86400000", "0", "delete"));
        }
        assert!(!costs("segment.ms", "86400000", "1", "compact,delete"));
    }

    #[test]
    fn an_unclean_election_that_is_allowed_anew_may_delete() {
        let unclean = |from, to| {
            let name = "unclean.leader.election.enable";
            of_config(&Reset { name, from, to, policy: "delete" })
        };
        let deletes = Some(Danger::DeletesData);
        assert_eq!(unclean(Some("false"), "true"), deletes);
        assert_eq!(unclean(Some("false"), "TRUE"), deletes);
        assert_eq!(unclean(None, "true"), deletes, "who knows?");
        assert_eq!(unclean(Some("true"), "True"), None);
        assert_eq!(unclean(Some("true"), "false"), None);
        assert_eq!(unclean(None, "false"), None);
    }

    #[test]
    fn each_yes_is_for_one_danger() {
        let keys = Allow { moved_keys: true, ..Allow::default() };
        let data = Allow { deleted_data: true, ..Allow::default() };
        assert!(
            keys.permits(Some(Danger::MovesKeys))
                && !keys.permits(Some(Danger::DeletesData))
        );
        assert!(
            data.permits(Some(Danger::DeletesData))
                && !data.permits(Some(Danger::MovesKeys))
        );
        assert!(
            Allow::default().permits(None)
                && !Allow::default().permits(Some(Danger::MovesKeys))
        );
    }
}
