//! The Weibull law: scale times E^(1/shape) for an exponential E with mean 1.
//!
//! Weibull: "A statistical distribution function of wide applicability", 1951. The mean is scale Γ(1 + 1/shape), the
//! second moment scale² Γ(1 + 2/shape). The partial moments are incomplete gamma functions.

use rand::Rng;
use rand_distr::Distribution;

use super::special::gamma_cdf;
use super::{Law, PartialMoments, Sampler, ziggurat};
use crate::engine::spec_error::SpecError;
use crate::engine::units::Quantity;

/// A Weibull law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weibull {
    mean: f64,
    scale: f64,
    /// 1 / shape.
    power: f64,
}

pub(super) fn resolve<Q: Quantity>(mean: Q, shape: f64) -> Result<Sampler, SpecError> {
    if !(0.05..=1000.0).contains(&shape) {
        return Err(SpecError::at(
            "shape",
            format!(
                "{shape} is out of range: expected a number from 0.05 (nearly always zero) to 1000 (nearly constant); \
                 1 is exponential"
            ),
        ));
    }
    let mean = mean.to_base();
    if mean == 0.0 {
        return Ok(Sampler::constant(0.0));
    }
    let power = 1.0 / shape;
    Ok(Sampler::Weibull(Weibull { mean, scale: mean / libm::tgamma(1.0 + power), power }))
}

impl Distribution<f64> for Weibull {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.scale * libm::pow(ziggurat::exponential(rng), self.power)
    }
}

impl Law for Weibull {
    fn mean(&self) -> f64 {
        self.mean
    }

    fn sd(&self) -> f64 {
        let logarithm = libm::lgamma(1.0 + 2.0 * self.power) - 2.0 * libm::lgamma(1.0 + self.power);
        self.mean * libm::expm1(logarithm).sqrt()
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        if min > max {
            return PartialMoments::ZERO;
        }
        let cumulative_hazard = |x: f64| libm::pow(x / self.scale, 1.0 / self.power);
        let (from, to) = (cumulative_hazard(min), cumulative_hazard(max));
        let between = |k: f64| gamma_cdf(1.0 + k * self.power, to) - gamma_cdf(1.0 + k * self.power, from);
        let second = self.scale * self.scale * libm::tgamma(1.0 + 2.0 * self.power);
        PartialMoments {
            mass: libm::exp(-from) - libm::exp(-to),
            about: 0.0,
            first: self.mean * between(1.0),
            second: second * between(2.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::distribution::testing::{
        assert_close, assert_consistent, assert_same_law, draws, golden,
    };
    use crate::engine::distribution::{DistributionSpec, Sampler};
    use crate::engine::random::RandomStream;
    use crate::engine::spec_error::SpecError;
    use crate::engine::time::SimDuration;

    fn weibull(shape: f64) -> Result<Sampler, SpecError> {
        DistributionSpec::Weibull { mean: SimDuration::from_nanos(1_000_000), shape }.resolve()
    }

    #[test]
    fn draws_follow_the_law() {
        for shape in [0.4, 0.7, 1.0, 2.0, 5.0, 900.0] {
            let sampler = weibull(shape).expect("a law");
            assert_close(sampler.mean(), 1e6, 0.0);
            assert_consistent(&sampler);
            let whole = sampler.partial_moments(0.0, f64::INFINITY);
            assert_close(whole.mean(), 1e6, 1e-12);
            assert_close(whole.sd(), sampler.sd(), 1e-7);
        }
        assert_close(weibull(1.0).expect("exponential").sd(), 1e6, 1e-14);
        // The Rayleigh law: sd / mean = sqrt(4/pi - 1).
        assert_close(
            weibull(2.0).expect("a law").sd(),
            1e6 * (4.0 / std::f64::consts::PI - 1.0).sqrt(),
            1e-13,
        );
    }

    #[test]
    fn draws_agree_with_rand_distr() {
        use rand_distr::{Distribution, Weibull};
        let scale = 1e6 / libm::tgamma(1.0 + 1.0 / 0.8);
        let (law, mut stream) = (Weibull::new(scale, 0.8).expect("a law"), RandomStream::from_seed(5));
        let other = (0..100_000).map(|_| law.sample(&mut stream)).collect();
        assert_same_law(draws(&weibull(0.8).expect("a law"), 100_000), other);
    }

    #[test]
    fn a_shape_out_of_range_is_refused() {
        for shape in [0.0, -1.0, 0.01, 2000.0, f64::NAN, f64::INFINITY] {
            assert_eq!(weibull(shape).expect_err("out of range").field(), "shape");
        }
    }

    #[test]
    fn the_values_never_change() {
        assert_eq!(golden(&weibull(1.5).expect("a law")), GOLDEN);
    }

    const GOLDEN: [u64; 6] = [
        0x4131_f9fb_2ae5_b9fe,
        0x4132_5656_096c_e54e,
        0x4121_26c3_b39d_3dc1,
        0x4126_25a6_0c83_afb1,
        0x4119_764a_ef60_9bb0,
        0x42a3_ec12_6502_62bc,
    ];
}
