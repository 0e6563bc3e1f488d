//! Properties of the state machine that hold whatever happens.

use std::collections::BTreeSet;

use proptest::prelude::*;
use replication::{Acks, Event, Partition, Rules};

const REPLICAS: usize = 3;

fn event(acks: Acks) -> impl Strategy<Value = Event> {
    let replica = 0..REPLICAS;
    prop_oneof![
        3 => Just(Event::Send(acks)),
        6 => replica.clone().prop_map(Event::Fetch),
        1 => replica.clone().prop_map(Event::Shrink),
        1 => replica.clone().prop_map(Event::Kill),
        2 => replica.prop_map(Event::Restart),
    ]
}

fn rules(min_in_sync: usize, unclean: bool, eligible: bool) -> Rules {
    let replicas = REPLICAS;
    Rules { replicas, min_in_sync, unclean, eligible, flushed: false }
}

/// Lets all events happen but a kill while another broker is down: one failure at a time.
fn one_at_a_time(partition: &mut Partition, rules: &Rules, event: Event) {
    let down = partition.logs().iter().any(|log| !log.alive);
    let behind = partition.in_sync().len() < REPLICAS;
    if matches!(event, Event::Kill(_)) && (down || behind) {
        return;
    }
    partition.apply(rules, event);
}

proptest! {
    /// What was acknowledged with acks=all, two in sync and no unclean election is on the leader, after any number of
    /// failures, as long as they come one at a time and each finds three in sync.
    #[test]
    fn acks_all_and_two_in_sync_lose_nothing(
        events in prop::collection::vec(event(Acks::All), 1..120),
        eligible: bool,
    ) {
        let rules = rules(2, false, eligible);
        let mut partition = Partition::new(&rules);
        for event in events {
            one_at_a_time(&mut partition, &rules, event);
            prop_assert!(partition.lost().is_empty(), "{partition:?}");
        }
    }

    /// Without an unclean election no committed record goes, however many brokers die, and the high watermark never
    /// goes back.
    #[test]
    fn what_is_committed_stays(
        events in prop::collection::vec(event(Acks::All), 1..120),
        min_in_sync in 1..=REPLICAS,
    ) {
        let rules = rules(min_in_sync, false, true);
        let mut partition = Partition::new(&rules);
        let mut committed = Vec::new();
        for event in events {
            partition.apply(&rules, event);
            prop_assert_eq!(partition.unclean_elections(), 0);
            prop_assert!(partition.high_watermark() >= committed.len());
            let Some(leader) = partition.leader() else { continue };
            let log = &partition.logs()[leader].entries;
            prop_assert_eq!(&log[..committed.len()], &committed[..]);
            committed = log[..partition.high_watermark()].to_vec();
        }
    }

    /// Every in-sync replica has everything below the high watermark.
    #[test]
    fn in_sync_means_everything_committed(
        events in prop::collection::vec(event(Acks::All), 1..120),
        unclean: bool,
        min_in_sync in 1..=REPLICAS,
    ) {
        let rules = rules(min_in_sync, unclean, true);
        let mut partition = Partition::new(&rules);
        for event in events {
            partition.apply(&rules, event);
            let Some(leader) = partition.leader() else { continue };
            let mark = partition.high_watermark();
            let committed = &partition.logs()[leader].entries[..mark];
            for at in partition.in_sync() {
                let own = &partition.logs()[*at].entries;
                prop_assert!(own.starts_with(committed), "{partition:?}");
            }
        }
    }

    /// With acks=1 the leader's books and the producers' part: the same failures can lose what was acknowledged, and
    /// only what no follower had.
    #[test]
    fn acks_1_loses_only_what_is_above_the_high_watermark(
        events in prop::collection::vec(event(Acks::Leader), 1..80),
    ) {
        let rules = rules(2, false, true);
        let mut partition = Partition::new(&rules);
        let mut safe = BTreeSet::new();
        for event in events {
            one_at_a_time(&mut partition, &rules, event);
            if let Some(leader) = partition.leader() {
                let log = &partition.logs()[leader].entries;
                let below = &log[..partition.high_watermark()];
                safe.extend(below.iter().map(|entry| entry.record));
            }
            prop_assert!(partition.lost().is_disjoint(&safe));
        }
    }
}

/// claim: the-model-tells-what-the-brokers-did
///
/// The histories of the chapter's stories, told to the state machine: it comes to the same counts, leaders and sets.
#[test]
fn the_model_tells_what_the_brokers_did() {
    // The leader runs ahead: five copied, five on the leader alone, of which one answers a waiting fetch.
    let mut partition = Partition::new(&rules(2, false, true));
    let careful = rules(2, false, true);
    let mut play = |rules: &Rules, events: &[Event]| {
        for event in events {
            partition.apply(rules, *event);
        }
    };
    let copied =
        [Event::Send(Acks::Leader), Event::Fetch(1), Event::Fetch(2)];
    (0..6).for_each(|_| play(&careful, &copied));
    (0..4).for_each(|_| play(&careful, &copied[..1]));
    let rest = [
        Event::Kill(0),
        Event::Restart(0),
        Event::Fetch(0),
        Event::Fetch(0),
    ];
    play(&careful, &rest);
    assert_eq!((partition.leader(), partition.lost().len()), (Some(1), 4));
    assert_eq!(partition.logs()[0].entries.len(), 6, "cut back");

    // Alone: three on both, three on the leader alone, which dies; the other is back first.
    for (unclean, leads, lost) in [(false, None, 0), (true, Some(1), 3)] {
        let rules = Rules { replicas: 2, ..rules(1, unclean, true) };
        let mut partition = Partition::new(&rules);
        for _ in 0..3 {
            partition.apply(&rules, Event::Send(Acks::All));
            partition.apply(&rules, Event::Fetch(1));
        }
        partition.apply(&rules, Event::Kill(1));
        for _ in 0..3 {
            partition.apply(&rules, Event::Send(Acks::All));
        }
        partition.apply(&rules, Event::Kill(0));
        partition.apply(&rules, Event::Restart(1));
        assert_eq!(partition.leader(), leads);
        assert_eq!(partition.lost().len(), lost);
        let empty = partition.in_sync().is_empty();
        assert_eq!(empty, !unclean, "as the brokers' metadata said");
        partition.apply(&rules, Event::Restart(0));
        let leader = if unclean { 1 } else { 0 };
        assert_eq!(partition.leader(), Some(leader));
        assert_eq!(partition.lost().len(), lost);
    }
}
