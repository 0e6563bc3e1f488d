//! The committed table has the rows that the page explains, and says what does not depend on the machine.

use crate::format::{Fault, Results, Row, table};

const JSON: &str = include_str!("../../benches/table.json");
const MARKDOWN: &str = include_str!("../../benches/table.md");

fn results() -> Results {
    serde_json::from_str(JSON).unwrap()
}

fn row(fault: Fault, acks: &str, min_in_sync: u32) -> Row {
    let rows = results().rows;
    let mut rows = rows.into_iter().filter(|row| {
        (row.fault, row.acks.as_str(), row.min_in_sync)
            == (fault, acks, min_in_sync)
    });
    rows.next().unwrap()
}

#[test]
fn each_fault_has_a_row_for_each_setting() {
    let results = results();
    let order: Vec<(Fault, &str, u32)> = results
        .rows
        .iter()
        .map(|row| (row.fault, row.acks.as_str(), row.min_in_sync))
        .collect();
    let mut expected = Vec::new();
    for fault in Fault::ALL {
        for acks in ["0", "1", "all"] {
            expected.extend([1, 2].map(|min| (fault, acks, min)));
        }
    }
    assert_eq!(order, expected);
    assert!(results.records >= 10_000 && results.brokers == 3);
    assert_eq!(results.kafka, testbed::version::KAFKA);
    assert_eq!(MARKDOWN, table(&results));
}

#[test]
fn the_counts_add_up() {
    for row in results().rows {
        assert_eq!(row.sent, results().records, "{row:?}");
        assert_eq!(row.acknowledged + row.refused, row.sent, "{row:?}");
        assert_eq!(row.survived + row.lost, row.acknowledged, "{row:?}");
    }
}

/// claim: acks-all-and-two-lost-nothing
#[test]
fn acks_all_and_two_in_sync_lost_nothing() {
    for fault in Fault::ALL {
        assert_eq!(row(fault, "all", 2).lost, 0, "{fault:?}");
    }
}

/// claim: min-in-sync-is-for-acks-all
#[test]
fn acks_1_loses_the_half_that_the_leader_had_alone_whatever_the_minimum() {
    for min in [1, 2] {
        for acks in ["0", "1"] {
            let row = row(Fault::LeaderKilled, acks, min);
            assert_eq!(row.lost, row.sent / 2, "{row:?}");
        }
        assert_eq!(row(Fault::LeaderKilled, "all", min).lost, 0);
        let unclean = row(Fault::Unclean, "1", min);
        assert_eq!(unclean.lost, unclean.sent / 2, "{unclean:?}");
    }
    let unclean = row(Fault::Unclean, "all", 1);
    assert_eq!(unclean.lost, unclean.sent / 2, "{unclean:?}");
}

/// claim: too-few-in-sync-are-refused
#[test]
fn only_acks_all_is_refused_where_too_few_are_in_sync() {
    for row in results().rows {
        let alone =
            matches!(row.fault, Fault::AllButOneGone | Fault::Unclean);
        let refused = alone && row.acks == "all" && row.min_in_sync == 2;
        let expected = if refused { row.sent / 2 } else { 0 };
        assert_eq!(row.refused, expected, "{row:?}");
    }
}
