//! Replication of one partition as an exact state machine: a leader, followers, and what the
//! controller does when a broker dies.
//!
//! What is modelled is Kafka 4: leader epochs cut a returning replica's log back to what the new leader
//! has (KIP-101, KIP-279), and replicas that left the in-sync set with everything committed stay
//! electable (eligible leader replicas, KIP-966). What is not modelled is time: a follower falls behind,
//! a broker dies or comes back when an event says so.
//!
//! The crate's tests hold the verdicts of [`audit`](crate::audit()) against every state that this machine
//! can reach, and this machine against real brokers.

use std::collections::BTreeSet;

use crate::settings::Acks;

/// The place of a broker in the partition's list of replicas, from 0.
pub type Replica = usize;

/// What holds for the partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rules {
    /// How many replicas there are, at least 1.
    pub replicas: usize,
    /// `min.insync.replicas`; brokers ask for no more than there are replicas.
    pub min_in_sync: usize,
    /// `unclean.leader.election.enable`.
    pub unclean: bool,
    /// Whether eligible leader replicas (KIP-966) are switched on: the default of a cluster that was
    /// made with Kafka 4.1 or newer.
    pub eligible: bool,
    /// Whether each record is flushed to disk before it is acknowledged (`flush.messages=1`).
    pub flushed: bool,
}

impl Rules {
    /// Whether so many in-sync replicas are fewer than must have a record.
    fn too_few(&self, in_sync: &BTreeSet<Replica>) -> bool {
        in_sync.len() < self.min_in_sync.min(self.replicas)
    }
}

/// A record in a log: what it is, and in which leader's time it was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// The record.
    pub record: u32,
    /// The leader epoch in which it was appended.
    pub epoch: u32,
}

/// One replica's own state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Log {
    /// Its records; the length is its log end offset.
    pub entries: Vec<Entry>,
    /// Whether its broker runs.
    pub alive: bool,
    /// Whether its broker went down without a clean shutdown since it last registered.
    pub unclean_shutdown: bool,
}

// ANCHOR: event
/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A producer sends one record.
    Send(Acks),
    /// A follower fetches the next record from the leader, or cuts its log
    /// back to what the leader has.
    Fetch(Replica),
    /// The leader takes a follower that is behind out of the in-sync set.
    Shrink(Replica),
    /// A broker dies: its process is gone, its disk is not.
    Kill(Replica),
    /// A broker that is down starts again.
    Restart(Replica),
    /// Every broker loses power: what no disk has is gone.
    PowerCut,
}
// ANCHOR_END: event

/// What became of a [`Event::Send`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The producer has its Ok.
    Acknowledged,
    /// It is in the leader's log, and acknowledged when the high watermark has passed it.
    Waiting,
    /// `NOT_ENOUGH_REPLICAS`: it is in no log.
    NotEnoughReplicas,
    /// There is no leader to send to; the producer tries again, and in the end gives up.
    NoLeader,
}

/// The partition between two events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    logs: Vec<Log>,
    leader: Option<Replica>,
    epoch: u32,
    in_sync: BTreeSet<Replica>,
    eligible: BTreeSet<Replica>,
    last_leader: Option<Replica>,
    high_watermark: usize,
    waiting: BTreeSet<u32>,
    acknowledged: BTreeSet<u32>,
    sent: u32,
    unclean_elections: u32,
}

impl Partition {
    /// A new partition: empty logs, all replicas in sync, the first of them leads.
    pub fn new(rules: &Rules) -> Self {
        let log = Log {
            entries: Vec::new(),
            alive: true,
            unclean_shutdown: false,
        };
        Self {
            logs: vec![log; rules.replicas.max(1)],
            leader: Some(0),
            epoch: 0,
            in_sync: (0..rules.replicas.max(1)).collect(),
            eligible: BTreeSet::new(),
            last_leader: None,
            high_watermark: 0,
            waiting: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            sent: 0,
            unclean_elections: 0,
        }
    }

    /// Each replica's own state.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// Who leads, if anybody does.
    pub fn leader(&self) -> Option<Replica> {
        self.serving()
    }

    /// How often a leader was elected.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The in-sync replicas, the leader among them.
    pub fn in_sync(&self) -> &BTreeSet<Replica> {
        &self.in_sync
    }

    /// Replicas outside the in-sync set that hold everything committed (KIP-966).
    pub fn eligible(&self) -> &BTreeSet<Replica> {
        &self.eligible
    }

    /// The offset below which records are committed: readers get them, and `acks=all` is answered.
    pub fn high_watermark(&self) -> usize {
        self.high_watermark
    }

    /// How many elections took a replica that may lack committed records.
    pub fn unclean_elections(&self) -> u32 {
        self.unclean_elections
    }

    /// Records whose producer has its Ok.
    pub fn acknowledged(&self) -> &BTreeSet<u32> {
        &self.acknowledged
    }

    /// Acknowledged records that the present leader does not have. Empty while nobody leads.
    pub fn lost(&self) -> BTreeSet<u32> {
        let Some(leader) = self.serving() else { return BTreeSet::new() };
        let there: BTreeSet<u32> = self.logs[leader]
            .entries
            .iter()
            .map(|entry| entry.record)
            .collect();
        self.acknowledged.difference(&there).copied().collect()
    }

    /// Whether an event can happen now. A send always can.
    pub fn can(&self, event: Event) -> bool {
        let known = |replica: Replica| replica < self.logs.len();
        match event {
            Event::Send(_) => true,
            Event::Fetch(replica) => {
                known(replica)
                    && self.logs[replica].alive
                    && self
                        .serving()
                        .is_some_and(|leader| leader != replica)
                    && !self.is_level(replica)
            }
            Event::Shrink(replica) => {
                self.in_sync.contains(&replica)
                    && self
                        .serving()
                        .is_some_and(|leader| leader != replica)
            }
            Event::Kill(replica) => {
                known(replica) && self.logs[replica].alive
            }
            Event::Restart(replica) => {
                known(replica) && !self.logs[replica].alive
            }
            Event::PowerCut => self.logs.iter().any(|log| log.alive),
        }
    }

    /// Lets an event happen. One that cannot happen now changes nothing.
    /// For a send, says what became of it.
    pub fn apply(
        &mut self,
        rules: &Rules,
        event: Event,
    ) -> Option<Outcome> {
        if !self.can(event) {
            return None;
        }
        match event {
            Event::Send(acks) => return Some(self.send(rules, acks)),
            Event::Fetch(replica) => self.fetch(rules, replica),
            Event::Shrink(replica) => {
                self.in_sync.remove(&replica);
                self.remember(rules, [replica].into());
            }
            Event::Kill(replica) => {
                self.logs[replica].alive = false;
                self.logs[replica].unclean_shutdown = true;
                self.controller(rules);
            }
            Event::Restart(replica) => self.restart(rules, replica),
            Event::PowerCut => self.power_cut(rules),
        }
        self.advance(rules);
        None
    }

    fn send(&mut self, rules: &Rules, acks: Acks) -> Outcome {
        let record = self.sent;
        self.sent += 1;
        let Some(leader) = self.serving() else {
            // acks=0: the client has its Ok when the bytes have left it.
            if acks == Acks::None {
                self.acknowledged.insert(record);
                return Outcome::Acknowledged;
            }
            return Outcome::NoLeader;
        };
        // Only acks=all asks how many replicas are in sync.
        if acks == Acks::All && rules.too_few(&self.in_sync) {
            return Outcome::NotEnoughReplicas;
        }
        let entry = Entry { record, epoch: self.epoch };
        self.logs[leader].entries.push(entry);
        if acks == Acks::All {
            self.waiting.insert(record);
        } else {
            self.acknowledged.insert(record);
        }
        self.advance(rules);
        match self.acknowledged.contains(&record) {
            true => Outcome::Acknowledged,
            false => Outcome::Waiting,
        }
    }

    /// One step of a follower towards the leader's log: records that the leader does not have go
    /// first, then one record is copied. Who has caught up is in sync again.
    fn fetch(&mut self, rules: &Rules, follower: Replica) {
        let Some(leader) = self.leader else { return };
        let theirs = self.logs[leader].entries.clone();
        let own = &mut self.logs[follower].entries;
        let same = own.iter().zip(&theirs).take_while(|(a, b)| a == b);
        let same = same.count();
        if own.len() > same {
            own.truncate(same);
        } else if let Some(next) = theirs.get(same) {
            own.push(*next);
        }
        if self.logs[follower].entries == theirs {
            self.in_sync.insert(follower);
            self.remember(rules, BTreeSet::new());
        }
    }

    /// The leader, if it runs: after a power cut the controller's books still name one.
    fn serving(&self) -> Option<Replica> {
        self.leader.filter(|leader| self.logs[*leader].alive)
    }

    fn is_level(&self, replica: Replica) -> bool {
        self.in_sync.contains(&replica)
            && self.leader.is_none_or(|leader| {
                self.logs[leader].entries == self.logs[replica].entries
            })
    }

    /// The high watermark is the shortest log of the in-sync replicas.
    /// It stands still while fewer than `min.insync.replicas` are in sync.
    fn advance(&mut self, rules: &Rules) {
        let Some(leader) = self.leader else { return };
        if rules.too_few(&self.in_sync) {
            return;
        }
        // What a follower has beside the leader's log does not count: a new leader knows nothing of its
        // followers until they fetch.
        let log = &self.logs[leader].entries;
        let same = |at: &Replica| {
            let own = &self.logs[*at].entries;
            own.iter().zip(log).take_while(|(a, b)| a == b).count()
        };
        let end = self.in_sync.iter().map(same).min().unwrap_or_default();
        self.high_watermark = self.high_watermark.max(end);
        for entry in &log[..self.high_watermark.min(log.len())] {
            if self.waiting.remove(&entry.record) {
                self.acknowledged.insert(entry.record);
            }
        }
    }

    /// Keeps the set of eligible leader replicas after the in-sync set has changed: who left it while
    /// fewer than `min.insync.replicas` stayed has everything that was committed, because nothing can be
    /// committed without it.
    fn remember(&mut self, rules: &Rules, left: BTreeSet<Replica>) {
        if !rules.eligible || !rules.too_few(&self.in_sync) {
            self.eligible.clear();
            return;
        }
        self.eligible.extend(left);
        self.eligible.retain(|at| !self.in_sync.contains(at));
    }

    /// The controller looks at who is alive: the dead leave the in-sync set, and a partition without a
    /// living leader gets one if there is one to get.
    fn controller(&mut self, rules: &Rules) {
        let dead: BTreeSet<Replica> = self
            .in_sync
            .iter()
            .copied()
            .filter(|at| !self.logs[*at].alive)
            .collect();
        for at in &dead {
            // Without KIP-966 the last of the in-sync replicas stays in the set, alive or not.
            if rules.eligible || self.in_sync.len() > 1 {
                self.in_sync.remove(at);
            }
        }
        self.remember(rules, dead);
        if let Some(leader) = self.leader
            && !self.logs[leader].alive
        {
            self.last_leader = Some(leader);
            self.leader = None;
        }
        if self.leader.is_none() {
            self.elect(rules);
        }
    }

    /// Who leads now: an in-sync replica; where that set is empty, an eligible one; the last leader when
    /// nobody else is known to have everything (a clean election here, though Kafka logs it as unclean: only
    /// a power failure takes from its log); or, if it is allowed, whoever is alive.
    fn elect(&mut self, rules: &Rules) {
        let alive = |at: &Replica| self.logs[*at].alive;
        let replicas = || 0..self.logs.len();
        // The dead have left the in-sync set by now, so that it is empty where none of it lives. (Without
        // KIP-966 its last member stays, and nobody is eligible.)
        let known = match self.in_sync.is_empty() {
            true => &self.eligible,
            false => &self.in_sync,
        };
        let clean = replicas().find(|at| alive(at) && known.contains(at));
        let nobody = self.in_sync.is_empty() && self.eligible.is_empty();
        let last = self
            .last_leader
            .filter(|at| rules.eligible && nobody && alive(at));
        let any = replicas().find(|at| rules.unclean && alive(at));
        let Some(leader) = clean.or(last).or(any) else { return };
        if clean.or(last).is_none() {
            self.unclean_elections += 1;
        }
        if !self.in_sync.contains(&leader) {
            self.in_sync = [leader].into();
        }
        self.leader = Some(leader);
        self.last_leader = None;
        self.epoch += 1;
        // What no leader has any more is not acknowledged later: its
        // producer is answered with an error, and sends again.
        let end = self.logs[leader].entries.len();
        self.high_watermark = self.high_watermark.min(end);
        let there = &self.logs[leader].entries;
        self.waiting.retain(|record| {
            there.iter().any(|entry| entry.record == *record)
        });
        self.remember(rules, BTreeSet::new());
    }

    fn restart(&mut self, rules: &Rules, replica: Replica) {
        self.logs[replica].alive = true;
        // A broker that comes back without a clean shutdown may lack what it had (KIP-966).
        if self.logs[replica].unclean_shutdown && rules.eligible {
            if self.in_sync.remove(&replica) && self.leader.is_some() {
                self.last_leader = self.leader;
            }
            self.eligible.remove(&replica);
            if self.leader == Some(replica) {
                self.last_leader = Some(replica);
                self.leader = None;
            }
        }
        self.logs[replica].unclean_shutdown = false;
        self.controller(rules);
    }

    /// All at once: nobody elects anybody, and each disk has what was flushed.
    fn power_cut(&mut self, rules: &Rules) {
        for log in &mut self.logs {
            log.alive = false;
            log.unclean_shutdown = true;
            if !rules.flushed {
                log.entries.clear();
            }
        }
        let end = self.leader.map(|at| self.logs[at].entries.len());
        self.high_watermark =
            self.high_watermark.min(end.unwrap_or_default());
    }
}
