//! What a producer and a topic can lose, each with its reason.

use crate::explore::Loss;
use crate::settings::{Acks, Producer, Topic};

/// What may happen to acknowledged records of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// One broker dies.
    pub one: Verdict,
    /// Two brokers die, one after the other.
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
    "documentation, 4.7 Replication",
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
/// What the settings can lose. "Dies" is a killed process: what it wrote is
/// on its disk, or in the page cache. A machine without power may lack its
/// last seconds.
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
    let behind = replicas > min;
    match (min, count, topic.unclean) {
        (1, _, true) => (Loss::Lost, UNCLEAN),
        (1, _, false) => (Loss::Offline, ALL_MAY_BE_ONE),
        (_, 1, _) if topic.eligible => (Loss::Nothing, ANOTHER_HAS_IT),
        (_, 1, false) => (Loss::Offline, LAST_STANDING),
        (_, _, true) if behind => (Loss::Lost, UNCLEAN),
        (_, 1, true) => (Loss::Nothing, EVERY_REPLICA),
        (2, _, true) | (_, _, false) => (Loss::Offline, BOTH_GONE),
        (_, _, true) => (Loss::Nothing, EVERY_REPLICA),
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
        refused_now: topic.in_sync < needed,
        reason,
    }
}

fn notes(producer: &Producer, topic: &Topic) -> Vec<Reason> {
    let asks = producer.acks == Acks::All;
    let min = topic.effective_min_in_sync();
    let all = [
        (topic.in_sync == 1 && topic.replicas > 1, ALONE_NOW),
        (topic.min_in_sync > topic.replicas, MORE_THAN_ALL),
        (asks && min == topic.replicas && min > 1, NO_SPARE),
        (producer.retries == 0, GIVES_UP),
        (producer.retries > 0 && !producer.idempotence, DOUBLES),
        ((1..SESSION_MS).contains(&producer.timeout_ms), IMPATIENT),
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
    use crate::model::Rules;
    use crate::settings::Client;

    /// claim: the-audit-is-the-model
    ///
    /// Each verdict is what a walk through every state finds. One is more careful: a flushed record with
    /// acks=1 is called lost in a power cut, because it hangs on which broker registers first.
    #[test]
    fn each_verdict_is_the_worst_that_can_be_reached() {
        let mut compared = 0;
        for acks in [Acks::None, Acks::Leader, Acks::All] {
            for shape in 0..96_usize {
                let (replicas, min_in_sync) =
                    (1 + shape % 3, 1 + shape / 3 % 4);
                let bit = |at: usize| (shape / 12) >> at & 1 == 1;
                let (unclean, eligible, flushed) = (bit(0), bit(1), bit(2));
                let topic = Topic {
                    replicas,
                    in_sync: replicas,
                    min_in_sync,
                    unclean,
                    eligible,
                    flush_messages: if flushed { 1 } else { 10_000 },
                    ..Topic::default()
                };
                let rules = Rules {
                    replicas,
                    min_in_sync,
                    unclean,
                    eligible,
                    flushed,
                };
                let producer =
                    Producer { acks, ..Producer::of(Client::Librdkafka) };
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
                let careful =
                    acks == Acks::Leader && flushed && replicas > 1;
                assert!(
                    said == is || careful && said > is,
                    "power cut, {acks} {topic:?}: {said:?}, {is:?}"
                );
                compared += 3;
            }
        }
        assert_eq!(compared, 864);
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
            (writes.spare, writes.refused_now)
        };
        assert_eq!(writes(Acks::All), (1, true));
        assert_eq!(writes(Acks::Leader), (2, false));
        assert_eq!(writes(Acks::None), (2, false));
    }

    #[test]
    fn a_minimum_above_the_replicas_asks_for_all_of_them() {
        let topic = Topic { min_in_sync: 2, ..Topic::default() };
        let java = Producer::of(Client::Java);
        let audit = audit(&java, &topic);
        assert_eq!(audit.notes, [MORE_THAN_ALL]);
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
        let producer = Producer {
            timeout_ms: 5_000,
            ..Producer::of(Client::Librdkafka)
        };
        let expected = [ALONE_NOW, NO_SPARE, DOUBLES, IMPATIENT, FLUSH_MS];
        assert_eq!(audit(&producer, &topic).notes, expected);
        let quiet = Topic { replicas: 3, in_sync: 3, ..Topic::default() };
        let java = Producer::of(Client::Java);
        assert_eq!(audit(&java, &quiet).notes, []);
        let hasty = Producer { retries: 0, ..java };
        assert_eq!(audit(&hasty, &quiet).notes, [GIVES_UP]);
    }
}
