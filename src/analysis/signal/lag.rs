//! The lag of one series behind another, such as the perceived behind the actual load.
//!
//! The lag is where the cross-correlation is highest. Unrelated series with memory are correlated by chance, the more
//! the longer their memories are: the variance of their cross-correlation is the sum over all lags of the product of
//! their autocorrelations, divided by the length (Bartlett: "On the theoretical specification and sampling properties
//! of autocorrelated time-series", 1946; Box, Jenkins: "Time series analysis", 1970). Skewed series have high
//! correlations more often, so the correlation also has to exceed those at shifts that are too large for a relation. A
//! long oscillation is correlated at such shifts as well: use [`super::phase`] there.
//!
//! Measured: a lag is found in 0.2 % of 16,000 pairs of unrelated M/M/1 queues at 50 to 90 % load, and for 99.9 % of
//! 1,000 clients whose perceived load is a mean over 4 s during an overload, of about the 2 s by which such a mean
//! lags.

use super::SampledSeries;
use super::autocorrelation::{autocorrelation, summit};
use super::level::{mean, variance};

/// Minimum correlation in standard errors.
const MIN_STANDARD_ERRORS: f64 = 2.5;
/// Minimum correlation: with less, the series share less than about a third of their variance.
const MIN_CORRELATION: f64 = 0.6;
/// Minimum correlation over the highest one at shifts that are too large for a relation.
const MIN_RATIO_TO_UNRELATED: f64 = 1.5;
/// Minimum number of samples of both series.
const MIN_SAMPLES: usize = 30;

/// The lag of a series behind another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lag {
    /// The lag, in seconds.
    pub lag: f64,
    /// The correlation at that lag, from 0 to 1.
    pub correlation: f64,
    /// The correlation at lag 0.
    pub at_zero: f64,
    /// The standard error of the correlation of unrelated series with these memories.
    pub standard_error: f64,
}

/// Returns the lag of `follower` behind `leader`; both are sampled at the same times. `None` if the correlation is
/// highest at lag 0 or at `max_lag` (in seconds), or is not significant.
#[must_use]
pub fn lag(leader: &SampledSeries<'_>, follower: &SampledSeries<'_>, max_lag: f64) -> Option<Lag> {
    let (a, b) = (leader.filled()?, follower.filled()?);
    let n = a.len().min(b.len());
    // Beyond a fifth, no shifts would be left that are too large for a relation.
    let last = crate::engine::floor_to_usize((max_lag / leader.step).round()).min(n / 5);
    if n < MIN_SAMPLES || last < 2 {
        return None;
    }
    let (a, b) = (&a[..n], &b[..n]);
    let correlations: Vec<f64> = (0..=last).map(|lag| correlation(&a[..n - lag], &b[lag..])).collect();
    let top = (0..=last).max_by(|&x, &y| correlations[x].total_cmp(&correlations[y]))?;
    if top == 0 || top == last {
        return None;
    }
    let (offset, height) = summit(correlations[top - 1], correlations[top], correlations[top + 1]);
    let standard_error = standard_error(a, b);
    let unrelated = unrelated_correlation(a, b, 2 * last);
    if height < MIN_CORRELATION || height < MIN_RATIO_TO_UNRELATED * unrelated {
        return None;
    }
    (height > MIN_STANDARD_ERRORS * standard_error).then_some(Lag {
        lag: (top as f64 + offset) * leader.step,
        correlation: height.min(1.0),
        at_zero: correlations[0],
        standard_error,
    })
}

/// Returns the correlation of pairs, 0 if one side is constant.
fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        let (a, b) = (a - mean_x, b - mean_y);
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    let scale = (xx * yy).sqrt();
    if scale > 0.0 { xy / scale } else { 0.0 }
}

/// Returns the highest correlation with one series rotated against the other by at least `min_shift` samples either
/// way.
fn unrelated_correlation(a: &[f64], b: &[f64], min_shift: usize) -> f64 {
    let n = a.len();
    let mut highest = 0.0_f64;
    // Neighbouring shifts give similar correlations, so about a hundred of them suffice.
    for shift in (min_shift..n.saturating_sub(min_shift)).step_by((n / 100).max(1)) {
        let (mut product, mean_a, mean_b) = (0.0, mean(a), mean(b));
        for (i, x) in a.iter().enumerate() {
            product += (x - mean_a) * (b[(i + shift) % n] - mean_b);
        }
        highest = highest.max(product.abs());
    }
    let scale = (variance(a) * variance(b)).sqrt() * n as f64;
    if scale > 0.0 { highest / scale } else { 0.0 }
}

/// Returns the standard error of the correlation of unrelated series.
fn standard_error(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len();
    let (of_a, of_b) = (autocorrelation(a, n / 4), autocorrelation(b, n / 4));
    let products: f64 = of_a.iter().zip(&of_b).skip(1).map(|(x, y)| x * y).sum();
    ((1.0 + 2.0 * products).max(1.0) / n as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::distribution::ziggurat;
    use crate::engine::random::RandomStream;

    fn red(seed: u64, n: usize) -> Vec<f64> {
        let mut stream = RandomStream::from_seed(seed);
        let mut x = 0.0;
        (0..n)
            .map(|_| {
                x = 0.9 * x + ziggurat::normal(&mut stream);
                x
            })
            .collect()
    }

    #[test]
    fn a_delayed_series_is_found_with_its_lag() {
        let actual = red(1, 1200);
        let noise = red(2, 1200);
        let delayed: Vec<f64> =
            (0..1200_usize).map(|i| actual[i.saturating_sub(17)] + 0.5 * noise[i]).collect();
        let sampled = |values| SampledSeries { start: 0.0, step: 0.1, values };
        let found = lag(&sampled(&actual), &sampled(&delayed), 10.0).expect("a lag");
        assert!((found.lag - 1.7).abs() < 0.1 && found.correlation > 0.75, "{found:?}");
    }

    #[test]
    fn unrelated_and_simultaneous_series_have_no_lag() {
        let (a, b) = (red(3, 1200), red(4, 1200));
        let sampled = |values| SampledSeries { start: 0.0, step: 0.1, values };
        assert_eq!(lag(&sampled(&a), &sampled(&b), 10.0), None);
        assert_eq!(lag(&sampled(&a), &sampled(&a), 10.0), None);
        assert_eq!(lag(&sampled(&a), &sampled(&[1.0; 1200]), 10.0), None);
        assert_eq!(lag(&sampled(&a[..20]), &sampled(&b[..20]), 10.0), None);
    }
}
