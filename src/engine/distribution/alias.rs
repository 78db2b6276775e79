//! A choice among weighted alternatives in constant time: the alias method.
//!
//! Walker: "An efficient method for generating discrete random variables with general distributions", 1977, with the
//! linear construction of Vose: "A linear algorithm for generating random numbers with a given distribution", 1991.

use crate::engine::random::RandomStream;

/// As many columns as alternatives, all equally high; each holds its own alternative up to a threshold and another
/// one above it.
#[derive(Clone, Debug, PartialEq)]
pub struct AliasTable(Box<[Column]>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Column {
    /// The share of the column that is its own, in units of 2^-64.
    own: u64,
    /// Whose the rest is.
    other: u32,
}

impl AliasTable {
    /// A table over alternatives with these weights: finite, not negative, not all zero, and with a finite sum. The
    /// first 2^32 count.
    #[must_use]
    pub fn new(weights: &[f64]) -> Self {
        let count = weights.len() as f64;
        let sum: f64 = weights.iter().sum();
        let mut heights: Vec<f64> = weights.iter().map(|weight| weight / sum * count).collect();
        let mut columns: Vec<Column> =
            (0..=u32::MAX).zip(weights).map(|(other, _)| Column { own: u64::MAX, other }).collect();
        let (mut low, mut high): (Vec<u32>, Vec<u32>) =
            columns.iter().map(|column| column.other).partition(|&i| heights[i as usize] < 1.0);
        while let (Some(&giver), Some(taker)) = (high.last(), low.pop()) {
            let (giver_at, taker_at) = (giver as usize, taker as usize);
            columns[taker_at] = Column { own: share(heights[taker_at]), other: giver };
            heights[giver_at] -= 1.0 - heights[taker_at];
            if heights[giver_at] < 1.0 {
                high.pop();
                low.push(giver);
            }
        }
        // What is left over is full but for rounding: heights sum to the number of columns, before and after each step.
        Self(columns.into_boxed_slice())
    }

    /// The index of one alternative, by one draw.
    ///
    /// The column comes from the upper half of a product and the height from the lower one, so that no bit serves
    /// twice. A probability is off by at most the number of alternatives times 2^-64.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of a product of 64-bit numbers")]
    pub fn index(&self, stream: &mut RandomStream) -> usize {
        let product = u128::from(stream.bits()) * self.0.len() as u128;
        let at = (product >> 64) as usize;
        let column = self.0[at];
        if (product as u64) < column.own { at } else { column.other as usize }
    }
}

/// A height in [0, 1) in units of 2^-64.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, as wanted")]
fn share(height: f64) -> u64 {
    (height * 18_446_744_073_709_551_616.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_come_as_often_as_their_weights_say() {
        let weights = [0.0, 5.0, 1.0, 0.5, 3.5, 0.0];
        let (table, mut stream) = (AliasTable::new(&weights), RandomStream::from_seed(3));
        let mut counts = [0.0; 6];
        for _ in 0..200_000 {
            counts[table.index(&mut stream)] += 1.0;
        }
        let expected = weights.map(|weight| weight * 20_000.0);
        assert_eq!((counts[0], counts[5]), (0.0, 0.0));
        // Chi-squared with 3 degrees of freedom exceeds 21.1 once in 10,000 seeds.
        let chi_squared: f64 =
            (1..5).map(|i| (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i]).sum();
        assert!(chi_squared < 21.1, "{chi_squared}: {counts:?}");
    }

    #[test]
    fn the_columns_hold_the_exact_probabilities() {
        let weights: Vec<f64> = (0..1000).map(|i| f64::from(i * i % 97)).collect();
        let table = AliasTable::new(&weights);
        let mut held = vec![0.0; 1000];
        for (i, column) in table.0.iter().enumerate() {
            let own = column.own as f64 / 18_446_744_073_709_551_616.0;
            held[i] += own;
            held[column.other as usize] += 1.0 - own;
        }
        let sum: f64 = weights.iter().sum();
        for (held, weight) in held.iter().zip(&weights) {
            assert!((held / 1000.0 - weight / sum).abs() < 1e-13, "{held} {weight}");
        }
    }

    #[test]
    fn one_alternative_is_always_chosen() {
        let (table, mut stream) = (AliasTable::new(&[0.25]), RandomStream::from_seed(3));
        assert!((0..100).all(|_| table.index(&mut stream) == 0));
    }
}
