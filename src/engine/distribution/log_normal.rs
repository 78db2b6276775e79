//! The log-normal law: e^(mu + sigma Z) for a standard normal Z.
//!
//! Its mean is e^(mu + sigma²/2) and its sd the mean times sqrt(e^(sigma²) - 1), so sigma² = ln(1 + (sd/mean)²); its
//! median is e^mu. The k-th partial moment up to x is the k-th moment times Φ((ln x - mu)/sigma - k sigma). Crow,
//! Shimizu: "Lognormal distributions", 1988.

use rand::Rng;
use rand_distr::Distribution;

use super::special::normal_tail;
use super::{Law, PartialMoments, Sampler, zero_mean, ziggurat};
use crate::engine::spec_error::SpecError;
use crate::engine::units::Quantity;

/// A log-normal law with the median e^mu and the standard deviation sigma of the logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogNormal {
    median: f64,
    sigma: f64,
}

pub(super) fn resolve<Q: Quantity>(mean: Q, sd: Q) -> Result<Sampler, SpecError> {
    let (m, s) = (mean.to_base(), sd.to_base());
    if s == 0.0 {
        return Ok(Sampler::constant(m));
    }
    if m == 0.0 {
        return Err(zero_mean(mean, sd));
    }
    let square = (s / m) * (s / m);
    let sigma = libm::log1p(square).sqrt();
    Ok(Sampler::LogNormal(LogNormal { median: m / (1.0 + square).sqrt(), sigma }))
}

pub(super) fn resolve_median<Q: Quantity>(median: Q, sigma: f64) -> Result<Sampler, SpecError> {
    if !(0.0..=10.0).contains(&sigma) {
        return Err(SpecError::at(
            "sigma",
            format!(
                "{sigma} is out of range: expected a number from 0 to 10, the standard deviation of the logarithm \
                 (0.5 to 1 for usual service times)"
            ),
        ));
    }
    let median = median.to_base();
    Ok(if sigma == 0.0 || median == 0.0 {
        Sampler::constant(median)
    } else {
        Sampler::LogNormal(LogNormal { median, sigma })
    })
}

impl Distribution<f64> for LogNormal {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        self.median * libm::exp(self.sigma * ziggurat::normal(rng))
    }
}

impl Law for LogNormal {
    fn mean(&self) -> f64 {
        self.median * libm::exp(0.5 * self.sigma * self.sigma)
    }

    fn sd(&self) -> f64 {
        self.mean() * libm::expm1(self.sigma * self.sigma).sqrt()
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        if min > max {
            return PartialMoments::ZERO;
        }
        let standard = |x: f64| libm::log(x / self.median) / self.sigma;
        let (from, to) = (standard(min), standard(max));
        let between = |k: f64| {
            let (from, to) = (from - k * self.sigma, to - k * self.sigma);
            // Differences in the nearer tail are more precise.
            if from > 0.0 {
                normal_tail(from) - normal_tail(to)
            } else {
                normal_tail(-to) - normal_tail(-from)
            }
        };
        let mean = self.mean();
        let second = mean * mean * libm::exp(self.sigma * self.sigma);
        PartialMoments {
            mass: between(0.0),
            about: 0.0,
            first: mean * between(1.0),
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

    fn log_normal(mean: u64, sd: u64) -> Result<Sampler, SpecError> {
        let [mean, sd] = [mean, sd].map(SimDuration::from_nanos);
        DistributionSpec::LogNormal { mean, sd }.resolve()
    }

    fn by_median(median: u64, sigma: f64) -> Result<Sampler, SpecError> {
        DistributionSpec::LogNormalMedian { median: SimDuration::from_nanos(median), sigma }.resolve()
    }

    #[test]
    fn mean_and_sd_are_those_of_the_law_and_not_of_its_logarithm() {
        for sd in [10_000, 500_000, 1_500_000] {
            let sampler = log_normal(1_000_000, sd).expect("a law");
            assert_close(sampler.mean(), 1e6, 1e-14);
            assert_close(sampler.sd(), sd as f64, 1e-12);
            assert_consistent(&sampler);
            assert_close(sampler.partial_moments(0.0, f64::INFINITY).sd(), sd as f64, 1e-9);
        }
    }

    #[test]
    fn the_second_form_has_the_median_given() {
        let sampler = by_median(1_000_000, 0.5).expect("a law");
        assert_close(sampler.cdf(1e6), 0.5, 1e-15);
        assert_consistent(&sampler);
    }

    #[test]
    fn draws_agree_with_rand_distr() {
        use rand_distr::{Distribution, LogNormal};
        let (law, mut stream) = (LogNormal::new(0.0, 0.7).expect("a law"), RandomStream::from_seed(5));
        let other = (0..100_000).map(|_| 1e6 * law.sample(&mut stream)).collect();
        assert_same_law(draws(&by_median(1_000_000, 0.7).expect("a law"), 100_000), other);
    }

    #[test]
    fn invalid_parameters_are_refused() {
        assert_eq!(log_normal(0, 1).expect_err("a mean of zero").field(), "mean");
        for sigma in [-1.0, 11.0, f64::NAN] {
            assert_eq!(by_median(1, sigma).expect_err("out of range").field(), "sigma");
        }
        assert_eq!(log_normal(7, 0).expect("a constant").as_constant(), Some(7.0));
        assert_eq!(by_median(7, 0.0).expect("a constant").as_constant(), Some(7.0));
    }

    #[test]
    fn the_values_never_change() {
        assert_eq!(golden(&log_normal(5_000_000, 4_000_000).expect("a law")), GOLDEN);
    }

    const GOLDEN: [u64; 6] = [
        0x4144_ce36_316b_8fe4,
        0x4141_cbf9_8643_9bd8,
        0x4154_df8b_8bb9_9249,
        0x4145_7505_7b0b_6d90,
        0x4154_d7bf_6ab2_6252,
        0xdc29_fd73_230b_c008,
    ];
}
