//! Everything that can happen to one record, within so many failures.
//!
//! The state machine of [`model`](crate::model) is small enough to be walked through whole: a breadth-first
//! search over every order of events finds the worst that can happen, and the shortest way to it.

use std::collections::{HashMap, VecDeque};

use crate::model::{Event, Partition, Rules};
use crate::settings::Acks;

/// What becomes of an acknowledged record, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loss {
    /// It can be read.
    Nothing,
    /// Nobody leads the partition: it can be read again when a broker that has it is back, and is gone
    /// with that broker's disk.
    Offline,
    /// Another record stands at its offset, or none does: it is gone, even when every broker comes back.
    Lost,
}

/// What may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failures {
    /// This many times a broker dies, and perhaps comes back. Followers may fall behind at any time: that
    /// is no failure.
    Brokers(usize),
    /// Every broker loses power at once; all come back, in any order.
    PowerCut,
}

/// The worst that can happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worst {
    /// How bad it is.
    pub loss: Loss,
    /// The fewest events that lead to it; empty where nothing is lost.
    pub story: Vec<Event>,
    /// How many states there are.
    pub states: usize,
}

/// A state on the way: the partition, whether its one record was sent, and how much may still fail.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Step {
    partition: Partition,
    sent: bool,
    left: usize,
}

/// Walks through every state that one record can come into.
///
/// With three replicas that is some thousand states, and takes some milliseconds. The number of states
/// grows steeply with the replicas: for more than five of them use fewer failures.
pub fn worst(rules: &Rules, acks: Acks, failures: Failures) -> Worst {
    let left = match failures {
        Failures::Brokers(count) => count,
        Failures::PowerCut => 1,
    };
    let first =
        Step { partition: Partition::new(rules), sent: false, left };
    let mut steps = vec![first.clone()];
    let mut known = HashMap::from([(first, 0_usize)]);
    let mut came: Vec<Option<(usize, Event)>> = vec![None];
    let mut queue = VecDeque::from([0_usize]);
    let mut found: (Loss, Option<usize>) = (Loss::Nothing, None);
    while let Some(at) = queue.pop_front() {
        let step = steps[at].clone();
        let loss = judge(&step, failures);
        if loss > found.0 {
            found = (loss, Some(at));
        }
        for event in events(&step, rules, acks, failures) {
            let mut next = step.clone();
            next.partition.apply(rules, event);
            match event {
                Event::Send(_) => next.sent = true,
                Event::Kill(_) | Event::PowerCut => next.left -= 1,
                _ => {}
            }
            if !known.contains_key(&next) {
                known.insert(next.clone(), steps.len());
                queue.push_back(steps.len());
                came.push(Some((at, event)));
                steps.push(next);
            }
        }
    }
    let mut story = Vec::new();
    let mut at = found.1;
    while let Some((before, event)) = at.and_then(|at| came[at]) {
        story.push(event);
        at = Some(before);
    }
    story.reverse();
    Worst { loss: found.0, story, states: steps.len() }
}

fn events(
    step: &Step,
    rules: &Rules,
    acks: Acks,
    failures: Failures,
) -> Vec<Event> {
    let mut events = Vec::new();
    if !step.sent {
        events.push(Event::Send(acks));
    }
    for at in 0..rules.replicas.max(1) {
        events.extend([Event::Fetch(at), Event::Shrink(at)]);
        events.push(Event::Restart(at));
        if step.left > 0 && failures != Failures::PowerCut {
            events.push(Event::Kill(at));
        }
    }
    if step.left > 0 && failures == Failures::PowerCut {
        events.push(Event::PowerCut);
    }
    events.retain(|event| step.partition.can(*event));
    events
}

/// How bad a state is.
fn judge(step: &Step, failures: Failures) -> Loss {
    let partition = &step.partition;
    if partition.acknowledged().is_empty() {
        return Loss::Nothing;
    }
    let in_a_log = |record: &u32| {
        let mut logs = partition.logs().iter();
        logs.any(|log| log.entries.iter().any(|e| e.record == *record))
    };
    if !partition.acknowledged().iter().all(in_a_log)
        || !partition.lost().is_empty()
    {
        return Loss::Lost;
    }
    let power_is_back = failures != Failures::PowerCut
        || partition.logs().iter().all(|log| log.alive);
    match partition.leader() {
        None if power_is_back => Loss::Offline,
        _ => Loss::Nothing,
    }
}
