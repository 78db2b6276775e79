//! The constant law. Laws with a standard deviation of zero are resolved to it, so that callers can skip the draw.

use rand::Rng;
use rand_distr::Distribution;

use super::{Law, PartialMoments};

/// A law with its whole mass at one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constant(f64);

impl Constant {
    pub(super) fn new(value: f64) -> Self {
        // Also turns NaN into zero.
        Self(value.max(0.0))
    }
}

impl Distribution<f64> for Constant {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, _: &mut R) -> f64 {
        self.0
    }
}

impl Law for Constant {
    fn mean(&self) -> f64 {
        self.0
    }

    fn sd(&self) -> f64 {
        0.0
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        if min <= self.0 && self.0 <= max { PartialMoments::atom(self.0, 1.0) } else { PartialMoments::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::distribution::Sampler;
    use crate::engine::distribution::testing::{assert_close, golden};

    #[test]
    fn every_draw_is_the_constant() {
        let sampler = Sampler::constant(5e6);
        assert_eq!(golden(&sampler)[..5], [5e6_f64.to_bits(); 5]);
        assert_close(sampler.mean(), 5e6, 0.0);
        assert_close(sampler.sd(), 0.0, 0.0);
        assert_close(sampler.cdf(4e6), 0.0, 0.0);
        assert_close(sampler.cdf(5e6), 1.0, 0.0);
    }
}
