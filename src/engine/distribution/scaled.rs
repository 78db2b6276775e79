//! Another law times a factor, such as the service time of a server that has become slow.

use rand::Rng;
use rand_distr::Distribution;

use super::{Law, PartialMoments, Sampler};

/// The law `of`, times `by`.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaled {
    by: f64,
    of: Sampler,
}

impl Scaled {
    /// The law `of`, times `by`, which is above 0.
    pub(super) const fn new(by: f64, of: Sampler) -> Self {
        Self { by, of }
    }
}

impl Distribution<f64> for Scaled {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.by * self.of.sample(rng)
    }
}

impl Law for Scaled {
    fn mean(&self) -> f64 {
        self.by * self.of.mean()
    }

    fn sd(&self) -> f64 {
        self.by * self.of.sd()
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        self.of.partial_moments(min / self.by, max / self.by).scaled(self.by)
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::distribution::testing::{assert_close, assert_consistent};
    use crate::engine::distribution::{DistributionSpec, Sampler};
    use crate::engine::time::SimDuration;

    #[test]
    fn draws_follow_the_law() {
        let at = SimDuration::from_nanos;
        let uniform = DistributionSpec::Uniform { min: at(2_000_000), max: at(4_000_000) };
        let sampler = uniform.resolve().expect("a law").scaled(2.5);
        assert_close(sampler.mean(), 7.5e6, 0.0);
        assert_close(sampler.cdf(4_999_999.0), 0.0, 0.0);
        assert_close(sampler.cdf(7.5e6), 0.5, 1e-9);
        assert_consistent(&sampler);
    }

    #[test]
    fn constant_and_exponential_laws_stay_what_they_are() {
        assert_eq!(Sampler::constant(4.0).scaled(2.5).as_constant(), Some(10.0));
        assert_eq!(Sampler::exponential(4.0).scaled(2.5), Sampler::exponential(10.0));
    }
}
