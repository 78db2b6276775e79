//! The normal law truncated at zero, by its mean and standard deviation after truncation.
//!
//! Let the parent be the normal law before truncation, h the standardized truncation point -mu/sigma, and r the hazard
//! rate of the standard normal law at h. After truncation the mean is sigma (r - h) and the variance sigma²
//! (1 - r (r - h)), see Johnson, Kotz, Balakrishnan: "Continuous univariate distributions", volume 1, section 13.10.
//! sd / mean depends only on h and rises with it, from 0 (constant) to 1 (exponential). So there is one parent for each
//! sd below the mean, found by bisection. Negative draws of the parent are rejected; if mu is negative, draws are those
//! of Robert: "Simulation of truncated normal variables", 1995.

use rand::Rng;
use rand_distr::Distribution;

use super::special::{normal_hazard, normal_tail};
use super::{Law, PartialMoments, Sampler, zero_mean, ziggurat};
use crate::engine::spec_error::SpecError;
use crate::engine::units::Quantity;

/// Maximum of sd / mean: above it, the law cannot be distinguished from an exponential one.
const MAX_SPREAD: f64 = 0.9999;
/// The sd / mean below which zero is ten standard deviations away, where truncation changes no digit.
const UNTRUNCATED_SPREAD: f64 = 0.1;

/// A normal law with mean `mu` and standard deviation `sigma` before truncation at zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normal {
    mu: f64,
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
    let spread = s / m;
    if spread > MAX_SPREAD {
        return Err(SpecError::at(
            "sd",
            format!(
                "{sd} is too wide for a mean of {mean}: truncated at zero, a normal distribution has an sd below its \
                 mean; take a smaller sd, Exponential (sd = mean), or LogNormal or Gamma (any sd)"
            ),
        ));
    }
    if spread < UNTRUNCATED_SPREAD {
        return Ok(Sampler::Normal(Normal { mu: m, sigma: s }));
    }
    let (mut low, mut high) = (-1.0 / UNTRUNCATED_SPREAD - 1.0, 110.0);
    while high - low > 1e-13 * high.abs() {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if spread_at(middle) < spread {
            low = middle;
        } else {
            high = middle;
        }
    }
    let sigma = m / excess(low);
    Ok(Sampler::Normal(Normal { mu: -low * sigma, sigma }))
}

/// The mean after truncation at `h`, in standard deviations of the parent.
fn excess(h: f64) -> f64 {
    normal_hazard(h) - h
}

/// sd / mean after truncation at `h`.
fn spread_at(h: f64) -> f64 {
    let excess = excess(h);
    (1.0 - normal_hazard(h) * excess).max(0.0).sqrt() / excess
}

impl Normal {
    /// The truncation point zero, standardized by the parent.
    fn cutoff(&self) -> f64 {
        -self.mu / self.sigma
    }

    /// The survival function and the density of the truncated law at `z`, which is standardized by the parent and not
    /// below the cutoff.
    fn survival_and_density(&self, z: f64) -> (f64, f64) {
        let cutoff = self.cutoff();
        if z.is_infinite() {
            return (0.0, 0.0);
        }
        // As ratios to the values at the cutoff: far from the mean, both tails underflow to zero.
        let density = libm::exp(0.5 * (cutoff - z) * (cutoff + z)) * normal_hazard(cutoff);
        let survival =
            if cutoff > 0.0 { density / normal_hazard(z) } else { normal_tail(z) / normal_tail(cutoff) };
        (survival, if cutoff < -30.0 { super::special::normal_density(z) } else { density })
    }
}

impl Distribution<f64> for Normal {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        if self.mu >= 0.0 {
            // At least half of the draws of the parent are not negative.
            loop {
                let x = self.mu + self.sigma * ziggurat::normal(rng);
                if x >= 0.0 {
                    return x;
                }
            }
        }
        let cutoff = self.cutoff();
        let rate = 0.5 * (cutoff + (cutoff * cutoff + 4.0).sqrt());
        loop {
            let excess = ziggurat::exponential(rng) / rate;
            let offset = cutoff + excess - rate;
            if 2.0 * ziggurat::exponential(rng) >= offset * offset {
                return self.sigma * excess;
            }
        }
    }
}

impl Law for Normal {
    fn mean(&self) -> f64 {
        self.sigma * excess(self.cutoff())
    }

    fn sd(&self) -> f64 {
        self.mean() * spread_at(self.cutoff())
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        if min > max {
            return PartialMoments::ZERO;
        }
        let standard = |x: f64| (x - self.mu) / self.sigma;
        let (from, to) = (standard(min).max(self.cutoff()), standard(max));
        let (survival_from, density_from) = self.survival_and_density(from);
        let (survival_to, density_to) = self.survival_and_density(to);
        let mass = survival_from - survival_to;
        // z times the density, which is zero at infinity.
        let moment = |z: f64, density: f64| if density > 0.0 { z * density } else { 0.0 };
        PartialMoments {
            mass,
            about: self.mu,
            first: self.sigma * (density_from - density_to),
            second: self.sigma * self.sigma * (mass + moment(from, density_from) - moment(to, density_to)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::distribution::testing::{assert_close, assert_consistent, golden};
    use crate::engine::distribution::{DistributionSpec, Sampler};
    use crate::engine::spec_error::SpecError;
    use crate::engine::time::SimDuration;

    fn normal(mean: u64, sd: u64) -> Result<Sampler, SpecError> {
        let [mean, sd] = [mean, sd].map(SimDuration::from_nanos);
        DistributionSpec::Normal { mean, sd }.resolve()
    }

    #[test]
    fn mean_and_sd_are_those_after_truncation() {
        for sd in [1_000, 99_999, 100_001, 400_000, 600_000, 756_000, 900_000, 980_000, 999_000] {
            let sampler = normal(1_000_000, sd).expect("a law");
            assert_close(sampler.mean(), 1e6, 1e-10);
            assert_close(sampler.sd(), sd as f64, 1e-9);
            assert_consistent(&sampler);
            let whole = sampler.partial_moments(0.0, f64::INFINITY);
            assert_close(whole.mass, 1.0, 1e-12);
            assert_close(whole.mean(), 1e6, 1e-9);
            assert_close(whole.sd(), sd as f64, 1e-6);
        }
    }

    #[test]
    fn invalid_parameters_are_refused() {
        for sd in [1_000_000, 2_000_000] {
            let error = normal(1_000_000, sd).expect_err("too wide");
            assert_eq!(error.field(), "sd");
            assert!(error.message().contains("LogNormal"));
        }
        assert_eq!(normal(0, 1).expect_err("a mean of zero").field(), "mean");
        assert_eq!(normal(7, 0).expect("a constant").as_constant(), Some(7.0));
    }

    #[test]
    fn the_values_never_change() {
        assert_eq!(golden(&normal(5_000_000, 1_000_000).expect("a law")), GOLDEN);
        assert_eq!(golden(&normal(5_000_000, 4_500_000).expect("a law")), GOLDEN_NEGATIVE_MU);
    }

    const GOLDEN: [u64; 6] = [
        0x4151_2085_7a73_a3f3,
        0x4150_47a4_b7d5_0cc1,
        0x4154_e76f_fe46_8f3a,
        0x4151_4b56_c43c_082d,
        0x4154_e568_f1ad_4489,
        0x686e_85d3_a31b_d1d4,
    ];
    const GOLDEN_NEGATIVE_MU: [u64; 6] = [
        0x4157_5e52_9fa0_db67,
        0x413e_cc90_ebea_21ba,
        0x4133_b23d_0de6_e745,
        0x4119_97d6_6fd2_5b23,
        0x4168_920f_3cb9_9039,
        0x4827_00f3_74c2_029a,
    ];
}
