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

/// The law of the values at the six [`LEVELS`], ascending.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percentiles([f64; 6]);

pub(super) fn resolve<Q: Quantity>(p0: Option<Q>, others: [Q; 5]) -> Result<Sampler, SpecError> {
    let p0 = p0.unwrap_or_else(|| Q::from_base(0.0));
    let [p50, p80, p90, p99, p100] = others;
    let written = [p0, p50, p80, p90, p99, p100];
    let values = written.map(Quantity::to_base);
    for i in 1..values.len() {
        if values[i] < values[i - 1] {
            return Err(SpecError::at(
                NAMES[i],
                format!(
                    "{} is below the {} of {}: expected ascending percentiles",
                    written[i],
                    NAMES[i - 1],
                    written[i - 1]
                ),
            ));
        }
    }
    Ok(if values[0] < values[5] {
        Sampler::Percentiles(Box::new(Percentiles(values)))
    } else {
        Sampler::constant(values[0])
    })
}

impl Percentiles {
    /// The pieces: their probability, minimum and maximum.
    fn pieces(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        (1..LEVELS.len()).map(|i| (LEVELS[i] - LEVELS[i - 1], self.0[i - 1], self.0[i]))
    }
}

impl Distribution<f64> for Percentiles {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let u = rng.uniform();
        let mut i = 1;
        while u >= LEVELS[i] && i < 5 {
            i += 1;
        }
        let (low, high) = (self.0[i - 1], self.0[i]);
        low + (high - low) * ((u - LEVELS[i - 1]) / (LEVELS[i] - LEVELS[i - 1]))
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

    fn percentiles(p0: Option<u64>, others: [u64; 5]) -> Result<Sampler, SpecError> {
        let [p50, p80, p90, p99, p100] = others.map(SimDuration::from_nanos);
        DistributionSpec::Percentiles { p0: p0.map(SimDuration::from_nanos), p50, p80, p90, p99, p100 }
            .resolve()
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
