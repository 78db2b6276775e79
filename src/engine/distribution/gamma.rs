//! The gamma law, and the Erlang law, which is a gamma law with an integer shape.
//!
//! The shape is (mean/sd)², the scale sd²/mean. Draws are those of Marsaglia, Tsang: "A simple method for generating
//! gamma variables", 2000. For shapes below 1 they multiply a draw with the shape + 1 by U^(1/shape). Partial moments
//! about the mean follow from d(t f(t)) = (shape - t) f(t) dt for the density f of scale 1, by parts.

use rand::Rng;
use rand_distr::Distribution;

use super::special::{gamma_cdf, gamma_x_density};
use super::{Law, PartialMoments, Sampler, zero_mean, ziggurat};
use crate::engine::random::Draw;
use crate::engine::spec_error::SpecError;
use crate::engine::units::Quantity;

/// A gamma law with a shape and a scale above zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gamma {
    shape: f64,
    scale: f64,
    /// The "c" of the method: 1 / sqrt(9 d).
    squeeze: f64,
}

pub(super) fn resolve<Q: Quantity>(mean: Q, sd: Q) -> Result<Sampler, SpecError> {
    let (m, s) = (mean.to_base(), sd.to_base());
    if s == 0.0 {
        return Ok(Sampler::constant(m));
    }
    if m == 0.0 {
        return Err(zero_mean(mean, sd));
    }
    if s > 1000.0 * m {
        return Err(SpecError::at(
            "sd",
            format!(
                "{sd} is more than 1000 times the mean of {mean}, so that nearly all values would be zero: take a \
                 smaller sd, or LogNormal or Pareto"
            ),
        ));
    }
    Ok(Sampler::Gamma(Gamma::new((m / s) * (m / s), s * (s / m))))
}

pub(super) fn resolve_erlang<Q: Quantity>(mean: Q, stages: u32) -> Result<Sampler, SpecError> {
    let m = mean.to_base();
    match stages {
        0 => Err(SpecError::at("stages", "expected 1 or more stages, found 0")),
        _ if m == 0.0 => Ok(Sampler::constant(0.0)),
        1 => Ok(Sampler::exponential(m)),
        _ => Ok(Sampler::Gamma(Gamma::new(f64::from(stages), m / f64::from(stages)))),
    }
}

impl Gamma {
    fn new(shape: f64, scale: f64) -> Self {
        let d = if shape < 1.0 { shape + 1.0 } else { shape } - 1.0 / 3.0;
        Self { shape, scale, squeeze: 1.0 / (9.0 * d).sqrt() }
    }

    /// A draw with the scale 1 and the shape d + 1/3.
    fn standard<R: Rng + ?Sized>(&self, d: f64, rng: &mut R) -> f64 {
        loop {
            let x = ziggurat::normal(rng);
            let root = 1.0 + self.squeeze * x;
            if root <= 0.0 {
                continue;
            }
            let (v, square) = (root * root * root, x * x);
            let u = rng.uniform_positive();
            if u < 1.0 - 0.0331 * square * square
                || libm::log(u) < 0.5 * square + d * (1.0 - v + libm::log(v))
            {
                return d * v;
            }
        }
    }
}

impl Distribution<f64> for Gamma {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        if self.shape >= 1.0 {
            return self.scale * self.standard(self.shape - 1.0 / 3.0, rng);
        }
        let boosted = self.standard(self.shape + 2.0 / 3.0, rng);
        // U^(1/shape) with a uniform U is e^(-E/shape) with an exponential E.
        self.scale * boosted * libm::exp(-ziggurat::exponential(rng) / self.shape)
    }
}

impl Law for Gamma {
    fn mean(&self) -> f64 {
        self.shape * self.scale
    }

    fn sd(&self) -> f64 {
        self.shape.sqrt() * self.scale
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        if min > max {
            return PartialMoments::ZERO;
        }
        let (from, to) = (min / self.scale, max / self.scale);
        let (at_from, at_to) = (gamma_x_density(self.shape, from), gamma_x_density(self.shape, to));
        let mass = gamma_cdf(self.shape, to) - gamma_cdf(self.shape, from);
        let first = at_from - at_to;
        // (t - shape) t f(t), which is zero at infinity.
        let moment = |t: f64, at: f64| if at > 0.0 { (t - self.shape) * at } else { 0.0 };
        let second = self.shape * mass + first + moment(from, at_from) - moment(to, at_to);
        PartialMoments {
            mass,
            about: self.mean(),
            first: self.scale * first,
            second: self.scale * self.scale * second,
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

    fn gamma(mean: u64, sd: u64) -> Result<Sampler, SpecError> {
        let [mean, sd] = [mean, sd].map(SimDuration::from_nanos);
        DistributionSpec::Gamma { mean, sd }.resolve()
    }

    fn erlang(mean: u64, stages: u32) -> Result<Sampler, SpecError> {
        DistributionSpec::Erlang { mean: SimDuration::from_nanos(mean), stages }.resolve()
    }

    #[test]
    fn mean_and_sd_are_those_given() {
        for sd in [10_000, 50_000, 300_000, 999_999, 1_000_000, 1_000_001, 1_700_000, 4_000_000] {
            let sampler = gamma(1_000_000, sd).expect("a law");
            assert_close(sampler.mean(), 1e6, 1e-14);
            assert_close(sampler.sd(), sd as f64, 1e-14);
            assert_consistent(&sampler);
            let whole = sampler.partial_moments(0.0, f64::INFINITY);
            assert_close(whole.mean(), 1e6, 1e-14);
            assert_close(whole.sd(), sd as f64, 1e-12);
        }
    }

    #[test]
    fn draws_agree_with_rand_distr() {
        use rand_distr::{Distribution, Gamma};
        for (shape, sd) in [(0.25, 2_000_000), (4.0, 500_000)] {
            let (law, mut stream) =
                (Gamma::new(shape, 1e6 / shape).expect("a law"), RandomStream::from_seed(5));
            let other = (0..100_000).map(|_| law.sample(&mut stream)).collect();
            assert_same_law(draws(&gamma(1_000_000, sd).expect("a law"), 100_000), other);
        }
    }

    #[test]
    fn an_erlang_law_is_a_sum_of_exponential_stages() {
        use rand_distr::Distribution;
        let mut stream = RandomStream::from_seed(9);
        let stage = Sampler::exponential(1e6 / 3.0);
        let sums = (0..100_000).map(|_| (0..3).map(|_| stage.sample(&mut stream)).sum()).collect();
        let sampler = erlang(1_000_000, 3).expect("a law");
        assert_close(sampler.sd(), 1e6 / 3_f64.sqrt(), 1e-14);
        assert_same_law(draws(&sampler, 100_000), sums);
        assert_eq!(erlang(5, 1), Ok(Sampler::exponential(5.0)));
    }

    #[test]
    fn invalid_parameters_are_refused() {
        assert_eq!(gamma(0, 1).expect_err("a mean of zero").field(), "mean");
        assert_eq!(gamma(1, 2000).expect_err("nearly always zero").field(), "sd");
        assert_eq!(erlang(5, 0).expect_err("no stages").field(), "stages");
        assert_eq!(gamma(7, 0).expect("a constant").as_constant(), Some(7.0));
    }

    #[test]
    fn the_values_never_change() {
        assert_eq!(golden(&gamma(5_000_000, 2_000_000).expect("a law")), GOLDEN);
        assert_eq!(golden(&gamma(5_000_000, 9_000_000).expect("a law")), GOLDEN_WIDE);
        assert_eq!(golden(&erlang(5_000_000, 4).expect("a law")), GOLDEN_ERLANG);
    }

    const GOLDEN: [u64; 6] = [
        0x414d_0df5_6f8e_c626,
        0x4155_db97_853b_9c3d,
        0x4155_d71c_95e3_88e6,
        0x4151_78fc_2fc9_35fe,
        0x4153_7bed_d0af_4617,
        0x0d56_47cc_cffb_2c2c,
    ];
    const GOLDEN_WIDE: [u64; 6] = [
        0x4145_33b3_5e38_fb25,
        0x40f0_6cf1_f5d7_cea1,
        0x4165_c721_c548_5144,
        0x4160_cf42_f59e_c816,
        0x4169_9fd3_3df7_0d6f,
        0x3c56_9b2f_17e3_88c1,
    ];
    const GOLDEN_ERLANG: [u64; 6] = [
        0x414a_740d_a992_1e72,
        0x4156_3de7_c4ee_7842,
        0x4156_3835_a5e8_5dee,
        0x4150_c4ac_74d6_2797,
        0x4153_40a1_ec81_d20e,
        0x0bf0_9e7e_f942_cee4,
    ];
}
