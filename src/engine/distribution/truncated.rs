//! Another law, truncated to the values between two bounds, both included, by rejection sampling.
//!
//! The mean and the standard deviation after truncation are computed from the partial moments of the other law. Bounds
//! with a mass below 1/1000 are refused: draws would take too long, and such bounds are probably an error.

use rand::Rng;
use rand_distr::Distribution;

use super::{DistributionSpec, Law, PartialMoments, Sampler};
use crate::engine::spec_error::SpecError;
use crate::engine::units::Quantity;

/// Minimum mass between the bounds. At the minimum, a draw takes 1,000 draws of the other law, about 10 µs.
const MIN_MASS: f64 = 1e-3;

/// The law `of`, truncated to `min..=max`.
#[derive(Clone, Debug, PartialEq)]
pub struct Truncated {
    of: Sampler,
    min: f64,
    max: f64,
    mean: f64,
    sd: f64,
    /// The mass of `of` between the bounds.
    mass: f64,
}

pub(super) fn resolve<Q: Quantity>(
    min: Option<Q>,
    max: Option<Q>,
    of: &DistributionSpec<Q>,
) -> Result<Sampler, SpecError> {
    let of = of.resolve().map_err(|error| error.inside("of"))?;
    let bounds = match (min, max) {
        (None, None) => {
            return Err(SpecError::at(
                "max",
                "expected min, max or both, found neither: add one, or remove Truncated",
            ));
        }
        (Some(min), None) => format!("{min} or more"),
        (None, Some(max)) => format!("at most {max}"),
        (Some(min), Some(max)) if min.to_base() > max.to_base() => {
            return Err(SpecError::at("max", format!("{max} is below the min of {min}: swap them")));
        }
        (Some(min), Some(max)) => format!("between {min} and {max}"),
    };
    let low = min.map_or(0.0, Quantity::to_base);
    let high = max.map_or(f64::INFINITY, Quantity::to_base);
    let part = of.partial_moments(low, high);
    if part.mass.is_nan() {
        return Err(SpecError::at(
            "of",
            "the distribution function of a custom distribution is not known: truncate it in Rust",
        ));
    }
    if part.mass < MIN_MASS {
        let (field, mean) = (if min.is_some() { "min" } else { "max" }, Q::from_base(of.mean()));
        return Err(SpecError::at(
            field,
            format!(
                "only {:.1e} of all draws of a distribution with mean {mean} are {bounds}, expected 1e-3 or more: \
                 widen the bounds, or choose a distribution with a mean between them",
                part.mass.max(0.0)
            ),
        ));
    }
    if of.as_constant().is_some() {
        return Ok(of);
    }
    // Without truncation, the moments of the other law are more precise, and may be infinite.
    let (mean, sd) = if part.mass >= 1.0 { (of.mean(), of.sd()) } else { (part.mean(), part.sd()) };
    Ok(Sampler::Truncated(Box::new(Truncated { of, min: low, max: high, mean, sd, mass: part.mass })))
}

impl Distribution<f64> for Truncated {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        loop {
            let x = self.of.sample(rng);
            if self.min <= x && x <= self.max {
                return x;
            }
        }
    }
}

impl Law for Truncated {
    fn mean(&self) -> f64 {
        self.mean
    }

    fn sd(&self) -> f64 {
        self.sd
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        let (min, max) = (min.max(self.min), max.min(self.max));
        if min > max {
            PartialMoments::ZERO
        } else {
            self.of.partial_moments(min, max).weighted(1.0 / self.mass)
        }
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

    type Spec = DistributionSpec<SimDuration>;

    fn ms(millis: u64) -> SimDuration {
        SimDuration::from_nanos(millis * 1_000_000)
    }

    fn truncated(min: Option<u64>, max: Option<u64>, of: Spec) -> Result<Sampler, SpecError> {
        DistributionSpec::Truncated { min: min.map(ms), max: max.map(ms), of: Box::new(of) }.resolve()
    }

    /// Laws with mean 100 ms.
    fn laws() -> Vec<Spec> {
        let mean = ms(100);
        vec![
            Spec::Exponential { mean },
            Spec::Normal { mean, sd: ms(30) },
            Spec::Normal { mean, sd: ms(90) },
            Spec::LogNormal { mean, sd: ms(150) },
            Spec::Gamma { mean, sd: ms(40) },
            Spec::Gamma { mean, sd: ms(140) },
            Spec::Weibull { mean, shape: 0.8 },
            Spec::Weibull { mean, shape: 3.0 },
            Spec::Pareto { mean, shape: 1.5 },
            Spec::Pareto { mean, shape: 2.0 },
            Spec::Uniform { min: ms(20), max: ms(180) },
            Spec::Percentiles {
                p0: None,
                p50: Some(ms(70)),
                p80: Some(ms(120)),
                p90: Some(ms(200)),
                p99: Some(ms(500)),
                others: Vec::new(),
                p100: ms(900),
            },
            Spec::Shifted { by: ms(10), of: Box::new(Spec::Gamma { mean: ms(90), sd: ms(40) }) },
        ]
    }

    #[test]
    fn mean_and_sd_are_those_after_truncation() {
        for of in laws() {
            for (min, max) in [(Some(50), Some(150)), (None, Some(110)), (Some(60), Some(5_000))] {
                assert_consistent(&truncated(min, max, of.clone()).expect("a law"));
            }
        }
    }

    /// The mean is the lower bound plus the integral of the survival function, by Simpson's rule.
    #[test]
    fn the_mean_agrees_with_the_integral_of_the_distribution_function() {
        for of in laws() {
            let sampler = truncated(Some(50), Some(150), of.clone()).expect("a law");
            let (steps, width) = (20_000_u32, 1e8 / 20_000.0);
            let survival = |i: u32| 1.0 - sampler.cdf(5e7 + f64::from(i) * width);
            let sum: f64 = (0..=steps)
                .map(|i| survival(i) * if i == 0 || i == steps { 1.0 } else { f64::from(2 + i % 2 * 2) })
                .sum();
            assert_close(sampler.mean(), 5e7 + sum * width / 3.0, 1e-7);
        }
    }

    #[test]
    fn truncating_twice_truncates_to_the_common_support() {
        let once = truncated(Some(50), Some(150), laws().remove(4)).expect("a law");
        let inner = Spec::Truncated { min: Some(ms(50)), max: None, of: Box::new(laws().remove(4)) };
        let twice = truncated(None, Some(150), inner).expect("a law");
        assert_close(twice.mean(), once.mean(), 1e-12);
        assert_close(twice.sd(), once.sd(), 1e-12);
    }

    #[test]
    fn the_bounds_are_included() {
        let values = vec![ms(1), ms(2), ms(3), ms(4)];
        let sampler = truncated(Some(2), Some(3), Spec::Empirical { values, weights: None }).expect("a law");
        assert_close(sampler.mean(), 2.5e6, 1e-15);
        assert_close(sampler.sd(), 0.5e6, 1e-15);
        assert_moments(&draws(&sampler, DRAWS), sampler.mean(), sampler.sd());
    }

    #[test]
    fn only_an_upper_bound_makes_an_infinite_sd_finite() {
        let of = || Spec::Pareto { mean: ms(100), shape: 1.5 };
        assert!(truncated(None, Some(1_000_000), of()).expect("a law").sd().is_finite());
        assert!(truncated(Some(200), None, of()).expect("a law").sd().is_infinite());
        assert!(truncated(Some(1), None, of()).expect("a law").sd().is_infinite());
    }

    #[test]
    fn bounds_with_too_little_mass_are_refused() {
        let of = || Spec::Exponential { mean: ms(10) };
        let error = truncated(Some(1_000), None, of()).expect_err("too little mass");
        assert_eq!(error.field(), "min");
        assert!(error.message().contains("are 1s or more"), "{error}");
        assert_eq!(truncated(None, Some(0), of()).expect_err("too little mass").field(), "max");
        assert_eq!(truncated(Some(5), Some(4), of()).expect_err("empty").field(), "max");
        assert_eq!(truncated(None, None, of()).expect_err("no bounds").field(), "max");
        assert_eq!(truncated(Some(1), Some(2), Spec::Constant(ms(3))).expect_err("outside").field(), "min");
        assert_eq!(truncated(Some(1), None, Spec::Constant(ms(3))).expect("inside").as_constant(), Some(3e6));
    }

    #[test]
    fn the_values_never_change() {
        let sampler = truncated(Some(50), Some(150), Spec::Exponential { mean: ms(100) }).expect("a law");
        assert_eq!(golden(&sampler), GOLDEN);
    }

    const GOLDEN: [u64; 6] = [
        0x419a_264c_8c1b_2240,
        0x419a_f0d2_df61_a674,
        0x4189_4905_9bb5_5b12,
        0x418a_2719_ed3b_3fb0,
        0x4197_9326_ebea_f747,
        0xdfd1_afe1_8925_26b4,
    ];
}
