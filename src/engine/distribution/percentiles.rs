//! A law by its percentiles, with linear interpolation: its quantile function is piecewise linear.
//!
//! Values between two percentiles are uniform, unlike those of real tails, so the mean differs from that of the
//! original data. Two equal percentiles put the mass between them at one value.

use rand::Rng;
use rand_distr::Distribution;

use super::{Law, PartialMoments, Sampler};
use crate::engine::random::Draw;
use crate::engine::spec_error::SpecError;
use crate::engine::units::Quantity;

const NAMES: [&str; 6] = ["p0", "p50", "p80", "p90", "p99", "p100"];
const LEVELS: [f64; 6] = [0.0, 0.5, 0.8, 0.9, 0.99, 1.0];

/// The law of the values at some levels, both ascending. The first level is 0, the last is 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Percentiles(Vec<(f64, f64)>);

/// A percentile as written: its field, its level from 0 to 1, and its value.
struct Written<Q> {
    field: String,
    level: f64,
    value: Q,
}

pub(super) fn resolve<Q: Quantity>(named: [Option<Q>; 6], others: &[(f64, Q)]) -> Result<Sampler, SpecError> {
    let [p0, ..] = named;
    let named = [Some(p0.unwrap_or_else(|| Q::from_base(0.0)))].into_iter().chain(named.into_iter().skip(1));
    let named = named.zip(NAMES).zip(LEVELS).filter_map(|((value, name), level)| {
        value.map(|value| Written { field: name.to_owned(), level, value })
    });
    let mut written: Vec<Written<Q>> = named.collect();
    for (index, &(percentage, value)) in others.iter().enumerate() {
        let field = format!("others[{index}]");
        if !(percentage > 0.0 && percentage < 100.0) {
            let message =
                format!("{percentage} is not a percentage: expected a number above 0 and below 100");
            return Err(SpecError::at(&field, message));
        }
        written.push(Written { field, level: percentage / 100.0, value });
    }
    written.sort_by(|a, b| a.level.total_cmp(&b.level));
    written.windows(2).try_for_each(|pair| ascending(&pair[0], &pair[1]))?;
    let points: Vec<(f64, f64)> = written.iter().map(|one| (one.level, one.value.to_base())).collect();
    let (min, max) = (points[0].1, points[points.len() - 1].1);
    Ok(if min < max { Sampler::Percentiles(Box::new(Percentiles(points))) } else { Sampler::constant(min) })
}

/// Returns an error unless the second percentile has a higher level, and not a lower value.
fn ascending<Q: Quantity>(below: &Written<Q>, above: &Written<Q>) -> Result<(), SpecError> {
    let name = |one: &Written<Q>| format!("p{}", one.level * 100.0);
    if below.level.to_bits() == above.level.to_bits() {
        return Err(SpecError::at(&above.field, format!("{} is given twice", name(above))));
    }
    if above.value.to_base() < below.value.to_base() {
        let (value, lower) = (above.value, below.value);
        let message =
            format!("{value} is below the {} of {lower}: expected ascending percentiles", name(below));
        return Err(SpecError::at(&above.field, message));
    }
    Ok(())
}

impl Percentiles {
    /// The pieces: their probability, minimum and maximum.
    fn pieces(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        self.0.windows(2).map(|pair| (pair[1].0 - pair[0].0, pair[0].1, pair[1].1))
    }
}

impl Distribution<f64> for Percentiles {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let u = rng.uniform();
        let above = self.0.partition_point(|(level, _)| *level <= u).min(self.0.len() - 1);
        let ((from, low), (to, high)) = (self.0[above - 1], self.0[above]);
        low + (high - low) * ((u - from) / (to - from))
    }
}

impl Law for Percentiles {
    fn mean(&self) -> f64 {
        self.partial_moments(0.0, f64::INFINITY).mean()
    }

    fn sd(&self) -> f64 {
        self.partial_moments(0.0, f64::INFINITY).sd()
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        PartialMoments::mixture(
            self.pieces().map(|(mass, low, high)| PartialMoments::uniform(low, high, mass, min, max)),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::distribution::testing::{
        DRAWS, assert_close, assert_consistent, assert_moments, draws, golden,
    };
    use crate::engine::distribution::{DistributionSpec, Sampler};
    use crate::engine::spec_error::SpecError;
    use crate::engine::time::SimDuration;

    fn percentiles(p0: Option<u64>, named: [u64; 5]) -> Result<Sampler, SpecError> {
        let p0 = p0.map(SimDuration::from_nanos);
        let [p50, p80, p90, p99, p100] = named.map(SimDuration::from_nanos);
        let [p50, p80, p90, p99] = [p50, p80, p90, p99].map(Some);
        DistributionSpec::Percentiles { p0, p50, p80, p90, p99, others: Vec::new(), p100 }.resolve()
    }

    fn others(others: &[(f64, u64)], p100: u64) -> Result<Sampler, SpecError> {
        let others = others.iter().map(|&(level, nanos)| (level, SimDuration::from_nanos(nanos))).collect();
        let p100 = SimDuration::from_nanos(p100);
        DistributionSpec::Percentiles { p0: None, p50: None, p80: None, p90: None, p99: None, others, p100 }
            .resolve()
    }

    #[test]
    fn any_list_of_percentiles_is_a_law() {
        // In any order: 25 % up to 4, half up to 8, 99.9 % up to 100, the rest up to 1,000.
        let sampler = others(&[(99.9, 100), (25.0, 4), (50.0, 8)], 1_000).expect("a law");
        for (value, level) in [(4.0, 0.25), (8.0, 0.5), (54.0, 0.7495), (100.0, 0.999), (1_000.0, 1.0)] {
            assert_close(sampler.cdf(value), level, 1e-12);
        }
        assert_close(sampler.mean(), 0.25 * 2.0 + 0.25 * 6.0 + 0.499 * 54.0 + 0.001 * 550.0, 1e-12);
        assert_consistent(&sampler);
        assert_eq!(others(&[], 7).expect("a law").cdf(3.5).to_bits(), 0.5_f64.to_bits());
    }

    #[test]
    fn percentages_are_checked() {
        let error = |list: &[(f64, u64)]| {
            let error = others(list, 100).expect_err("invalid");
            (error.field().to_owned(), error.message().to_owned())
        };
        assert_eq!(error(&[(50.0, 4), (100.0, 8)]).0, "others[1]");
        assert_eq!(error(&[(0.0, 4)]).0, "others[0]");
        assert_eq!(error(&[(f64::NAN, 4)]).0, "others[0]");
        assert_eq!(error(&[(75.0, 4), (75.0, 4)]), ("others[1]".to_owned(), "p75 is given twice".to_owned()));
        let falling = error(&[(90.0, 4), (75.0, 8)]);
        assert_eq!(falling.0, "others[0]");
        assert_eq!(falling.1, "4ns is below the p75 of 8ns: expected ascending percentiles");
    }

    #[test]
    fn draws_follow_the_law() {
        let sampler = percentiles(None, [10_000, 20_000, 40_000, 100_000, 500_000]).expect("a law");
        // 0.5 * 5 + 0.3 * 15 + 0.1 * 30 + 0.09 * 70 + 0.01 * 300 microseconds.
        assert_close(sampler.mean(), 19_300.0, 1e-14);
        for (value, level) in [(10_000.0, 0.5), (20_000.0, 0.8), (40_000.0, 0.9), (1e5, 0.99), (5e5, 1.0)] {
            assert_close(sampler.cdf(value), level, 1e-14);
        }
        assert_consistent(&sampler);
    }

    #[test]
    fn equal_percentiles_are_a_point_mass() {
        let sampler = percentiles(Some(5_000), [5_000, 5_000, 40_000, 40_000, 40_000]).expect("a law");
        assert_close(sampler.cdf(5_000.0), 0.8, 1e-14);
        assert_close(sampler.mean(), 0.8 * 5_000.0 + 0.1 * 22_500.0 + 0.1 * 40_000.0, 1e-14);
        assert_moments(&draws(&sampler, DRAWS), sampler.mean(), sampler.sd());
        assert_eq!(percentiles(Some(3), [3; 5]).expect("a constant").as_constant(), Some(3.0));
    }

    #[test]
    fn descending_percentiles_are_refused() {
        let error = percentiles(None, [10, 20, 15, 30, 40]).expect_err("falling");
        assert_eq!(
            (error.field(), error.message()),
            ("p90", "15ns is below the p80 of 20ns: expected ascending percentiles")
        );
        assert_eq!(percentiles(Some(11), [10, 20, 25, 30, 40]).expect_err("falling").field(), "p50");
    }

    #[test]
    fn the_values_never_change() {
        let sampler = percentiles(None, [10_000, 20_000, 40_000, 100_000, 500_000]).expect("a law");
        assert_eq!(golden(&sampler), GOLDEN);
    }

    const GOLDEN: [u64; 6] = [
        0x40d5_cc9b_a239_628a,
        0x40d1_cf34_ba51_6044,
        0x409f_4c12_811e_842a,
        0x40d1_c7ce_a845_da33,
        0x40ac_db24_9418_9865,
        0x2ef5_292d_7db4_acb1,
    ];
}
