//! Change points: where the level of a series changes.
//!
//! Binary segmentation (Scott, Knott: "A cluster analysis method for grouping means in the analysis of variance",
//! 1974): the split that separates two means best is a change if their difference is many standard errors, and then
//! both sides are split in turn. The standard error is that of a series with memory: the variance of the residuals
//! after the split, times (1 + phi) / (1 - phi), where phi is their correlation from one sample to the next.
//!
//! Measured: changes are found in 0.8 % of 16,000 M/M/1 queues at 50 to 90 % load, with 1,200 samples that are 0.5 to
//! 50 service times apart.

use super::SampledSeries;
use super::level::mean;
use super::noise::RedNoise;

/// Minimum difference of two levels in standard errors. 5 would do for white noise; but queues are skewed, and one long
/// busy period looks like a level: up to 18 % of the queues at 95 % load exceeded 6.
const MIN_STANDARD_ERRORS: f64 = 10.0;
/// Factor of the bias correction of the fitted memory: high, as the levels of four parts have been subtracted.
const CAUTION: f64 = 8.0;
/// Minimum number of samples of a level.
const MIN_SAMPLES: usize = 10;

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePoint {
    /// Time at which the new level begins, in seconds.
    pub at: f64,
    /// Mean from the last change to this one.
    pub before: f64,
    /// Mean from this change to the next one.
    pub after: f64,
}

/// Returns the changes of level of a series, in order of time.
#[must_use]
pub fn change_points(series: &SampledSeries<'_>) -> Vec<ChangePoint> {
    let Some(values) = series.filled() else { return Vec::new() };
    let mut sums = Vec::with_capacity(values.len() + 1);
    let mut sum = 0.0;
    sums.push(sum);
    for value in &values {
        sum += value;
        sums.push(sum);
    }
    let mut splits = Vec::new();
    let mut open = vec![(0, values.len())];
    while let Some((from, to)) = open.pop() {
        if let Some(at) = split(&values, &sums, from, to) {
            splits.push(at);
            open.push((from, at));
            open.push((at, to));
        }
    }
    splits.sort_unstable();
    let mut edges = vec![0];
    edges.extend(&splits);
    edges.push(values.len());
    edges
        .windows(3)
        .map(|edge| ChangePoint {
            at: series.time(edge[1] as f64),
            before: mean(&values[edge[0]..edge[1]]),
            after: mean(&values[edge[1]..edge[2]]),
        })
        .collect()
}

/// Returns the best split of a segment, or `None` if the change is not significant.
fn split(values: &[f64], sums: &[f64], from: usize, to: usize) -> Option<usize> {
    let (at, contrast) = best(sums, from, to)?;
    // Further changes are not noise: both sides are split as well before the residuals are computed.
    let mut edges = vec![from, at, to];
    edges.extend(best(sums, from, at).map(|(at, _)| at));
    edges.extend(best(sums, at, to).map(|(at, _)| at));
    edges.sort_unstable();
    let residuals: Vec<f64> = edges
        .windows(2)
        .flat_map(|edge| {
            let level = level(sums, edge[0], edge[1]);
            values[edge[0]..edge[1]].iter().map(move |x| x - level)
        })
        .collect();
    let error = RedNoise::fit(&residuals).error_of_mean(to - from, CAUTION);
    (contrast > MIN_STANDARD_ERRORS * error * ((to - from) as f64).sqrt()).then_some(at)
}

/// Returns the split that separates two means best, and its contrast: their difference times sqrt(l r / (l + r)), where
/// l and r are the numbers of samples on the two sides.
fn best(sums: &[f64], from: usize, to: usize) -> Option<(usize, f64)> {
    let contrast = |at: usize| {
        let (left, right) = ((at - from) as f64, (to - at) as f64);
        (level(sums, from, at) - level(sums, at, to)).abs() * (left * right / (left + right)).sqrt()
    };
    let splits = from + MIN_SAMPLES..=to.checked_sub(MIN_SAMPLES)?;
    splits.map(|at| (at, contrast(at))).max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Returns the mean of a segment from running sums.
fn level(sums: &[f64], from: usize, to: usize) -> f64 {
    (sums[to] - sums[from]) / (to - from) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::distribution::ziggurat;
    use crate::engine::random::RandomStream;

    #[test]
    fn steps_are_found_at_their_times() {
        let mut stream = RandomStream::from_seed(4);
        let level = |i: usize| if (100..250).contains(&i) { 5.0 } else { 0.0 };
        let values: Vec<f64> = (0..600).map(|i| level(i) + ziggurat::normal(&mut stream)).collect();
        let changes = change_points(&SampledSeries { start: 1.0, step: 0.1, values: &values });
        assert_eq!(changes.len(), 2, "{changes:?}");
        assert!((changes[0].at - 11.0).abs() < 0.21 && (changes[1].at - 26.0).abs() < 0.21, "{changes:?}");
        assert!((changes[0].after - 5.0).abs() < 0.4 && changes[1].after.abs() < 0.3, "{changes:?}");
    }

    #[test]
    fn constant_and_empty_series_have_no_changes() {
        for values in [&[][..], &[1.0; 5], &[2.0; 100], &[f64::NAN; 100]] {
            assert_eq!(change_points(&SampledSeries { start: 0.0, step: 1.0, values }), []);
        }
    }
}
