//! The Pareto law: min U^(-1/shape) for a uniform U, with the minimum min = mean (shape - 1) / shape.
//!
//! Arnold: "Pareto distributions", 1983. The mean is infinite for shapes up to 1, the standard deviation for shapes up
//! to 2. Between 1 and 2, sample means converge slowly, and sample standard deviations do not.

use rand::Rng;
use rand_distr::Distribution;

use super::{Law, PartialMoments, Sampler, ziggurat};
use crate::engine::spec_error::SpecError;
use crate::engine::units::Quantity;

/// A Pareto law with a minimum above zero and a shape above 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pareto {
    mean: f64,
    min: f64,
    shape: f64,
}

pub(super) fn resolve<Q: Quantity>(mean: Q, shape: f64) -> Result<Sampler, SpecError> {
    if !(shape.is_finite() && shape > 1.0) {
        return Err(SpecError::at(
            "shape",
            format!("{shape} is out of range: expected a finite number above 1, as there is no mean up to 1"),
        ));
    }
    let mean = mean.to_base();
    if mean == 0.0 {
        return Ok(Sampler::constant(0.0));
    }
    Ok(Sampler::Pareto(Pareto { mean, min: mean * ((shape - 1.0) / shape), shape }))
}

impl Pareto {
    /// The k-th partial moment between `from`, not below the minimum, and `to`.
    fn moment(&self, k: f64, from: f64, to: f64) -> f64 {
        // The integral of shape min^shape x^(k - shape - 1); its antiderivative is a logarithm for k = shape.
        let (power, width) = (k - self.shape, libm::log(to / from));
        let at_from = libm::pow(self.min, k) * libm::pow(from / self.min, power) * self.shape;
        if power == 0.0 {
            at_from * width
        } else if power > 0.0 && width.is_infinite() {
            f64::INFINITY
        } else {
            at_from * libm::expm1(power * width) / power
        }
    }
}

impl Distribution<f64> for Pareto {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // -ln U is exponential for a uniform U.
        self.min * libm::exp(ziggurat::exponential(rng) / self.shape)
    }
}

impl Law for Pareto {
    fn mean(&self) -> f64 {
        self.mean
    }

    fn sd(&self) -> f64 {
        if self.shape > 2.0 { self.mean / (self.shape * (self.shape - 2.0)).sqrt() } else { f64::INFINITY }
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        let min = min.max(self.min);
        if min >= max {
            return PartialMoments::ZERO;
        }
        PartialMoments {
            mass: self.moment(0.0, min, max),
            about: 0.0,
            first: self.moment(1.0, min, max),
            second: self.moment(2.0, min, max),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::distribution::testing::{
        DRAWS, assert_close, assert_consistent, assert_follows, assert_same_law, draws, golden,
    };
    use crate::engine::distribution::{DistributionSpec, Sampler};
    use crate::engine::random::RandomStream;
    use crate::engine::spec_error::SpecError;
    use crate::engine::time::SimDuration;

    fn pareto(shape: f64) -> Result<Sampler, SpecError> {
        DistributionSpec::Pareto { mean: SimDuration::from_nanos(1_000_000), shape }.resolve()
    }

    #[test]
    fn draws_follow_the_law() {
        // The test of moments needs a finite fourth moment, so a shape above 4.
        for shape in [6.0, 12.0] {
            let sampler = pareto(shape).expect("a law");
            assert_consistent(&sampler);
            let whole = sampler.partial_moments(0.0, f64::INFINITY);
            assert_close(whole.mean(), 1e6, 1e-14);
            assert_close(whole.sd(), sampler.sd(), 1e-12);
        }
        for shape in [1.1, 1.5, 2.0, 2.5] {
            let sampler = pareto(shape).expect("a law");
            assert_close(sampler.mean(), 1e6, 0.0);
            assert_follows(draws(&sampler, DRAWS), |x| sampler.cdf(x));
            assert_eq!(sampler.sd().is_infinite(), shape <= 2.0);
        }
    }

    #[test]
    fn draws_agree_with_rand_distr() {
        use rand_distr::{Distribution, Pareto};
        let (law, mut stream) = (Pareto::new(1e6 / 3.0, 1.5).expect("a law"), RandomStream::from_seed(5));
        let other = (0..100_000).map(|_| law.sample(&mut stream)).collect();
        assert_same_law(draws(&pareto(1.5).expect("a law"), 100_000), other);
    }

    #[test]
    fn a_shape_without_a_mean_is_refused() {
        for shape in [1.0, 0.5, -2.0, f64::NAN, f64::INFINITY] {
            let error = pareto(shape).expect_err("no mean");
            assert_eq!(error.field(), "shape");
            assert!(error.message().contains("no mean"));
        }
    }

    #[test]
    fn the_values_never_change() {
        assert_eq!(golden(&pareto(1.5).expect("a law")), GOLDEN);
    }

    const GOLDEN: [u64; 6] = [
        0x4125_2252_8bee_0f39,
        0x4125_9b56_9a4c_d6ab,
        0x4119_e337_5c2d_15ba,
        0x411c_f8fd_3ddd_db87,
        0x4117_bbeb_2aba_99d3,
        0x3503_afaa_5b83_4f3d,
    ];
}
