//! Made-up histories: those that must be equal, and those that must not.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::recording::Header;

/// A history in short: `process message field=value …` a line.
fn history(text: &str) -> Recording {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.zip(0..).map(|(text, t_ms)| {
        let mut words = text.split(' ');
        let process = words.next().unwrap();
        let line =
            Line::new(t_ms, words.next().unwrap()).with("process", process);
        words.fold(line, |line, word| {
            let (name, value) = word.split_once('=').unwrap();
            match value.parse::<i64>() {
                Ok(number) => line.with(name, number),
                Err(_) => line.with(name, value),
            }
        })
    });
    Recording { header: Header::default(), lines: lines.collect() }
}

fn rules(text: &str) -> Moments {
    Moments::parse(text, Path::new("moments.toml")).unwrap()
}

fn sentences(recorded: &str, new: &str, moments: &str) -> Vec<String> {
    let found = compare(&history(recorded), &history(new), &rules(moments));
    found.iter().map(Difference::to_string).collect()
}

const KILL: &str = "
    [[moments]]
    name = 'killed'
    caption = 'packer-2 is killed.'
    when = { message = 'killed' }

    [[moments]]
    name = 'read again'
    caption = 'Its first record is read by another.'
    when = { message = 'consumed', process = 'packer-1', partition = 1 }
";

const SHOP: &str = "
    checkout started
    checkout produced topic=orders key=a correlation_id=c-1
    checkout produced topic=orders key=b correlation_id=c-2
    checkout acknowledged topic=orders partition=0 offset=0 correlation_id=c-1
    checkout acknowledged topic=orders partition=1 offset=0 correlation_id=c-2
    packer-1 assigned topic=orders partition=0 member_id=p1-77
    packer-2 assigned topic=orders partition=1 member_id=p2-78
    packer-1 consumed topic=orders partition=0 offset=0 correlation_id=c-1
    packer-2 consumed topic=orders partition=1 offset=0 correlation_id=c-2 duration_ms=20
    packer-2 retried topic=orders partition=1 attempt=1
    packer-2 retried topic=orders partition=1 attempt=2
    chaos killed victim=packer-2 broker=3
    packer-1 consumed topic=orders partition=1 offset=0 correlation_id=c-2
    packer-1 committed topic=orders partition=1 offset=1
    packer-1 stopped
    checkout outcome sent=2 consumed=3 lost=0 twice=1
";

/// The same shop on another day.
const ANOTHER_DAY: &str = "
    packer-2 assigned topic=orders partition=0 member_id=x
    packer-2 assigned topic=orders partition=1 member_id=x
    checkout started
    checkout produced topic=orders key=a correlation_id=d-9
    checkout produced topic=orders key=b correlation_id=d-8
    checkout acknowledged topic=orders partition=1 offset=0 correlation_id=d-8
    packer-2 consumed topic=orders partition=1 offset=0 correlation_id=d-8 duration_ms=900
    checkout acknowledged topic=orders partition=0 offset=0 correlation_id=d-9
    packer-2 retried topic=orders partition=1 attempt=1
    chaos killed victim=packer-2 broker=1
    packer-1 consumed topic=orders partition=1 offset=0 correlation_id=d-8
    packer-1 consumed topic=orders partition=0 offset=0 correlation_id=d-9
    packer-1 stopped
    checkout outcome sent=2 consumed=3 lost=0 twice=1
";

#[test]
fn equal_a_run_and_itself() {
    assert_eq!(sentences(SHOP, SHOP, KILL), [""; 0]);
}

#[test]
fn equal_other_interleavings_names_repetitions_and_what_timing_decides() {
    assert_eq!(sentences(SHOP, ANOTHER_DAY, KILL), [""; 0]);
    assert_eq!(sentences(ANOTHER_DAY, SHOP, KILL), [""; 0]);
}

/// One change to the new run, and what must be said of it.
fn after(from: &str, to: &str) -> Vec<String> {
    assert!(ANOTHER_DAY.contains(from), "{from}");
    sentences(SHOP, &ANOTHER_DAY.replacen(from, to, 1), KILL)
}

#[test]
fn unequal_order_inside_a_group() {
    let found = sentences(
        "a consumed topic=t partition=0 offset=0\na consumed topic=t partition=0 offset=1\na outcome n=2",
        "a consumed topic=t partition=0 offset=1\na consumed topic=t partition=0 offset=0\na outcome n=2",
        "",
    );
    insta::assert_snapshot!(found.join("\n"), @"
    a on t-0: the recorded line `consumed topic=t partition=0 offset=0` is missing here
    a on t-0: the line `consumed topic=t partition=0 offset=0` was not recorded here
    ");
}

#[test]
fn unequal_a_missing_line() {
    let found = after(
        "packer-1 consumed topic=orders partition=0 offset=0 correlation_id=d-9\n",
        "",
    );
    assert_eq!(
        found,
        [
            "packer-1 on orders-0: the recorded line `consumed topic=orders partition=0 offset=0 correlation_id=c-1` is missing here"
        ]
    );
}

#[test]
fn unequal_a_line_too_many() {
    let stopped = "packer-1 stopped\n";
    let found = after(
        stopped,
        "packer-1 paused topic=orders partition=7\n    packer-1 stopped\n",
    );
    assert_eq!(
        found,
        [
            "packer-1 on orders-7: the line `paused topic=orders partition=7` was not recorded here"
        ]
    );
}

#[test]
fn unequal_a_word_that_the_vocabulary_does_not_know() {
    let found = after("packer-1 stopped\n", "packer-1 stoped\n");
    assert_eq!(
        found,
        [
            "packer-1: expected `stopped`, got `stoped`; lines after it were not compared"
        ]
    );
}

#[test]
fn unequal_an_outcome_off_by_one() {
    assert_eq!(
        after("twice=1", "twice=2"),
        ["outcome: expected twice 1, got 2"]
    );
    assert_eq!(
        after(" lost=0", ""),
        ["outcome: expected lost 0, got nothing"]
    );
    assert_eq!(
        after("lost=0", "lost=none"),
        ["outcome: expected lost 0, got \"none\""]
    );
    assert_eq!(
        after("twice=1", "twice=1 late=4"),
        ["outcome: expected late nothing, got 4"]
    );
}

#[test]
fn unequal_no_outcome_or_not_at_the_end() {
    let line = "checkout outcome sent=2 consumed=3 lost=0 twice=1";
    assert_eq!(
        after(line, ""),
        ["the new run must end with its one outcome line; it has 0"]
    );
    let late = format!(
        "{line}\n    packer-1 committed topic=orders partition=0 offset=1"
    );
    assert_eq!(
        after(line, &late),
        [
            "the new run must end with its one outcome line; it has 1, and other lines after it"
        ]
    );
    let found = sentences("a started", "a started\na outcome n=1", "");
    assert_eq!(
        found,
        ["the recording must end with its one outcome line; it has 0"]
    );
}

#[test]
fn unequal_one_name_for_two_things() {
    // The second order's acknowledgement carries the first order's id.
    let found = after(
        "partition=1 offset=0 correlation_id=d-8",
        "partition=1 offset=0 correlation_id=d-9",
    );
    insta::assert_snapshot!(found.join("\n"), @"checkout on orders-1: `acknowledged topic=orders partition=1 offset=0 correlation_id=c-2`: correlation_id: `d-9` stands where `c-2` was recorded, but `c-2` is `d-8` elsewhere");
}

#[test]
fn unequal_two_names_for_one_thing() {
    let found = sentences(
        "a started correlation_id=x\nb started correlation_id=y\na outcome n=1",
        "a started correlation_id=z\nb started correlation_id=z\na outcome n=1",
        "",
    );
    insta::assert_snapshot!(found.join("\n"), @"b: `started correlation_id=y`: correlation_id: `z` stands where `y` was recorded, but `z` stands for `x` elsewhere");
}

#[test]
fn equal_names_of_different_things_may_be_the_same() {
    let recorded = "a killed broker=1 port=5\na outcome n=1";
    assert_eq!(
        sentences(recorded, "a killed broker=5 port=7\na outcome n=1", ""),
        [""; 0]
    );
}

#[test]
fn unequal_a_chain_that_breaks() {
    let found = after(
        "packer-1 consumed topic=orders partition=0 offset=0 correlation_id=d-9",
        "packer-1 consumed topic=orders partition=0 offset=0",
    );
    assert_eq!(
        found,
        [
            "packer-1 on orders-0: `consumed topic=orders partition=0 offset=0 correlation_id=c-1`: expected correlation_id \"c-1\", got nothing"
        ]
    );
}

#[test]
fn unequal_a_duration_out_of_its_band() {
    let found = after("duration_ms=900", "duration_ms=1201");
    insta::assert_snapshot!(found.join("\n"), @"packer-2 on orders-1: `consumed topic=orders partition=1 offset=0 correlation_id=c-2 duration_ms=20`: expected duration_ms 20, got 1201");
    assert_eq!(after("duration_ms=900", "duration_ms=1200"), [""; 0]);
}

#[test]
fn unequal_too_few_in_a_row() {
    let most = format!(
        "{KILL}\n[lines.retried]\nmultiplicity = {{ at_least = 2 }}"
    );
    let found = sentences(SHOP, ANOTHER_DAY, &most);
    assert_eq!(
        found,
        [
            "packer-2 on orders-1: expected at least 2 of `retried topic=orders partition=1 attempt=1` in a row, got 1"
        ]
    );
    let found =
        after("packer-2 retried topic=orders partition=1 attempt=1\n", "");
    assert_eq!(
        found,
        [
            "packer-2 on orders-1: the recorded line `retried topic=orders partition=1 attempt=1` is missing here"
        ]
    );
}

#[test]
fn unequal_a_moment_out_of_order() {
    let killed = "chaos killed victim=packer-2 broker=1\n";
    let late = format!("packer-1 stopped\n{killed}");
    let new = ANOTHER_DAY.replacen(killed, "", 1).replacen(
        "packer-1 stopped\n",
        &late,
        1,
    );
    let found = sentences(SHOP, &new, KILL);
    assert_eq!(
        found,
        [
            "moment \"read again\": the new run has no line `consumed partition=1 process=packer-1` after the moment \"killed\""
        ]
    );
    let found = sentences("a outcome n=1", "a outcome n=1", KILL);
    assert_eq!(
        found,
        [
            "moment \"killed\": the recording has no line `killed`",
            "moment \"killed\": the new run has no line `killed`"
        ]
    );
}

#[test]
fn unequal_another_level() {
    let recorded = history("a lost topic=t partition=0\na outcome n=1");
    let mut new = recorded.clone();
    new.lines[0].level = crate::Level::Warn;
    let found = compare(&recorded, &new, &Moments::default());
    assert_eq!(found.len(), 1);
    assert!(
        found[0]
            .to_string()
            .contains("expected level \"info\", got \"warn\"")
    );
}

#[test]
fn a_run_may_have_rules_of_its_own() {
    let committed = |offset| {
        format!(
            "a committed topic=t partition=0 offset={offset}\na outcome n=1"
        )
    };
    assert_eq!(sentences(&committed(1), &committed(2), ""), [""; 0]);
    let once = "[lines.committed]\nmultiplicity = 'once'";
    assert_eq!(
        sentences(&committed(1), &committed(2), once),
        [
            "a on t-0: `committed topic=t partition=0 offset=1`: expected offset 1, got 2"
        ]
    );
    let any = "[lines.committed]\nmultiplicity = 'once'\nfields = { offset = 'any' }";
    assert_eq!(sentences(&committed(1), &committed(2), any), [""; 0]);
}

/// A few lines of a few processes on a few partitions, ended by an outcome.
fn any_history() -> impl Strategy<Value = Recording> {
    let message = prop::sample::select(vec![
        "consumed",
        "retried",
        "committed",
        "acknowledged",
        "odd",
    ]);
    let line = (0..3, message, prop::option::of(0..2_i64), 0..4_i64, 0..3);
    prop::collection::vec(line, 0..12).prop_map(|lines| {
        let lines = lines.into_iter().map(
            |(process, message, partition, offset, id)| {
                let line = Line::new(0, message)
                    .with("process", format!("p{process}"))
                    .with("offset", offset)
                    .with("correlation_id", format!("c-{id}"));
                match partition {
                    Some(partition) => {
                        line.with("topic", "t").with("partition", partition)
                    }
                    None => line,
                }
            },
        );
        let outcome = Line::new(0, OUTCOME).with("n", 1);
        Recording {
            header: Header::default(),
            lines: lines.chain([outcome]).collect(),
        }
    })
}

/// The same lines in another order that keeps the order inside each group.
fn interleaved(recording: &Recording, draws: &[usize]) -> Recording {
    let (outcome, lines) = recording.lines.split_last().unwrap();
    let mut groups: Vec<(Group, Vec<Line>)> = Vec::new();
    for line in lines.iter().rev() {
        let group = Group::of(line);
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, lines)) => lines.push(line.clone()),
            None => groups.push((group, vec![line.clone()])),
        }
    }
    let mut draws = draws.iter().cycle();
    let mut lines = Vec::new();
    while !groups.is_empty() {
        let at = draws.next().unwrap() % groups.len();
        lines.extend(groups[at].1.pop());
        groups.retain(|(_, lines)| !lines.is_empty());
    }
    lines.push(outcome.clone());
    Recording { header: Header::default(), lines }
}

proptest! {
    #[test]
    fn equal_whatever_the_interleaving_and_the_names(
        recorded in any_history(),
        draws in prop::collection::vec(any::<usize>(), 1..20),
        shift in 0..3_usize,
    ) {
        let mut new = interleaved(&recorded, &draws);
        for line in &mut new.lines {
            let renamed = line.fields.get("correlation_id").map(|id| {
                let number: usize = id.to_string()[2..].parse().unwrap();
                format!("other-{}", (number + shift) % 3)
            });
            if let Some(renamed) = renamed {
                line.fields.set("correlation_id", renamed);
            }
        }
        prop_assert_eq!(compare(&recorded, &new, &Moments::default()), vec![]);
    }

    #[test]
    fn equal_is_the_same_both_ways(one in any_history(), other in any_history()) {
        let there = compare(&one, &other, &Moments::default()).is_empty();
        let back = compare(&other, &one, &Moments::default()).is_empty();
        prop_assert_eq!(there, back);
    }

    #[test]
    fn unequal_without_a_line_that_occurs_once(recorded in any_history(), at in any::<prop::sample::Index>()) {
        let once: Vec<usize> = (0..recorded.lines.len())
            .filter(|&at| matches!(recorded.lines[at].message.as_str(), "consumed" | "acknowledged" | "odd" | OUTCOME))
            .collect();
        let mut new = recorded.clone();
        new.lines.remove(once[at.index(once.len())]);
        prop_assert!(!compare(&recorded, &new, &Moments::default()).is_empty());
    }

    #[test]
    fn unequal_with_one_value_changed(recorded in any_history(), at in any::<prop::sample::Index>()) {
        let compared: Vec<usize> =
            (0..recorded.lines.len()).filter(|&at| recorded.lines[at].message != "committed").collect();
        let mut new = recorded.clone();
        let line = &mut new.lines[compared[at.index(compared.len())]];
        let name = if line.message == OUTCOME { "n" } else { "offset" };
        line.fields.set(name, 99);
        prop_assert!(!compare(&recorded, &new, &Moments::default()).is_empty());
    }
}
