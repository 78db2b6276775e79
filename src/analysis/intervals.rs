//! Ranges of intervals in which a series is high, and smoothed series.

/// Returns the ranges (`from..to`) with the largest sums of a series of positive and negative values, in order of time:
/// the range with the largest sum (Bentley 1984, "Algorithm design techniques"), then those to its left and right, each
/// only if `accept` returns true for it.
pub(super) fn excesses(excess: &[f64], accept: &impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let mut ranges = Vec::new();
    let mut open = vec![(0, excess.len())];
    while let Some((from, to)) = open.pop() {
        let Some((first, last)) = largest(&excess[from..to]).map(|(first, last)| (from + first, from + last))
        else {
            continue;
        };
        if accept(first, last) {
            ranges.push((first, last));
            open.extend([(from, first), (last, to)]);
        }
    }
    ranges.sort_unstable();
    ranges
}

/// Returns the range with the largest sum, or `None` if no value is positive.
fn largest(excess: &[f64]) -> Option<(usize, usize)> {
    let (mut best, mut best_range) = (0.0, None);
    let (mut sum, mut from) = (0.0, 0);
    for (at, value) in excess.iter().enumerate() {
        if sum <= 0.0 {
            (sum, from) = (0.0, at);
        }
        sum += value;
        if sum > best {
            (best, best_range) = (sum, Some((from, at + 1)));
        }
    }
    best_range
}

/// Returns the moving average over `width` values around each one (`width + 1` if `width` is even, fewer at the ends).
pub(super) fn smoothed(values: &[f64], width: usize) -> Vec<f64> {
    let reach = width / 2;
    let mut sums = vec![0.0];
    let mut sum = 0.0;
    sums.extend(values.iter().map(|value| {
        sum += value;
        sum
    }));
    (0..values.len())
        .map(|at| {
            let (from, to) = (at.saturating_sub(reach), (at + reach + 1).min(values.len()));
            let width = (to - from) as f64;
            (sums[to] - sums[from]) / width
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_with_the_largest_sums_are_found_in_order() {
        let excess = [1.0, -5.0, 3.0, -1.0, 4.0, -9.0, 5.0, -2.0];
        let sum = |from: usize, to: usize| excess[from..to].iter().sum::<f64>();
        assert_eq!(excesses(&excess, &|from, to| sum(from, to) > 2.0), [(2, 5), (6, 7)]);
        assert_eq!(excesses(&excess, &|from, to| sum(from, to) > 5.5), [(2, 5)]);
        assert_eq!(excesses(&[-1.0, 0.0], &|_, _| true), []);
    }

    #[test]
    fn smoothing_averages_neighbours_and_keeps_the_length() {
        assert_eq!(smoothed(&[0.0, 3.0, 0.0, 3.0], 3), [1.5, 1.0, 2.0, 1.5]);
        assert_eq!(smoothed(&[2.0, 4.0], 1), [2.0, 4.0]);
        assert_eq!(smoothed(&[], 5), [] as [f64; 0]);
    }
}
