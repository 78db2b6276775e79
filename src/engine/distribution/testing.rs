//! Test helpers for all distributions: draws, comparison of moments with theory, and the Kolmogorov-Smirnov test.
//!
//! Bounds are multiples of the standard errors of the estimators. At 4.5 standard errors a correct sampler fails for
//! one seed in 150,000, and the seeds are fixed.

use rand_distr::Distribution;

use super::Sampler;
use crate::engine::hash::StableHasher;
use crate::engine::random::RandomStream;

/// Number of draws in a test of moments.
pub(super) const DRAWS: usize = 200_000;

/// `count` draws from a fixed stream.
pub(super) fn draws(sampler: &Sampler, count: usize) -> Vec<f64> {
    let mut stream = RandomStream::from_seed(2024);
    (0..count).map(|_| sampler.sample(&mut stream)).collect()
}

/// The golden vector of a sampler: the bits of the first five draws from a fixed stream, and a hash over the next
/// 10,000, which also cover the rare branches.
pub(super) fn golden(sampler: &Sampler) -> [u64; 6] {
    let mut stream = RandomStream::from_seed(1);
    golden_of(|| sampler.sample(&mut stream))
}

/// The golden vector of a function that draws.
pub(super) fn golden_of(mut draw: impl FnMut() -> f64) -> [u64; 6] {
    let mut vector = [0; 6];
    vector[..5].fill_with(|| draw().to_bits());
    let mut hasher = StableHasher::new();
    (0..10_000).for_each(|_| hasher.absorb(draw().to_bits()));
    vector[5] = hasher.finish();
    vector
}

/// Asserts that the draws agree with the mean, the standard deviation and the distribution function of the sampler,
/// which must be continuous, and that no draw is negative or NaN.
pub(super) fn assert_consistent(sampler: &Sampler) {
    let draws = draws(sampler, DRAWS);
    assert!(draws.iter().all(|&x| x >= 0.0), "{sampler:?}");
    assert_moments(&draws, sampler.mean(), sampler.sd());
    assert_follows(draws, |x| sampler.cdf(x));
}

/// Asserts that the draws have this mean and this standard deviation.
pub(super) fn assert_moments(draws: &[f64], mean: f64, sd: f64) {
    let n = draws.len() as f64;
    let sample_mean = draws.iter().sum::<f64>() / n;
    let squares = || draws.iter().map(|x| (x - sample_mean) * (x - sample_mean));
    let variance = squares().sum::<f64>() / n;
    let fourth = squares().map(|square| square * square).sum::<f64>() / n;
    let error = 4.5 * (variance / n).sqrt() + 1e-12 * mean.abs();
    assert!((sample_mean - mean).abs() < error, "the mean is {sample_mean}, not {mean} +- {error}");
    // The variance of an estimated variance is (fourth central moment - variance squared) / n.
    let error = 4.5 * ((fourth - variance * variance).max(0.0) / n).sqrt() + 1e-9 * variance;
    assert!(
        (variance - sd * sd).abs() < error,
        "the sd is {}, not {sd} (variance +- {error})",
        variance.sqrt()
    );
}

/// Asserts that the draws have this continuous distribution function, by the Kolmogorov-Smirnov test.
pub(super) fn assert_follows(mut draws: Vec<f64>, cdf: impl Fn(f64) -> f64) {
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    let distance = draws
        .iter()
        .enumerate()
        .map(|(i, &x)| {
            let p = cdf(x);
            (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs())
        })
        .fold(0.0, f64::max);
    // The limit distribution of the scaled distance exceeds 2.3 with probability 2 exp(-2 * 2.3^2) = 5e-5.
    let scaled = distance * n.sqrt();
    assert!(scaled < 2.3, "the scaled distance is {scaled}");
}

/// Asserts that both lists are draws from one continuous law, by the two-sample Kolmogorov-Smirnov test.
pub(super) fn assert_same_law(mut one: Vec<f64>, mut other: Vec<f64>) {
    one.sort_by(f64::total_cmp);
    other.sort_by(f64::total_cmp);
    let (n, m) = (one.len() as f64, other.len() as f64);
    let distance = one
        .iter()
        .enumerate()
        .map(|(i, x)| ((i + 1) as f64 / n - other.partition_point(|y| y <= x) as f64 / m).abs())
        .fold(0.0, f64::max);
    let scaled = distance * (n * m / (n + m)).sqrt();
    assert!(scaled < 2.3, "the scaled distance is {scaled}");
}

/// Asserts that two numbers are equal up to the relative error `tolerance`.
pub(super) fn assert_close(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance * expected.abs(), "{value} is not {expected}");
}
