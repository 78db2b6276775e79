//! The index of dispersion of counts: the variance of the number of arrivals in a time, over its mean (Cox, Lewis: "The
//! statistical analysis of series of events", 1966). It is 1 for Poisson arrivals, 0 for regular ones, and above 1 for
//! bursts. It depends on the time: bursts of many requests only show in times that contain some of them. So it is
//! measured in batches of several lengths, and the highest value counts.

use std::ops::Range;

/// Minimum mean number of arrivals in a batch.
const MIN_ARRIVALS: f64 = 5.0;
/// Numbers of batches: about this many in all phases together.
const BATCHES: [f64; 3] = [20.0, 60.0, 180.0];
/// Minimum number of batches of an estimate.
const MIN_BATCHES: usize = 8;
/// Minimum index: the counts of regular arrivals still differ by one.
const MIN_INDEX: f64 = 0.05;

/// Returns the index of dispersion of counts by interval, one standard error above the estimate; at least 0.05.
/// The rate may differ from phase to phase: only the variance within phases is measured. 1, as for Poisson arrivals, if
/// there are too few arrivals for an estimate.
pub(super) fn dispersion(counts: &[f64], phases: &[Range<usize>]) -> f64 {
    let total: f64 = counts.iter().sum();
    let intervals: usize = phases.iter().map(ExactSizeIterator::len).sum();
    let widths = BATCHES.map(|batches| {
        let by_arrivals = MIN_ARRIVALS / (total / intervals as f64);
        (intervals as f64 / batches).max(by_arrivals).ceil()
    });
    let estimates = widths.into_iter().filter_map(|width| of_width(counts, phases, width));
    estimates.reduce(f64::max).map_or(1.0, |index| index.max(MIN_INDEX))
}

/// Returns the index of dispersion in batches of `width` intervals, or `None` if there are too few batches.
fn of_width(counts: &[f64], phases: &[Range<usize>], width: f64) -> Option<f64> {
    if !width.is_finite() || width > counts.len() as f64 {
        return None;
    }
    let width = crate::engine::floor_to_usize(width).max(1);
    let (mut batches, mut squares, mut freedom) = (0, 0.0, 0.0);
    let mut expected = 0.0;
    for phase in phases {
        let sums: Vec<f64> = counts
            .get(phase.clone())
            .unwrap_or_default()
            .chunks_exact(width)
            .map(|batch| batch.iter().sum())
            .collect();
        if sums.len() < 2 {
            continue;
        }
        let mean = sums.iter().sum::<f64>() / sums.len() as f64;
        squares += sums.iter().map(|sum| (sum - mean) * (sum - mean)).sum::<f64>();
        freedom += (sums.len() - 1) as f64;
        expected += mean * (sums.len() - 1) as f64;
        batches += sums.len();
    }
    if batches < MIN_BATCHES || expected <= 0.0 {
        return None;
    }
    // The variance of the estimate is that of a chi-squared variable over its degrees of freedom.
    Some(squares / expected * (1.0 + (2.0 / freedom).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Draw, RandomStream};

    /// Counts per interval of a process with these gaps and `bursts` arrivals at a time.
    fn counts(intervals: usize, burst: f64, mut gap: impl FnMut() -> f64) -> Vec<f64> {
        let mut counts = vec![0.0; intervals];
        let mut at = gap();
        while at < intervals as f64 {
            counts[crate::engine::floor_to_usize(at)] += burst;
            at += gap();
        }
        counts
    }

    #[test]
    fn regular_random_and_bursty_arrivals_differ() {
        let mut stream = RandomStream::from_seed(1);
        let mut exponential = |mean: f64| -mean * libm::log(1.0 - stream.uniform());
        let all = std::slice::from_ref(&(0..1200));
        let regular = dispersion(&counts(1200, 1.0, || 0.7), all);
        assert!(regular < 0.2, "{regular}");
        let poisson = dispersion(&counts(1200, 1.0, || exponential(0.7)), all);
        assert!((0.8..1.9).contains(&poisson), "{poisson}");
        let bursty = dispersion(&counts(1200, 10.0, || exponential(7.0)), all);
        assert!((8.0..19.0).contains(&bursty), "{bursty}");
    }

    #[test]
    fn a_step_between_phases_is_no_dispersion() {
        let mut stream = RandomStream::from_seed(2);
        let mut exponential = |mean: f64| -mean * libm::log(1.0 - stream.uniform());
        let mut step = counts(600, 1.0, || exponential(2.0));
        step.extend(counts(600, 1.0, || exponential(0.2)));
        let (one, two) =
            (dispersion(&step, std::slice::from_ref(&(0..1200))), dispersion(&step, &[0..600, 600..1200]));
        assert!(one > 20.0 && two < 2.0, "{one} {two}");
    }

    #[test]
    fn few_arrivals_count_as_poisson() {
        assert!((dispersion(&[0.0; 100], std::slice::from_ref(&(0..100))) - 1.0).abs() < 1e-12);
        assert!((dispersion(&[], &[]) - 1.0).abs() < 1e-12);
    }
}
