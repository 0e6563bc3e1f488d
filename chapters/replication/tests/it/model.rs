//! Properties of the state machine that hold whatever happens.

use std::collections::BTreeSet;
use std::path::Path;

use logging::{Line, Recording, Value};
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
    /// failures, as long as they come one at a time and each finds three in sync. And there always is a leader: where
    /// nobody is elected, nothing would be missing either.
    #[test]
    fn acks_all_and_two_in_sync_lose_nothing(
        events in prop::collection::vec(event(Acks::All), 1..120),
        eligible: bool,
    ) {
        let rules = rules(2, false, eligible);
        let mut partition = Partition::new(&rules);
        for event in events {
            one_at_a_time(&mut partition, &rules, event);
            prop_assert!(partition.leader().is_some(), "{partition:?}");
            prop_assert!(partition.lost().is_empty(), "{partition:?}");
        }
    }

    /// Without an unclean election no committed record goes, however many brokers die, and the high watermark never
    /// goes back. When all are back, somebody leads, and has them.
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
        for replica in 0..REPLICAS {
            partition.apply(&rules, Event::Restart(replica));
        }
        let Some(leader) = partition.leader() else {
            return Err(TestCaseError::fail(format!("{partition:?}")));
        };
        let log = &partition.logs()[leader].entries;
        prop_assert_eq!(&log[..committed.len()], &committed[..]);
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

fn read(run: &str) -> Recording {
    Recording::parse(run, Path::new("runs")).unwrap()
}

fn number(line: &Line, field: &str) -> i64 {
    line.fields.get(field).and_then(Value::as_int).unwrap()
}

/// What a recorded run came to: the counts of its last line, and who was elected last.
fn recorded(run: &str) -> (i64, i64, i64) {
    let run = read(run);
    let mut lines = run.lines.iter();
    let elected = lines.rfind(|line| line.message == "elected").unwrap();
    let outcome = run.lines.last().unwrap();
    assert_eq!(outcome.message, "outcome");
    (
        number(outcome, "acknowledged"),
        number(outcome, "lost"),
        number(elected, "leader"),
    )
}

/// The same of the state machine; the brokers of the runs are numbered from 1.
fn came_to(partition: &Partition) -> (i64, i64, i64) {
    let leader = partition.leader().map_or(0, |leader| leader + 1);
    let acknowledged = partition.acknowledged().len();
    let lost = partition.lost().len();
    [acknowledged, lost, leader].map(|n| n as i64).into()
}

/// An order that every in-sync follower copies.
fn copied(partition: &mut Partition, rules: &Rules, acks: Acks) {
    partition.apply(rules, Event::Send(acks));
    for follower in 0..rules.replicas {
        partition.apply(rules, Event::Fetch(follower));
    }
}

fn play(partition: &mut Partition, rules: &Rules, events: &[Event]) {
    for event in events {
        assert!(partition.can(*event), "{event:?}: {partition:?}");
        partition.apply(rules, *event);
    }
}

/// claim: the-model-tells-what-the-brokers-did
///
/// The histories of the chapter's recorded runs, told to the state machine: it comes to the same counts and leaders as
/// the brokers did.
#[test]
fn the_model_tells_what_the_brokers_did() {
    let careful = rules(2, false, true);

    // Survive: five copied, the leader dies, five more; the old leader comes back and copies them.
    let mut partition = Partition::new(&careful);
    (0..5).for_each(|_| copied(&mut partition, &careful, Acks::All));
    play(&mut partition, &careful, &[Event::Kill(0)]);
    (0..5).for_each(|_| copied(&mut partition, &careful, Acks::All));
    play(&mut partition, &careful, &[Event::Restart(0)]);
    play(&mut partition, &careful, &[Event::Fetch(0); 5]);
    let run = include_str!("../../runs/survive/1.jsonl");
    assert_eq!(came_to(&partition), recorded(run));
    assert_eq!(partition.in_sync().len(), 3);

    // The leader runs ahead: five copied, five on the leader alone, of which one answers a waiting fetch.
    let mut partition = Partition::new(&careful);
    (0..6).for_each(|_| copied(&mut partition, &careful, Acks::Leader));
    let ahead = [Event::Send(Acks::Leader); 4];
    play(&mut partition, &careful, &ahead);
    let rest = [Event::Kill(0), Event::Restart(0), Event::Fetch(0)];
    play(&mut partition, &careful, &rest);
    let run = include_str!("../../runs/ahead/1.jsonl");
    assert_eq!(came_to(&partition), recorded(run));
    assert_eq!(partition.logs()[0].entries.len(), 6, "cut back");

    // Alone: three on both, three on the leader alone, which dies; the other is back first.
    for (unclean, run) in [
        (false, include_str!("../../runs/alone/1.jsonl")),
        (true, include_str!("../../runs/unclean/1.jsonl")),
    ] {
        let rules = Rules { replicas: 2, ..rules(1, unclean, true) };
        let mut partition = Partition::new(&rules);
        (0..3).for_each(|_| copied(&mut partition, &rules, Acks::All));
        play(&mut partition, &rules, &[Event::Kill(1)]);
        play(&mut partition, &rules, &[Event::Send(Acks::All); 3]);
        let back = [Event::Kill(0), Event::Restart(1)];
        play(&mut partition, &rules, &back);
        assert_eq!(partition.leader(), unclean.then_some(1));
        let empty = partition.in_sync().is_empty();
        assert_eq!(empty, !unclean, "as the brokers' metadata said");
        play(&mut partition, &rules, &[Event::Restart(0)]);
        assert_eq!(came_to(&partition), recorded(run));
    }

    // Single: the machine knows no disk that dies, only a power failure before anything is on it. With one replica that
    // comes to the same.
    let run = include_str!("../../runs/single/1.jsonl");
    let lines = read(run).lines;
    let wiped = lines.iter().position(|line| line.message == "wiped");
    let (before, after) = lines.split_at(wiped.unwrap());
    let sent = |lines: &[Line]| {
        let produced = lines.iter().filter(|l| l.message == "produced");
        vec![Event::Send(Acks::All); produced.count()]
    };
    let rules = Rules { replicas: 1, ..rules(1, false, true) };
    let mut partition = Partition::new(&rules);
    play(&mut partition, &rules, &sent(before));
    let disk = [Event::PowerCut, Event::Restart(0)];
    play(&mut partition, &rules, &disk);
    play(&mut partition, &rules, &sent(after));
    assert_eq!(came_to(&partition), recorded(run));
}
