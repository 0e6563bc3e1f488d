//! Laws of a plan, for topics that nobody thought of.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::{
    Actual, Allow, Change, ConfigValue, Count, Declared, Setting, Topic,
    TopicName, plan,
};

const NAMES: [&str; 5] = [
    "cleanup.policy",
    "retention.ms",
    "retention.bytes",
    "delete.retention.ms",
    "segment.ms",
];

/// What these settings keep, from the least to the most, of all values that are drawn here.
const LIMITS: [&str; 5] = ["0", "1", "2", "3", "-1"];

fn configs() -> impl Strategy<Value = BTreeMap<String, String>> {
    let value = prop_oneof![
        Just("-1".to_owned()),
        (0..4_i64).prop_map(|n| n.to_string()),
        Just("compact".to_owned()),
        Just("delete".to_owned()),
    ];
    prop::collection::btree_map(
        prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
        value,
        0..4,
    )
}

fn topic() -> impl Strategy<Value = Topic> {
    (1..8_i64, 1..4_i64, any::<bool>(), configs()).prop_map(
        |(partitions, replication, keyed, configs)| Topic {
            name: TopicName::try_from("orders").unwrap(),
            partitions: Count::try_from(partitions).unwrap(),
            replication_factor: Count::try_from(replication).unwrap(),
            keyed,
            configs: configs
                .iter()
                .map(|(name, value)| {
                    (name.clone(), ConfigValue::from(value.as_str()))
                })
                .collect(),
        },
    )
}

fn actual() -> impl Strategy<Value = Actual> {
    (1..8_i32, 1..4_i32, configs(), configs()).prop_map(
        |(partitions, replication_factor, defaults, set)| {
            let settings = |of: BTreeMap<String, String>, on_topic| {
                of.into_iter().map(move |(name, value)| {
                    (name, Setting { value, on_topic })
                })
            };
            let mut configs: BTreeMap<_, _> =
                settings(defaults, false).collect();
            configs.extend(settings(set, true));
            Actual { partitions, replication_factor, configs }
        },
    )
}

/// What a cluster would have after the plan.
fn after(changes: &[Change], actual: Option<Actual>) -> Option<Actual> {
    changes.iter().fold(actual, |actual, change| match (change, actual) {
        (Change::Create(topic), None) => Some(Actual {
            partitions: topic.partitions.get(),
            replication_factor: topic.replication_factor.get(),
            configs: topic
                .configs
                .iter()
                .map(|(name, value)| {
                    let value = value.to_string();
                    (name.clone(), Setting { value, on_topic: true })
                })
                .collect(),
        }),
        (Change::Config { name, to, .. }, Some(mut actual)) => {
            let set = Setting { value: to.clone(), on_topic: true };
            actual.configs.insert(name.clone(), set);
            Some(actual)
        }
        (Change::AddPartitions { to, .. }, Some(mut actual)) => {
            actual.partitions = *to;
            Some(actual)
        }
        (_, actual) => actual,
    })
}

/// The declared settings under which brokers delete what they keep today, said in another way than in `danger`.
fn deleting<'a>(topic: &'a Topic, actual: &Actual) -> BTreeSet<&'a str> {
    let value = |of: &str| actual.configs.get(of).map(|is| &*is.value);
    let policy = topic.configs.get("cleanup.policy");
    let policy = policy.map(ConfigValue::as_str);
    let policy = policy.or(value("cleanup.policy")).unwrap_or("delete");
    let place = |of: &str| LIMITS.iter().position(|limit| *limit == of);
    let less = |name: &str, to: &str| {
        match (value(name).and_then(place), place(to)) {
            (Some(is), Some(to)) => to < is,
            _ => value(name) != Some(to), // words are no limits
        }
    };
    let settings =
        topic.configs.iter().map(|(name, to)| (&**name, to.as_str()));
    settings
        .filter(|(name, to)| match (*name, policy) {
            ("cleanup.policy", "delete" | "compact") => {
                value(name) != Some(to)
            }
            ("retention.ms" | "retention.bytes", "delete")
            | ("delete.retention.ms", "compact") => less(name, to),
            _ => false,
        })
        .map(|(name, _)| name)
        .collect()
}

proptest! {
    // ANCHOR: law
    /// What a plan does is what was declared: planned again, only what
    /// was refused is left.
    #[test]
    fn a_plan_that_was_applied_leaves_only_what_it_refused(
        topic in topic(), actual in prop::option::of(actual()),
    ) {
        let declared = Declared { topics: vec![topic.clone()] };
        let found = |actual: Option<Actual>| {
            actual.map(|actual| (topic.name.clone(), actual)).into_iter()
        };
        let first = plan(&declared, &found(actual.clone()).collect());
        let made = after(&first.topics[0].changes, actual.clone());
        let again = plan(&declared, &found(made.clone()).collect());

        let refused: Vec<_> = first.refused().collect();
        prop_assert_eq!(again.refused().collect::<Vec<_>>(), refused);
        prop_assert!(again.topics[0].changes.iter()
            .all(|change| matches!(change, Change::Refused(_))));
        // ANCHOR_END: law
        // No setting is lost, and none changes that was not declared.
        for (name, setting) in actual.iter().flat_map(|of| &of.configs) {
            if !topic.configs.contains_key(name) {
                prop_assert_eq!(made.as_ref().and_then(|of| of.configs.get(name)), Some(setting));
            }
        }
    }

    /// Whatever is as declared is left alone.
    #[test]
    fn the_plan_of_equals_is_empty(topic in topic()) {
        let declared = Declared { topics: vec![topic.clone()] };
        let made = after(&[Change::Create(topic.clone())], None).unwrap();
        prop_assert!(plan(&declared, &BTreeMap::from([(topic.name, made)])).is_empty());
    }

    /// Without a yes, no change passes that lowers retention where records are deleted, or moves keys.
    #[test]
    fn what_costs_something_is_marked(topic in topic(), actual in actual()) {
        let declared = Declared { topics: vec![topic.clone()] };
        let planned = plan(&declared, &BTreeMap::from([(topic.name.clone(), actual.clone())]));
        let more = topic.partitions.get() > actual.partitions;
        let marked = planned.not_allowed(Allow { deleted_data: true, moved_keys: false }).count();
        prop_assert_eq!(marked == 1, more && topic.keyed);
        prop_assert_eq!(planned.not_allowed(Allow { deleted_data: true, moved_keys: true }).count(), 0);
        let marked: BTreeSet<&str> = planned
            .not_allowed(Allow { deleted_data: false, moved_keys: true })
            .map(|(_, change)| match change {
                Change::Config { name, .. } => name.as_str(),
                _ => "no setting",
            })
            .collect();
        prop_assert_eq!(marked, deleting(&topic, &actual));
    }

    /// Fewer partitions and another replication factor are refused, never planned.
    #[test]
    fn partitions_never_become_fewer(topic in topic(), actual in actual()) {
        let declared = Declared { topics: vec![topic.clone()] };
        let planned = plan(&declared, &BTreeMap::from([(topic.name.clone(), actual.clone())]));
        let fewer = topic.partitions.get() < actual.partitions;
        let other = topic.replication_factor.get() != actual.replication_factor;
        prop_assert_eq!(planned.refused().count(), usize::from(fewer) + usize::from(other));
    }
}
