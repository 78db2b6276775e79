//! Another law plus a constant, such as a minimum round trip time plus a random delay.

use rand::Rng;
use rand_distr::Distribution;

use super::{DistributionSpec, Law, PartialMoments, Sampler};
use crate::engine::spec_error::SpecError;
use crate::engine::units::Quantity;

/// The law `of`, plus `by`.
#[derive(Clone, Debug, PartialEq)]
pub struct Shifted {
    by: f64,
    of: Sampler,
}

pub(super) fn resolve<Q: Quantity>(by: Q, of: &DistributionSpec<Q>) -> Result<Sampler, SpecError> {
    let (by, of) = (by.to_base(), of.resolve().map_err(|error| error.inside("of"))?);
    Ok(match of.as_constant() {
        Some(value) => Sampler::constant(by + value),
        None => Sampler::Shifted(Box::new(Shifted { by, of })),
    })
}

impl Distribution<f64> for Shifted {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.by + self.of.sample(rng)
    }
}

impl Law for Shifted {
    fn mean(&self) -> f64 {
        self.by + self.of.mean()
    }

    fn sd(&self) -> f64 {
        self.of.sd()
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        if max < self.by {
            return PartialMoments::ZERO;
        }
        self.of.partial_moments((min - self.by).max(0.0), max - self.by).shifted(self.by)
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::distribution::testing::{assert_close, assert_consistent, golden};
    use crate::engine::distribution::{DistributionSpec, Sampler};
    use crate::engine::time::SimDuration;

    fn shifted(by: u64, of: DistributionSpec<SimDuration>) -> Sampler {
        DistributionSpec::Shifted { by: SimDuration::from_nanos(by), of: Box::new(of) }
            .resolve()
            .expect("a law")
    }

    fn exponential(mean: u64) -> DistributionSpec<SimDuration> {
        DistributionSpec::Exponential { mean: SimDuration::from_nanos(mean) }
    }

    #[test]
    fn draws_follow_the_law() {
        let sampler = shifted(5_000_000, exponential(1_000_000));
        assert_close(sampler.mean(), 6e6, 0.0);
        assert_close(sampler.sd(), 1e6, 0.0);
        assert_close(sampler.cdf(4_999_999.0), 0.0, 0.0);
        assert_consistent(&sampler);
    }

    #[test]
    fn a_shifted_constant_is_a_constant() {
        let sampler = shifted(5, DistributionSpec::Constant(SimDuration::from_nanos(3)));
        assert_eq!(sampler.as_constant(), Some(8.0));
    }

    #[test]
    fn the_values_never_change() {
        assert_eq!(golden(&shifted(5_000_000, exponential(1_000_000))), GOLDEN);
    }

    const GOLDEN: [u64; 6] = [
        0x4157_41e6_7cd1_2433,
        0x4157_624d_e64d_1064,
        0x4154_73ba_d9fb_72d2,
        0x4155_18a7_7d18_bf9b,
        0x4153_f481_7b46_d081,
        0x7f41_aaa1_126d_4c1f,
    ];
}
