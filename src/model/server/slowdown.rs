//! Slow-down: services that take longer the more requests are in service.
//!
//! Threads that compete for locks, memory that is collected more often the fuller it is, a database with too many
//! connections: each further request slows down all others. Gunther: "Guerrilla capacity planning", 2007, for the shapes that
//! throughput then has.

use serde::{Deserialize, Serialize};

use crate::model::check::Checker;
use crate::text::Path;

/// By how much services slow down, as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowdownSpec {
    /// The factor by which services take longer.
    pub factor: FactorSpec,
    /// Whether the factor of a service is that at its start. By default, it follows the number of requests, so that the work
    /// that is left takes longer or less long from then on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed: bool,
}

/// A factor that depends on the number of requests in service, as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum FactorSpec {
    /// 1 up to a number of requests; each further one adds the same.
    Linear {
        /// The number of requests up to which the factor is 1.
        #[serde(default = "one")]
        from: u32,
        /// What each further request adds (0 or more).
        each: f64,
    },
    /// 1 up to a number of requests; with n further ones, 1 + each * n ^ exponent.
    Polynomial {
        /// The number of requests up to which the factor is 1.
        #[serde(default = "one")]
        from: u32,
        /// What the first further request adds (0 or more).
        each: f64,
        /// The exponent (above 0, up to 10).
        exponent: f64,
    },
    /// From about 1 to a maximum, in the shape of an S.
    Logistic {
        /// The number of requests at which half of the slow-down is reached (above 0).
        middle: f64,
        /// The number of requests around the middle over which most of it happens (above 0).
        width: f64,
        /// The maximum (1 or more).
        max: f64,
    },
    /// The factors of some numbers of requests, in ascending order: `Table([(10, 1.0), (50, 3.0)])`. Linear between them,
    /// constant before the first and after the last.
    Table(Vec<(u32, f64)>),
}

const fn one() -> u32 {
    1
}

/// Maximum of a factor: a service that takes a million times as long never ends in practice.
const MAX_FACTOR: f64 = 1e6;

impl FactorSpec {
    /// The factor with this number of requests in service.
    pub(super) fn at(&self, requests: u32) -> f64 {
        let above = |from: u32| f64::from(requests.saturating_sub(from));
        let factor = match self {
            Self::Linear { from, each } => 1.0 + each * above(*from),
            Self::Polynomial { from, each, exponent } => 1.0 + each * libm::pow(above(*from), *exponent),
            Self::Logistic { middle, width, max } => {
                let distance = (f64::from(requests) - middle) / width;
                1.0 + (max - 1.0) / (1.0 + libm::exp(-4.0 * distance))
            }
            Self::Table(points) => interpolate(points, requests),
        };
        factor.min(MAX_FACTOR)
    }

    /// The maximum throughput of up to this number of requests in service as a share of that of as many that do not slow each
    /// other down.
    fn efficiency(&self, slots: u32) -> f64 {
        let slots = slots.max(1);
        let throughput = |requests: u32| f64::from(requests) / self.at(requests);
        // Between the points of a table, the maximum is at one of its ends. Other shapes are smooth: numbers that are one
        // percent apart come close enough to it.
        let spread = std::iter::successors(Some(1_u32), |count| count.checked_add(1 + count / 100));
        let points = if let Self::Table(points) = self { points.as_slice() } else { &[] };
        let points = points.iter().map(|(requests, _)| (*requests).clamp(1, slots));
        let counts = spread.take_while(|count| *count < slots).chain(points).chain([slots]);
        counts.map(throughput).fold(0.0, f64::max) / f64::from(slots)
    }

    fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        let mut expect = |is_right: bool, field: &str, message: &str| {
            if !is_right {
                checker.add(path.clone().name(field), message, "write such a number");
            }
        };
        let is_each = |each: f64| (0.0..=MAX_FACTOR).contains(&each);
        match self {
            Self::Linear { each, .. } => expect(is_each(*each), "each", "expected a number, 0 or more"),
            Self::Polynomial { each, exponent, .. } => {
                expect(is_each(*each), "each", "expected a number, 0 or more");
                let is_right = *exponent > 0.0 && *exponent <= 10.0;
                expect(is_right, "exponent", "expected a number above 0, and at most 10");
            }
            Self::Logistic { middle, width, max } => {
                let is_positive = |value: f64| value > 0.0 && value.is_finite();
                expect(is_positive(*middle), "middle", "expected a number of requests above 0");
                expect(is_positive(*width), "width", "expected a number of requests above 0");
                expect((1.0..=MAX_FACTOR).contains(max), "max", "expected a factor, 1 or more");
            }
            Self::Table(points) => check_table(points, path, checker),
        }
    }
}

fn check_table(points: &[(u32, f64)], path: &Path, checker: &mut Checker<'_>) {
    let hint = "write pairs of a number of requests and a factor: [(10, 1.0), (50, 3.0)]";
    if points.is_empty() {
        checker.add(path.clone(), "the table is empty", hint);
    }
    if !points.is_sorted_by(|a, b| a.0 < b.0) {
        checker.add(path.clone(), "the numbers of requests do not ascend", hint);
    }
    if let Some((_, factor)) = points.iter().find(|(_, factor)| !(1e-3..=MAX_FACTOR).contains(factor)) {
        let message = format!("the factor {factor} is not between 0.001 and 1000000");
        checker.add(path.clone(), message, hint);
    }
}

/// The value at `x` of the line through some points.
fn interpolate(points: &[(u32, f64)], x: u32) -> f64 {
    let after = points.partition_point(|(at, _)| *at < x);
    let (Some(&(_, first)), Some(&(_, last))) = (points.first(), points.last()) else { return 1.0 };
    let (Some(&(to, high)), Some(&(from, low))) =
        (points.get(after), after.checked_sub(1).and_then(|before| points.get(before)))
    else {
        return if after == 0 { first } else { last };
    };
    low + (high - low) * f64::from(x - from) / f64::from(to - from)
}

/// The maximum throughput of a number of slots as a share of that of as many requests that do not slow each other down.
pub(super) fn efficiency(slowdown: Option<&SlowdownSpec>, slots: u32) -> f64 {
    slowdown.map_or(1.0, |slowdown| slowdown.factor.efficiency(slots))
}

impl SlowdownSpec {
    /// Reports errors.
    pub(super) fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        self.factor.check(&path.clone().name("factor"), checker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_follow_their_shapes() {
        let linear = FactorSpec::Linear { from: 4, each: 0.5 };
        let assert_is = |factor: &FactorSpec, expected: &[(u32, f64)]| {
            for (requests, expected) in expected {
                let actual = factor.at(*requests);
                assert!((actual - expected).abs() < 1e-3, "{factor:?} at {requests} is {actual}");
            }
        };
        assert_is(&linear, &[(1, 1.0), (4, 1.0), (5, 1.5), (8, 3.0)]);
        let square = FactorSpec::Polynomial { from: 1, each: 0.1, exponent: 2.0 };
        assert_is(&square, &[(1, 1.0), (2, 1.1), (11, 11.0)]);
        let logistic = FactorSpec::Logistic { middle: 50.0, width: 20.0, max: 5.0 };
        assert_is(&logistic, &[(0, 1.0), (50, 3.0), (100, 5.0)]);
        let table = FactorSpec::Table(vec![(10, 1.0), (20, 3.0)]);
        assert_is(&table, &[(0, 1.0), (10, 1.0), (15, 2.0), (20, 3.0), (99, 3.0)]);
        let steep = FactorSpec::Polynomial { from: 0, each: 1.0, exponent: 10.0 };
        assert_is(&steep, &[(u32::MAX, MAX_FACTOR)]);
    }

    #[test]
    fn the_efficiency_is_that_of_the_best_number_of_requests() {
        // 40 requests at half the speed, or 20 at the full one.
        let table = FactorSpec::Table(vec![(20, 1.0), (40, 2.0), (80, 8.0)]);
        assert!((table.efficiency(80) - 0.25).abs() < 1e-9 && (table.efficiency(10) - 1.0).abs() < 1e-9);
        let linear = FactorSpec::Linear { from: 1, each: 1.0 };
        assert!((linear.efficiency(8) - 0.125).abs() < 1e-9);
        // n / (1 + (n - 1)^2 / 100) is highest at n = sqrt(101).
        let square = FactorSpec::Polynomial { from: 1, each: 0.01, exponent: 2.0 };
        let best = 10.0 / (1.0 + 0.81);
        assert!((square.efficiency(1000) * 1000.0 / best - 1.0).abs() < 1e-9);
    }
}
