//! How evenly records are spread.

/// Records a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    counts: Vec<u64>,
}

impl Balance {
    /// Nothing yet, in so many partitions.
    pub fn new(partitions: u32) -> Self {
        Self { counts: vec![0; partitions as usize] }
    }

    /// One more record in this partition; a partition that is not there is not counted.
    pub fn count(&mut self, partition: u32) {
        if let Some(count) = self.counts.get_mut(partition as usize) {
            *count += 1;
        }
    }

    /// How many records each partition has.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many records there are.
    pub fn records(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many partitions have a record at all.
    pub fn used(&self) -> usize {
        self.counts.iter().filter(|count| **count > 0).count()
    }

    /// The fullest partition compared with the mean: 1 is even, the number of partitions is all in one.
    /// A group keeps up when the owner of that partition does, so this is by how much capacity is wasted.
    /// 0 when there is no record.
    pub fn max_over_mean(&self) -> f64 {
        let most = self.counts.iter().copied().max().unwrap_or(0);
        let (records, partitions) = (self.records(), self.counts.len());
        if records == 0 {
            return 0.0;
        }
        most as f64 * partitions as f64 / records as f64
    }

    /// Pearson's chi square against an even spread, in partitions − 1 degrees of freedom.
    /// About partitions − 1 is what chance does; several times that is no chance. 0 when there is no record.
    pub fn chi_square(&self) -> f64 {
        let mean = self.records() as f64 / self.counts.len().max(1) as f64;
        if mean == 0.0 {
            return 0.0;
        }
        let square = |count: &u64| (*count as f64 - mean).powi(2) / mean;
        self.counts.iter().map(square).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: &[u64]) -> Balance {
        Balance { counts: counts.to_vec() }
    }

    #[test]
    fn an_even_spread_is_1_and_all_in_one_is_the_number_of_partitions() {
        assert_eq!(of(&[5, 5, 5]).max_over_mean(), 1.0);
        assert_eq!(of(&[0, 15, 0]).max_over_mean(), 3.0);
        assert_eq!(of(&[5, 5, 5]).chi_square(), 0.0);
        assert_eq!(of(&[0, 15, 0]).chi_square(), 30.0);
        assert_eq!(
            (of(&[0, 15, 0]).used(), of(&[0, 15, 0]).records()),
            (1, 15)
        );
    }

    #[test]
    fn nothing_is_no_number_to_divide_by() {
        for none in [of(&[]), of(&[0, 0])] {
            assert_eq!(
                (none.max_over_mean(), none.chi_square()),
                (0.0, 0.0)
            );
        }
    }

    #[test]
    fn counts_what_is_there() {
        let mut balance = Balance::new(2);
        for partition in [1, 1, 0, 2] {
            balance.count(partition);
        }
        assert_eq!(balance, of(&[1, 2]));
    }
}
