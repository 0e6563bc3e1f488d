//! What a producer and a topic can lose, each with its reason.

use crate::explore::Loss;
use crate::settings::{Acks, Producer, Topic};

/// What may happen to acknowledged records of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// One broker dies, beside those whose replicas are out of sync now.
    pub one: Verdict,
    /// Two brokers die, one after the other, beside those whose replicas are out of sync now.
    pub two: Verdict,
    /// Every broker loses power at once.
    pub power: Verdict,
    /// When sends are refused.
    pub writes: Writes,
    /// What else the settings mean.
    pub notes: Vec<Reason>,
}

/// How bad it can be, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The worst that can happen.
    pub loss: Loss,
    /// What makes it so.
    pub reason: Reason,
}

/// Why something is so, and where that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// In one or two sentences.
    pub says: &'static str,
    /// A KIP, or a property in Kafka's or librdkafka's documentation.
    pub source: &'static str,
}

/// When a partition takes records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writes {
    /// How many of the replicas' brokers may be gone while records are still taken.
    pub spare: usize,
    /// How many more may go now: of those that are in sync.
    pub spare_now: usize,
    /// Whether records are refused now, because too few replicas are in sync.
    pub refused_now: bool,
    /// What makes it so.
    pub reason: Reason,
}

const fn because(says: &'static str, source: &'static str) -> Reason {
    Reason { says, source }
}

const ONE_DISK: Reason = because(
    "there is one replica: while its broker is down nobody has the records, and with its disk they are gone",
    "documentation, Design, Replication",
);
const NO_ANSWER: Reason = because(
    "acks=0: the client says Ok before any broker has answered, so nobody need have the record",
    "producer configuration acks",
);
const LEADER_ONLY: Reason = because(
    "acks=1: the leader says Ok when it alone has the record; a follower that becomes leader makes it cut its log back. min.insync.replicas is not asked",
    "producer configuration acks; KIP-101",
);
const ALL_MAY_BE_ONE: Reason = because(
    "acks=all waits for all that are in sync, and min.insync.replicas=1 lets that be the leader alone; only it may lead again",
    "topic configuration min.insync.replicas",
);
const UNCLEAN: Reason = because(
    "unclean.leader.election.enable=true: a replica that lacks acknowledged records may lead, and the others cut their logs back to its end",
    "topic configuration unclean.leader.election.enable",
);
const ANOTHER_HAS_IT: Reason = because(
    "what is acknowledged is on min.insync.replicas brokers, and only a replica that has it may lead",
    "topic configuration min.insync.replicas; KIP-966",
);
const LAST_STANDING: Reason = because(
    "without eligible leader replicas (KIP-966) the last replica in the in-sync set is the only one that may lead",
    "KIP-966",
);
const BOTH_GONE: Reason = because(
    "both brokers that have the record may be down; the partition waits for one of them",
    "KIP-966",
);
const EVERY_REPLICA: Reason = because(
    "what is acknowledged is on every replica, so that any of them may lead",
    "topic configuration min.insync.replicas",
);
const FEW_NOW: Reason = because(
    "no more replicas are in sync now than may die: until the others are back, perhaps nobody else may lead",
    "KIP-966",
);
const NOT_ON_DISK: Reason = because(
    "an acknowledged record is in the brokers' page cache; Kafka leaves it to the operating system when it goes to disk",
    "topic configuration flush.messages",
);
const FLUSHED: Reason = because(
    "flush.messages=1: a replica has the record on disk before it counts",
    "topic configuration flush.messages",
);
const FLUSHED_ON_ONE: Reason = because(
    "flush.messages=1 puts the record on the leader's disk, and acks=1 asks for no other: another replica may lead when power is back",
    "producer configuration acks",
);
const DOUBLES: Reason = because(
    "enable.idempotence=false with retries: a record whose answer was lost with the leader may stand in the log twice",
    "KIP-98",
);
const GIVES_UP: Reason = because(
    "no retries: a send that meets an election fails, although the next leader is there seconds later",
    "producer configuration retries",
);
const IMPATIENT: Reason = because(
    "the time-out is shorter than a failover with Kafka's default broker.session.timeout.ms of 9000: sends fail, and their records may be in the log all the same",
    "broker configuration broker.session.timeout.ms",
);
const ONE_MACHINE: Reason = because(
    "the last copy may be on one machine: if it loses power, not only its process, its last seconds are gone, and it leads all the same",
    "topic configuration flush.messages; KIP-966",
);
const NOT_ASKED: Reason = because(
    "min.insync.replicas refuses sends with acks=all only; it keeps others' records from consumers, because the high watermark stands still while fewer are in sync",
    "topic configuration min.insync.replicas",
);
const NO_LEADER_NOW: Reason = because(
    "a partition has no replica in sync, and so no leader now: its records wait for a broker",
    "KIP-966",
);
const ALONE_NOW: Reason = because(
    "one replica is in sync now: at this moment \"all\" is one",
    "topic configuration min.insync.replicas",
);
const FLUSH_MS: Reason = because(
    "flush.ms is set: it acts only where the brokers set log.flush.scheduler.interval.ms, which is never by default; a power cut then loses up to both together",
    "broker configuration log.flush.scheduler.interval.ms",
);
const MORE_THAN_ALL: Reason = because(
    "min.insync.replicas is greater than the number of replicas: brokers ask for all of them, and no more",
    "KIP-966",
);
const NO_SPARE: Reason = because(
    "min.insync.replicas equals the number of replicas: one broker that is down for an update stops every write",
    "topic configuration min.insync.replicas",
);

/// Kafka's default of `broker.session.timeout.ms`.
const SESSION_MS: u64 = 9_000;

// ANCHOR: audit
/// What the settings can lose, from what is in sync now. "Dies" is a killed
/// process: what it wrote is on its disk, or in the page cache. A machine
/// without power may lack its last seconds.
pub fn audit(producer: &Producer, topic: &Topic) -> Audit {
    let verdict = |(loss, reason)| Verdict { loss, reason };
    Audit {
        one: verdict(failures(producer, topic, 1)),
        two: verdict(failures(producer, topic, 2)),
        power: verdict(power_cut(producer, topic)),
        writes: writes(producer, topic),
        notes: notes(producer, topic),
    }
}
// ANCHOR_END: audit

fn failures(
    producer: &Producer,
    topic: &Topic,
    count: usize,
) -> (Loss, Reason) {
    let (replicas, min) = (topic.replicas, topic.effective_min_in_sync());
    match producer.acks {
        Acks::None => return (Loss::Lost, NO_ANSWER),
        _ if replicas == 1 => return (Loss::Offline, ONE_DISK),
        Acks::Leader => return (Loss::Lost, LEADER_ONLY),
        Acks::All => {}
    }
    // Whether a replica may lack what is acknowledged.
    let behind = replicas > min;
    let found = match (min, count, topic.unclean) {
        (1, _, true) => (Loss::Lost, UNCLEAN),
        (1, _, false) => (Loss::Offline, ALL_MAY_BE_ONE),
        _ if topic.eligible && count < min => {
            (Loss::Nothing, ANOTHER_HAS_IT)
        }
        (_, _, true) if behind => (Loss::Lost, UNCLEAN),
        (_, _, true) if count < min => (Loss::Nothing, EVERY_REPLICA),
        (_, _, false) if !topic.eligible => (Loss::Offline, LAST_STANDING),
        _ => (Loss::Offline, BOTH_GONE),
    };
    // With everybody in sync this would be all. But who is out of sync now may be dead, and an eligible
    // replica that crashed may not lead any more: which of them are, metadata does not say, so none counts.
    match found.0 {
        Loss::Nothing if topic.in_sync > count => found,
        Loss::Nothing if topic.unclean && behind => (Loss::Lost, UNCLEAN),
        Loss::Nothing => (Loss::Offline, FEW_NOW),
        _ => found,
    }
}

fn power_cut(producer: &Producer, topic: &Topic) -> (Loss, Reason) {
    let (replicas, min) = (topic.replicas, topic.effective_min_in_sync());
    match producer.acks {
        Acks::None => (Loss::Lost, NO_ANSWER),
        _ if !topic.flushed() => (Loss::Lost, NOT_ON_DISK),
        // With one replica there is nobody else to lead.
        Acks::Leader if replicas > 1 => (Loss::Lost, FLUSHED_ON_ONE),
        Acks::All if topic.unclean && replicas > min => {
            (Loss::Lost, UNCLEAN)
        }
        _ => (Loss::Nothing, FLUSHED),
    }
}

fn writes(producer: &Producer, topic: &Topic) -> Writes {
    let asks = producer.acks == Acks::All;
    let needed =
        if asks { topic.effective_min_in_sync().max(1) } else { 1 };
    let reason = if asks {
        because(
            "with acks=all a send is refused (NOT_ENOUGH_REPLICAS) while fewer than min.insync.replicas are in sync",
            "topic configuration min.insync.replicas",
        )
    } else {
        because(
            "min.insync.replicas is asked for acks=all only: a leader is enough",
            "topic configuration min.insync.replicas",
        )
    };
    Writes {
        spare: topic.replicas.saturating_sub(needed),
        spare_now: topic.in_sync.saturating_sub(needed),
        refused_now: topic.in_sync < needed,
        reason,
    }
}

fn notes(producer: &Producer, topic: &Topic) -> Vec<Reason> {
    let (replicas, in_sync) = (topic.replicas, topic.in_sync);
    let min = topic.effective_min_in_sync();
    let asks = producer.acks == Acks::All;
    // With acks=0 no answer can be late, lost or refused.
    let answered = producer.acks != Acks::None;
    let again = producer.retries > 0;
    let alone = replicas == 1 || asks && min == 1;
    let hasty = (1..SESSION_MS).contains(&producer.timeout_ms);
    let all = [
        (in_sync == 0, NO_LEADER_NOW),
        (asks && in_sync == 1 && min == 1 && replicas > 1, ALONE_NOW),
        (topic.min_in_sync > replicas, MORE_THAN_ALL),
        (asks && min == replicas && min > 1, NO_SPARE),
        (!asks && min > 1, NOT_ASKED),
        (answered && !topic.flushed() && alone, ONE_MACHINE),
        (answered && !again, GIVES_UP),
        (answered && again && !producer.idempotence, DOUBLES),
        (answered && hasty, IMPATIENT),
        (topic.flush_ms < i64::MAX as u64, FLUSH_MS),
    ];
    all.into_iter()
        .filter_map(|(holds, reason)| holds.then_some(reason))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::{Failures, worst};
    use crate::model::{Event, Partition, Rules};
    use crate::settings::Client;

    fn topic_of(rules: &Rules) -> Topic {
        Topic {
            replicas: rules.replicas,
            in_sync: rules.replicas,
            min_in_sync: rules.min_in_sync,
            unclean: rules.unclean,
            eligible: rules.eligible,
            flush_messages: if rules.flushed { 1 } else { 10_000 },
            ..Topic::default()
        }
    }

    /// Every combination of settings with so many replicas.
    fn all_rules(replicas: usize) -> impl Iterator<Item = Rules> {
        (0..8 * 4_usize).map(move |shape| {
            let bit = |at: usize| shape >> at & 1 == 1;
            let (unclean, eligible, flushed) = (bit(0), bit(1), bit(2));
            let min_in_sync = 1 + shape / 8;
            Rules { replicas, min_in_sync, unclean, eligible, flushed }
        })
    }

    /// claim: the-audit-is-the-model
    ///
    /// Each verdict is what a walk through every state finds. One is more careful: a flushed record with
    /// acks=1 is called lost in a power cut, because it hangs on which broker registers first.
    #[test]
    fn each_verdict_is_the_worst_that_can_be_reached() {
        let mut compared = 0;
        for acks in [Acks::None, Acks::Leader, Acks::All] {
            let producer =
                Producer { acks, ..Producer::of(Client::Librdkafka) };
            for rules in (1..=3).flat_map(all_rules) {
                let topic = topic_of(&rules);
                let audit = audit(&producer, &topic);
                let found = |failures| worst(&rules, acks, failures).loss;
                let all = [
                    (audit.one.loss, found(Failures::Brokers(1))),
                    (audit.two.loss, found(Failures::Brokers(2))),
                ];
                for (said, is) in all {
                    assert_eq!(said, is, "{acks} {topic:?}");
                }
                let (said, is) =
                    (audit.power.loss, found(Failures::PowerCut));
                let careful = acks == Acks::Leader
                    && rules.flushed
                    && rules.replicas > 1;
                assert!(
                    said == is || careful && said > is,
                    "power cut, {acks} {topic:?}: {said:?}, {is:?}"
                );
                compared += 3;
            }
        }
        assert_eq!(compared, 864);
    }

    /// The same for four replicas, of which the walk has many more states: so for acks=all alone, where the
    /// minimum matters, and without the power cut. What a disk has is nothing that a killed process changes.
    #[test]
    fn each_verdict_holds_with_four_replicas() {
        let producer = Producer::of(Client::Librdkafka);
        for rules in all_rules(4).filter(|rules| !rules.flushed) {
            let topic = topic_of(&rules);
            let audit = audit(&producer, &topic);
            for (count, said) in [(1, audit.one), (2, audit.two)] {
                let is = worst(&rules, Acks::All, Failures::Brokers(count));
                assert_eq!(
                    said.loss, is.loss,
                    "{count} of 4, {rules:?}: {is:?}"
                );
            }
        }
    }

    /// With acks=all and dead processes only an unclean election loses. Where a partition never waits
    /// without it, it changes nothing; so it buys no safety, at most a shorter wait.
    #[test]
    fn an_unclean_election_never_makes_less_be_lost() {
        let producer = Producer::of(Client::Librdkafka);
        for rules in (1..=4).flat_map(all_rules) {
            let with = |unclean| {
                let topic = Topic { unclean, ..topic_of(&rules) };
                let audit = audit(&producer, &topic);
                assert!(audit.one.loss <= audit.two.loss, "{topic:?}");
                [audit.one.loss, audit.two.loss]
            };
            for (clean, unclean) in with(false).into_iter().zip(with(true))
            {
                assert!(clean < Loss::Lost, "{rules:?}");
                if clean == Loss::Nothing {
                    assert_eq!(unclean, Loss::Nothing, "{rules:?}");
                }
            }
        }
    }

    /// Three replicas, a minimum of 2, and one in sync: the machine comes there by two dead brokers. Then
    /// one more is enough, though the settings stand one failure.
    #[test]
    fn who_is_out_of_sync_now_is_not_counted_on() {
        let now = |in_sync, unclean| {
            let topic = Topic {
                replicas: 3,
                in_sync,
                min_in_sync: 2,
                unclean,
                ..Topic::default()
            };
            let audit = audit(&Producer::of(Client::Java), &topic);
            (audit.one, audit.two.loss)
        };
        let verdict = |loss, reason| Verdict { loss, reason };
        let safe = verdict(Loss::Nothing, ANOTHER_HAS_IT);
        for unclean in [false, true] {
            let worst = if unclean { Loss::Lost } else { Loss::Offline };
            assert_eq!(now(3, unclean), (safe.clone(), worst));
            assert_eq!(now(2, unclean), (safe.clone(), worst));
            let reason = if unclean { UNCLEAN } else { FEW_NOW };
            assert_eq!(now(1, unclean).0, verdict(worst, reason));
            assert_eq!(now(0, unclean).0, verdict(worst, reason));

            let rules = Rules {
                replicas: 3,
                min_in_sync: 2,
                unclean,
                eligible: true,
                flushed: false,
            };
            let mut partition = Partition::new(&rules);
            for event in [
                Event::Kill(1),
                Event::Send(Acks::All),
                Event::Fetch(2),
                Event::Kill(2),
                Event::Restart(1),
            ] {
                partition.apply(&rules, event);
            }
            assert_eq!(partition.in_sync(), &[0].into());
            assert_eq!(partition.acknowledged().len(), 1);
            partition.apply(&rules, Event::Kill(0));
            assert_eq!(partition.leader(), unclean.then_some(1));
            assert_eq!(partition.lost().len(), usize::from(unclean));
        }
    }

    #[test]
    fn sends_are_refused_by_acks_all_only() {
        let topic = Topic {
            replicas: 3,
            in_sync: 1,
            min_in_sync: 2,
            ..Topic::default()
        };
        let writes = |acks| {
            let producer = Producer { acks, ..Producer::of(Client::Java) };
            let writes = audit(&producer, &topic).writes;
            (writes.spare, writes.spare_now, writes.refused_now)
        };
        assert_eq!(writes(Acks::All), (1, 0, true));
        assert_eq!(writes(Acks::Leader), (2, 0, false));
        assert_eq!(writes(Acks::None), (2, 0, false));
    }

    #[test]
    fn a_minimum_above_the_replicas_asks_for_all_of_them() {
        let topic = Topic { min_in_sync: 2, ..Topic::default() };
        let java = Producer::of(Client::Java);
        let audit = audit(&java, &topic);
        assert_eq!(audit.notes, [MORE_THAN_ALL, ONE_MACHINE]);
        assert!(!audit.writes.refused_now);
        assert_eq!(audit.one.loss, Loss::Offline);
    }

    #[test]
    fn notes_say_what_else_the_settings_mean() {
        let topic = Topic {
            replicas: 2,
            in_sync: 1,
            min_in_sync: 2,
            flush_ms: 1_000,
            ..Topic::default()
        };
        let hasty = Producer {
            timeout_ms: 5_000,
            ..Producer::of(Client::Librdkafka)
        };
        let expected = [NO_SPARE, DOUBLES, IMPATIENT, FLUSH_MS];
        assert_eq!(audit(&hasty, &topic).notes, expected);
        // Nobody answers acks=0, so nothing is said of answers.
        let deaf = Producer { acks: Acks::None, ..hasty };
        assert_eq!(audit(&deaf, &topic).notes, [NOT_ASKED, FLUSH_MS]);

        let java = Producer::of(Client::Java);
        let quiet = Topic {
            replicas: 3,
            in_sync: 3,
            min_in_sync: 2,
            ..Topic::default()
        };
        assert_eq!(audit(&java, &quiet).notes, []);
        let once = Producer { retries: 0, idempotence: false, ..java };
        assert_eq!(audit(&once, &quiet).notes, [GIVES_UP]);
        let leader = Producer { acks: Acks::Leader, ..java };
        assert_eq!(audit(&leader, &quiet).notes, [NOT_ASKED]);
    }

    /// A minimum of 1 leaves the last copy on one machine; whether it is there now, the cluster says.
    #[test]
    fn notes_say_how_it_stands_now() {
        let java = Producer::of(Client::Java);
        let now = |in_sync| {
            let topic = Topic { replicas: 3, in_sync, ..Topic::default() };
            audit(&java, &topic).notes
        };
        assert_eq!(now(3), [ONE_MACHINE]);
        assert_eq!(now(1), [ALONE_NOW, ONE_MACHINE]);
        assert_eq!(now(0), [NO_LEADER_NOW, ONE_MACHINE]);
        let on_disk = Topic { flush_messages: 1, ..Topic::default() };
        assert_eq!(audit(&java, &on_disk).notes, []);
    }
}
