//! Who comes after whom.

use std::num::NonZeroU32;

use producers::partition::SplitMix64;

/// The order of one round: `0..count`, each as likely anywhere as any other (Fisher and Yates).
pub fn draw(count: usize, random: &mut SplitMix64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        let those = u32::try_from(last + 1).unwrap_or(u32::MAX);
        let those = NonZeroU32::new(those).unwrap_or(NonZeroU32::MIN);
        order.swap(last, random.below(those) as usize);
    }
    order
}
