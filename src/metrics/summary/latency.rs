//! Statistics of a set of times: latencies, waiting times, service times.

use serde::Serialize;

use crate::engine::statistics::Tally;
use crate::engine::time::nanos_to_seconds;

/// Statistics of a set of times, in seconds; `None` where there are too few samples for a statistic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct DurationStats {
    /// Number of samples.
    pub count: u64,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Sample standard deviation.
    pub sd: Option<f64>,
    /// Minimum.
    pub min: Option<f64>,
    /// Median. Percentiles are exact up to 512 samples, and within 0.1 % beyond.
    pub p50: Option<f64>,
    /// 80th percentile.
    pub p80: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// 99.9th percentile.
    pub p999: Option<f64>,
    /// Maximum.
    pub max: Option<f64>,
}

impl DurationStats {
    /// Statistics of a tally of nanoseconds.
    #[must_use]
    pub fn of(tally: &Tally) -> Self {
        if tally.count() == 0 {
            return Self::default();
        }
        let statistics = tally.summarize();
        let seconds = |nanos: f64| nanos / 1e9;
        let [p50, p80, p90, p95, p99, p999] = statistics
            .quantiles([0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
            .map(|quantile| quantile.map(nanos_to_seconds));
        Self {
            count: statistics.count(),
            mean: statistics.mean().map(seconds),
            sd: statistics.sd().map(seconds),
            min: statistics.min().map(nanos_to_seconds),
            p50,
            p80,
            p90,
            p95,
            p99,
            p999,
            max: statistics.max().map(nanos_to_seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_in_seconds_and_an_empty_tally_has_none() {
        let mut tally = Tally::default();
        assert_eq!(DurationStats::of(&tally), DurationStats::default());
        (1..=1000).for_each(|ms| tally.record(ms * 1_000_000));
        let latency = DurationStats::of(&tally);
        assert_eq!((latency.count, latency.min, latency.max), (1000, Some(0.001), Some(1.0)));
        assert_eq!(latency.mean, Some(0.5005));
        let p999 = latency.p999.expect("1000 samples have a percentile");
        assert!((p999 - 0.999).abs() < 0.001, "{p999} is more than 0.1 % off");
    }
}
