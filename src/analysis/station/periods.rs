//! Time-weighted means over periods of constant capacity.

use crate::engine::floor_to_usize;
use crate::model::capacity::CapacityPeriod;

/// Returns the time-weighted mean of a value of the capacity periods, over a run that ends at `end` seconds.
pub(super) fn mean_of(periods: &[CapacityPeriod], end: f64, value: fn(&CapacityPeriod) -> f64) -> f64 {
    let [only] = periods else {
        let ends = periods.iter().skip(1).map(|period| period.from.as_seconds()).chain([end]);
        let parts = periods.iter().zip(ends).map(|(period, to)| {
            let length = (to - period.from.as_seconds()).max(0.0);
            (length, length * value(period))
        });
        let (length, sum) = parts.fold((0.0, 0.0), |(a, b), (length, part)| (a + length, b + part));
        return if length > 0.0 { sum / length } else { 0.0 };
    };
    value(only)
}

/// Returns the time-weighted mean of a value of the capacity periods, by interval.
pub(super) fn by_interval(
    periods: &[CapacityPeriod],
    intervals: usize,
    step: f64,
    value: fn(&CapacityPeriod) -> f64,
) -> Vec<f64> {
    let mut means = vec![0.0; intervals];
    let begins = |period: &CapacityPeriod| period.from.as_seconds();
    let ends = periods.iter().skip(1).map(begins).chain([step * intervals as f64]);
    for (period, end) in periods.iter().zip(ends) {
        let begin = begins(period);
        let first = floor_to_usize(begin / step).min(intervals);
        for (interval, mean) in means.iter_mut().enumerate().skip(first) {
            let (from, to) = (step * interval as f64, step * (interval + 1) as f64);
            if from >= end {
                break;
            }
            *mean += value(period) * ((end.min(to) - begin.max(from)) / step).clamp(0.0, 1.0);
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::distribution::Sampler;
    use crate::engine::time::SimTime;
    use crate::model::capacity::CapacityLog;
    use crate::model::node_state::NodeState;

    #[test]
    fn the_capacity_of_an_interval_is_a_time_weighted_mean() {
        let at = |seconds: u64| SimTime::from_nanos(seconds * 1_000_000_000);
        let mut log = CapacityLog::new(NodeState::Up, 2, &Sampler::constant(1e9));
        log.change(at(15), |period| period.state = NodeState::Down);
        log.change(at(25), |period| period.state = NodeState::Up);
        log.change(at(40), |period| *period = period.serving(&Sampler::exponential(0.5e9)));
        let capacity = by_interval(log.periods(), 10, 10.0, CapacityPeriod::per_second);
        let expected = [2.0, 1.0, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0];
        assert!(
            capacity.iter().zip(expected).all(|(actual, expected)| (actual - expected).abs() < 1e-9),
            "{capacity:?}"
        );
        assert!((mean_of(log.periods(), 100.0, |period| period.service) - 0.7).abs() < 1e-9);
        let up = by_interval(log.periods(), 10, 10.0, CapacityPeriod::availability);
        assert!((up.iter().sum::<f64>() - 9.0).abs() < 1e-9, "{up:?}");
    }
}
