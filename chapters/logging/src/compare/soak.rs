//! Counting equal checks: a recording is only as good as the runs that came out equal to it.

use std::collections::BTreeMap;

use super::Difference;

/// Counts checks of one recording until enough of them in a row were equal.
#[derive(Clone, Debug)]
pub struct Soak {
    wanted: u32,
    runs: u32,
    in_a_row: u32,
    seen: BTreeMap<String, u32>,
}

impl Soak {
    /// A recording is accepted after so many equal checks in a row.
    pub const ENOUGH: u32 = 20;

    /// Counts until `wanted` checks in a row were equal.
    pub fn new(wanted: u32) -> Self {
        Soak { wanted, runs: 0, in_a_row: 0, seen: BTreeMap::new() }
    }

    /// Counts one check by what it found.
    pub fn add(&mut self, differences: &[Difference]) {
        self.runs += 1;
        self.in_a_row =
            if differences.is_empty() { self.in_a_row + 1 } else { 0 };
        for difference in differences {
            *self.seen.entry(difference.to_string()).or_default() += 1;
        }
    }

    /// Whether enough checks in a row were equal.
    pub fn is_enough(&self) -> bool {
        self.in_a_row >= self.wanted
    }

    /// How many checks there were.
    pub fn runs(&self) -> u32 {
        self.runs
    }

    /// How many of the latest checks were equal.
    pub fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// The differences seen and how often, the most frequent first: what to make optional, or to mend.
    pub fn seen(&self) -> Vec<(&str, u32)> {
        let mut seen: Vec<_> = self
            .seen
            .iter()
            .map(|(text, count)| (text.as_str(), *count))
            .collect();
        seen.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Which;

    #[test]
    fn one_difference_begins_the_row_anew() {
        let differs =
            |count| vec![Difference::Outcomes { which: Which::New, count }];
        let mut soak = Soak::new(2);
        soak.add(&[]);
        soak.add(&differs(0));
        soak.add(&[]);
        assert!(!soak.is_enough());
        soak.add(&differs(3));
        soak.add(&differs(3));
        soak.add(&[]);
        soak.add(&[]);
        assert!(soak.is_enough());
        assert_eq!((soak.runs(), soak.in_a_row()), (7, 2));
        let seen = soak.seen();
        assert_eq!((seen.len(), seen[0].1), (2, 2));
        assert!(seen[0].0.contains("it has 3"));
    }
}
