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

    /// Pearson's chi square against an even spread. Several times what [`by_chance`](Self::by_chance) says is no
    /// chance, but a pattern. 0 when there is no record.
    pub fn chi_square(&self) -> f64 {
        let mean = self.records() as f64 / self.counts.len().max(1) as f64;
        if mean == 0.0 {
            return 0.0;
        }
        let square = |count: &u64| (*count as f64 - mean).powi(2) / mean;
        self.counts.iter().map(square).sum()
    }

    /// What chance alone makes of chi square, on the average, for these draws: each says how many records were
    /// drawn together, as those of one key are, and to how many partitions they went in equal parts, mostly 1.
    ///
    /// For records that are drawn one by one that is partitions − 1, the degrees of freedom. For keys it is that
    /// times Σn²/Σn, n being the records of a key: a hash can draw keys as evenly as it likes, and a key with
    /// many records goes to one partition with all of them. 0 when there is no draw.
    pub fn by_chance(
        &self,
        draws: impl IntoIterator<Item = (u64, u32)>,
    ) -> f64 {
        let partitions = self.counts.len() as f64;
        let (mut sum, mut records) = (0.0, 0.0);
        for (together, ways) in draws {
            let ways = f64::from(ways.max(1)).min(partitions);
            let together = together as f64;
            sum += together * together * (partitions / ways - 1.0);
            records += together;
        }
        if records == 0.0 { 0.0 } else { sum / records }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::super::SplitMix64;
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

    /// Keys with 1 to 20 records and one with 300, drawn 2,000 times: the mean of chi square is what chance is
    /// said to make of it, also where the large key goes to three partitions in equal parts.
    #[test]
    fn chance_is_the_mean_of_many_draws() {
        const TWELVE: NonZeroU32 = NonZeroU32::new(12).unwrap();
        for ways in [1, 3] {
            let keys = (0..200_u64).map(|n| (1 + n % 20, 1));
            let draws: Vec<_> = keys.chain([(300, ways)]).collect();
            let mut random = SplitMix64::new(1);
            let mut sum = 0.0;
            for _ in 0..2_000 {
                let mut balance = Balance::new(12);
                for (records, ways) in &draws {
                    let first = random.below(TWELVE);
                    for way in 0..*ways {
                        let partition = (first + way) % TWELVE;
                        for _ in 0..records / u64::from(*ways) {
                            balance.count(partition);
                        }
                    }
                }
                sum += balance.chi_square();
            }
            let (mean, chance) =
                (sum / 2_000.0, Balance::new(12).by_chance(draws));
            assert!(
                (mean / chance - 1.0).abs() < 0.05,
                "{mean}, not {chance}"
            );
        }
    }

    #[test]
    fn records_drawn_one_by_one_have_partitions_less_one() {
        let balance = Balance::new(12);
        assert_eq!(balance.by_chance([(1, 1); 100]), 11.0);
        assert_eq!(balance.by_chance([(100, 1)]), 1_100.0);
        // In equal parts everywhere: even, whatever is drawn.
        assert_eq!(balance.by_chance([(100, 12)]), 0.0);
        assert_eq!(balance.by_chance([]), 0.0);
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
