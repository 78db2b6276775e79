//! The uniform law between two bounds. The mean is (min + max) / 2, the standard deviation (max - min) / sqrt(12).

use rand::Rng;
use rand_distr::Distribution;

use super::{Law, PartialMoments, Sampler};
use crate::engine::random::Draw;
use crate::engine::spec_error::SpecError;
use crate::engine::units::Quantity;

/// A uniform law from `min` to `max`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniform {
    min: f64,
    max: f64,
}

pub(super) fn resolve<Q: Quantity>(min: Q, max: Q) -> Result<Sampler, SpecError> {
    let law = Uniform { min: min.to_base(), max: max.to_base() };
    if law.min > law.max {
        return Err(SpecError::at("max", format!("{max} is below the min of {min}: swap them")));
    }
    Ok(if law.min < law.max { Sampler::Uniform(law) } else { Sampler::constant(law.min) })
}

impl Distribution<f64> for Uniform {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.min + (self.max - self.min) * rng.uniform()
    }
}

impl Law for Uniform {
    fn mean(&self) -> f64 {
        self.min + 0.5 * (self.max - self.min)
    }

    fn sd(&self) -> f64 {
        (self.max - self.min) / 12_f64.sqrt()
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        PartialMoments::uniform(self.min, self.max, 1.0, min, max)
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::distribution::DistributionSpec;
    use crate::engine::distribution::testing::{assert_close, assert_consistent, golden};
    use crate::engine::time::SimDuration;

    fn uniform(min: u64, max: u64) -> DistributionSpec<SimDuration> {
        DistributionSpec::Uniform { min: SimDuration::from_nanos(min), max: SimDuration::from_nanos(max) }
    }

    #[test]
    fn draws_follow_the_law() {
        let sampler = uniform(2_000_000, 5_000_000).resolve().expect("a law");
        assert_consistent(&sampler);
        assert_close(sampler.mean(), 3_500_000.0, 0.0);
        assert_close(sampler.cdf(3_000_000.0), 1.0 / 3.0, 1e-15);
    }

    #[test]
    fn bounds_in_the_wrong_order_are_refused_and_equal_ones_are_a_constant() {
        let error = uniform(5, 4).resolve().expect_err("empty");
        assert_eq!((error.field(), error.message()), ("max", "4ns is below the min of 5ns: swap them"));
        assert_eq!(uniform(5, 5).resolve().expect("a law").as_constant(), Some(5.0));
    }

    #[test]
    fn the_values_never_change() {
        assert_eq!(golden(&uniform(2_000_000, 5_000_000).resolve().expect("a law")), GOLDEN);
    }

    const GOLDEN: [u64; 6] = [
        0x4150_eae5_1e81_5cc6,
        0x4150_2de8_8980_9bd8,
        0x4141_8d12_5af4_fc2e,
        0x4150_2b4e_a728_8eb6,
        0x4143_7c59_dbb1_9a53,
        0x6ce4_f2d4_31e9_005a,
    ];
}
