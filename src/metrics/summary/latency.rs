//! The figures of a set of times: latencies, waiting times, service times.

use serde::Serialize;

use crate::engine::statistics::Tally;
use crate::engine::time::nanos_to_seconds;

/// Figures of a set of times, in seconds; nothing where there are too few times for a figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct DurationStats {
    /// The number of times.
    pub count: u64,
    /// The arithmetic mean.
    pub mean: Option<f64>,
    /// The sample standard deviation.
    pub sd: Option<f64>,
    /// The shortest.
    pub min: Option<f64>,
    /// The median. Percentiles are exact up to 512 times, beyond that within 0.1 %.
    pub p50: Option<f64>,
    /// 80 % are no longer than this.
    pub p80: Option<f64>,
    /// 90 % are no longer than this.
    pub p90: Option<f64>,
    /// 95 % are no longer than this.
    pub p95: Option<f64>,
    /// 99 % are no longer than this.
    pub p99: Option<f64>,
    /// 99.9 % are no longer than this.
    pub p999: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
}

impl DurationStats {
    /// The figures of a tally of nanoseconds.
    #[must_use]
    pub fn of(tally: &Tally) -> Self {
        let figures = tally.summarize();
        let seconds = |nanos: f64| nanos / 1e9;
        let [p50, p80, p90, p95, p99, p999] = figures
            .quantiles([0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
            .map(|quantile| quantile.map(nanos_to_seconds));
        Self {
            count: figures.count(),
            mean: figures.mean().map(seconds),
            sd: figures.sd().map(seconds),
            min: figures.min().map(nanos_to_seconds),
            p50,
            p80,
            p90,
            p95,
            p99,
            p999,
            max: figures.max().map(nanos_to_seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_seconds_and_missing_figures_are_missing() {
        let mut tally = Tally::default();
        assert_eq!(DurationStats::of(&tally), DurationStats::default());
        (1..=1000).for_each(|ms| tally.record(ms * 1_000_000));
        let latency = DurationStats::of(&tally);
        assert_eq!((latency.count, latency.min, latency.max), (1000, Some(0.001), Some(1.0)));
        assert_eq!(latency.mean, Some(0.5005));
        let p999 = latency.p999.expect("a percentile");
        assert!((p999 - 0.999).abs() < 0.001, "{p999} is more than 0.1 % off");
    }
}
