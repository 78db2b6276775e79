//! The exponential law: density e^(-x/mean) / mean. Its standard deviation is its mean. Drawn by
//! [`ziggurat::exponential`].

use rand::Rng;
use rand_distr::Distribution;

use super::special::gamma_cdf;
use super::{Law, PartialMoments, ziggurat};

/// The exponential law with a mean above zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponential {
    mean: f64,
}

impl Exponential {
    pub(super) const fn new(mean: f64) -> Self {
        Self { mean }
    }
}

impl Distribution<f64> for Exponential {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.mean * ziggurat::exponential(rng)
    }
}

impl Law for Exponential {
    fn mean(&self) -> f64 {
        self.mean
    }

    fn sd(&self) -> f64 {
        self.mean
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        // The law is memoryless: its partial moments about `min` are incomplete gamma functions.
        let (survival, width) = (libm::exp(-min / self.mean), (max - min) / self.mean);
        if !(width > 0.0 && survival > 0.0) {
            return PartialMoments::ZERO;
        }
        PartialMoments {
            mass: -survival * libm::expm1(-width),
            about: min,
            first: survival * self.mean * gamma_cdf(2.0, width),
            second: survival * self.mean * self.mean * 2.0 * gamma_cdf(3.0, width),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::distribution::Sampler;
    use crate::engine::distribution::testing::{assert_close, assert_consistent, golden};

    #[test]
    fn draws_follow_the_law() {
        assert_consistent(&Sampler::exponential(1e8));
        assert_close(Sampler::exponential(2.0).cdf(2.0), 1.0 - libm::exp(-1.0), 1e-15);
    }

    #[test]
    fn its_partial_moments_are_exact() {
        let whole = Sampler::exponential(3.0).partial_moments(0.0, f64::INFINITY);
        assert_close(whole.mean(), 3.0, 1e-15);
        assert_close(whole.sd(), 3.0, 1e-15);
        let tail = Sampler::exponential(3.0).partial_moments(7.0, f64::INFINITY);
        assert_close(tail.mean(), 10.0, 1e-15);
        assert_close(tail.mass, libm::exp(-7.0 / 3.0), 1e-15);
    }

    #[test]
    fn the_values_never_change() {
        assert_eq!(golden(&Sampler::exponential(1e8)), GOLDEN);
    }

    const GOLDEN: [u64; 6] = [
        0x419a_264c_8c1b_2240,
        0x419a_f0d2_df61_a674,
        0x4181_3b77_a4c7_1b3e,
        0x4189_4905_9bb5_5b12,
        0x4176_0a55_09ea_5c96,
        0x9a87_e4c2_20eb_30a0,
    ];
}
