//! A choice among weighted alternatives in constant time: the alias method.
//!
//! Walker: "An efficient method for generating discrete random variables with general distributions", 1977, with the
//! linear construction of Vose: "A linear algorithm for generating random numbers with a given distribution", 1991.

use rand::Rng;
use rand_distr::Distribution;

/// Columns of equal height, one for each alternative. A column contains its own alternative up to a threshold, and one
/// other alternative above it.
#[derive(Clone, Debug, PartialEq)]
pub struct AliasTable(Box<[Column]>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Column {
    /// The share of its own alternative in the column, in units of 2^-64.
    own: u64,
    /// The index of the other alternative.
    other: u32,
}

impl AliasTable {
    /// A table of alternatives with these weights, which must be finite, not negative, not all zero, and have a finite
    /// sum. Only the first 2^32 are used.
    #[must_use]
    pub fn new(weights: &[f64]) -> Self {
        let count = weights.len() as f64;
        let sum: f64 = weights.iter().sum();
        let mut heights: Vec<f64> = weights.iter().map(|weight| weight / sum * count).collect();
        let mut columns: Vec<Column> =
            (0..=u32::MAX).zip(weights).map(|(other, _)| Column { own: u64::MAX, other }).collect();
        let (mut low, mut high): (Vec<u32>, Vec<u32>) =
            columns.iter().map(|column| column.other).partition(|&i| heights[i as usize] < 1.0);
        while let (Some(&donor), Some(recipient)) = (high.last(), low.pop()) {
            let (from, to) = (donor as usize, recipient as usize);
            columns[to] = Column { own: share(heights[to]), other: donor };
            heights[from] -= 1.0 - heights[to];
            if heights[from] < 1.0 {
                high.pop();
                low.push(donor);
            }
        }
        // The remaining columns are full, apart from rounding: each step preserves the sum of heights.
        Self(columns.into_boxed_slice())
    }
}

impl Distribution<usize> for AliasTable {
    /// The index of one alternative, from one random word.
    ///
    /// The upper half of a product selects the column and the lower half the height, so that no bit is used twice. The
    /// error of a probability is at most the number of alternatives times 2^-64.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of a product of 64-bit numbers")]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> usize {
        let product = u128::from(rng.next_u64()) * self.0.len() as u128;
        let at = (product >> 64) as usize;
        let column = self.0[at];
        if (product as u64) < column.own { at } else { column.other as usize }
    }
}

/// A height in [0, 1) in units of 2^-64.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, as intended")]
fn share(height: f64) -> u64 {
    (height * 18_446_744_073_709_551_616.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::RandomStream;

    #[test]
    fn alternatives_are_drawn_in_proportion_to_their_weights() {
        let weights = [0.0, 5.0, 1.0, 0.5, 3.5, 0.0];
        let (table, mut stream) = (AliasTable::new(&weights), RandomStream::from_seed(3));
        let mut counts = [0.0; 6];
        for _ in 0..200_000 {
            counts[table.sample(&mut stream)] += 1.0;
        }
        let expected = weights.map(|weight| weight * 20_000.0);
        assert_eq!((counts[0], counts[5]), (0.0, 0.0));
        // Chi-squared with 3 degrees of freedom exceeds 21.1 once in 10,000 seeds.
        let chi_squared: f64 =
            (1..5).map(|i| (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i]).sum();
        assert!(chi_squared < 21.1, "{chi_squared}: {counts:?}");
    }

    #[test]
    fn the_columns_represent_the_exact_probabilities() {
        let weights: Vec<f64> = (0..1000).map(|i| f64::from(i * i % 97)).collect();
        let table = AliasTable::new(&weights);
        let mut shares = vec![0.0; 1000];
        for (i, column) in table.0.iter().enumerate() {
            let own = column.own as f64 / 18_446_744_073_709_551_616.0;
            shares[i] += own;
            shares[column.other as usize] += 1.0 - own;
        }
        let sum: f64 = weights.iter().sum();
        for (share, weight) in shares.iter().zip(&weights) {
            assert!((share / 1000.0 - weight / sum).abs() < 1e-13, "{share} {weight}");
        }
    }

    #[test]
    fn a_single_alternative_is_always_drawn() {
        let (table, mut stream) = (AliasTable::new(&[0.25]), RandomStream::from_seed(3));
        assert!((0..100).all(|_| table.sample(&mut stream) == 0));
    }
}
