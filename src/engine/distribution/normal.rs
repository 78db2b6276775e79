//! The normal law cut at zero, by the mean and the standard deviation that it has after the cut.
//!
//! Let h be the cut in standard deviations of the uncut bell (-mu/sigma) and r the hazard rate of the standard normal
//! law at h. After the cut the mean is sigma (r - h) and the variance sigma² (1 - r (r - h)), see Johnson, Kotz,
//! Balakrishnan: "Continuous univariate distributions", volume 1, section 13.10. Their ratio depends on h alone and
//! rises with it, from a constant to an exponential: so each sd below the mean has one bell, found by bisection. Draws:
//! the bell's, again where negative, or Robert: "Simulation of truncated normal variables", 1995, where mu is negative.

use super::special::{normal_hazard, normal_tail};
use super::{Law, PartialMoments, Sampler, zero_mean, ziggurat};
use crate::engine::random::RandomStream;
use crate::engine::spec_error::SpecError;
use crate::engine::units::Quantity;

/// The widest spread, as sd / mean: beyond, the law cannot be told from an exponential.
const MAX_SPREAD: f64 = 0.9999;
/// The spread below which zero is ten standard deviations away, and cutting there changes no digit.
const UNCUT: f64 = 0.1;

/// The normal law with mean `mu` and standard deviation `sigma` before the cut at zero.
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
                "{sd} is too wide for a mean of {mean}: cut at zero, a normal law spreads by less than its mean; \
                 take a smaller sd, Exponential (sd = mean), or LogNormal or Gamma (any sd)"
            ),
        ));
    }
    if spread < UNCUT {
        return Ok(Sampler::Normal(Normal { mu: m, sigma: s }));
    }
    let (mut low, mut high) = (-1.0 / UNCUT - 1.0, 110.0);
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

/// The mean after a cut at `h`, in standard deviations.
fn excess(h: f64) -> f64 {
    normal_hazard(h) - h
}

/// sd / mean after a cut at `h`.
fn spread_at(h: f64) -> f64 {
    let excess = excess(h);
    (1.0 - normal_hazard(h) * excess).max(0.0).sqrt() / excess
}

impl Normal {
    /// The cut in standard deviations from the top of the bell.
    fn cut(&self) -> f64 {
        -self.mu / self.sigma
    }

    /// What lies beyond `z` standard deviations from the top, and the density there, both over what lies beyond the
    /// cut. `z` is not below the cut.
    fn beyond(&self, z: f64) -> (f64, f64) {
        let cut = self.cut();
        if z.is_infinite() {
            return (0.0, 0.0);
        }
        // By ratios to the cut, for far out both tails are too small to be told from zero.
        let density = libm::exp(0.5 * (cut - z) * (cut + z)) * normal_hazard(cut);
        let mass = if cut > 0.0 { density / normal_hazard(z) } else { normal_tail(z) / normal_tail(cut) };
        (mass, if cut < -30.0 { super::special::normal_density(z) } else { density })
    }
}

impl Law for Normal {
    fn sample(&self, stream: &mut RandomStream) -> f64 {
        if self.mu >= 0.0 {
            // At least every second draw of the bell is above zero.
            loop {
                let x = self.mu + self.sigma * ziggurat::normal(stream);
                if x >= 0.0 {
                    return x;
                }
            }
        }
        let cut = self.cut();
        let rate = 0.5 * (cut + (cut * cut + 4.0).sqrt());
        loop {
            let beyond = ziggurat::exponential(stream) / rate;
            let offset = cut + beyond - rate;
            if 2.0 * ziggurat::exponential(stream) >= offset * offset {
                return self.sigma * beyond;
            }
        }
    }

    fn mean(&self) -> f64 {
        self.sigma * excess(self.cut())
    }

    fn sd(&self) -> f64 {
        self.mean() * spread_at(self.cut())
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        if min > max {
            return PartialMoments::NOTHING;
        }
        let standard = |x: f64| (x - self.mu) / self.sigma;
        let (from, to) = (standard(min).max(self.cut()), standard(max));
        let ((mass_from, density_from), (mass_to, density_to)) = (self.beyond(from), self.beyond(to));
        let mass = mass_from - mass_to;
        // z times the density, which is nothing at infinity.
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
    fn mean_and_sd_are_those_after_the_cut() {
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
    fn what_cannot_be_is_refused() {
        for sd in [1_000_000, 2_000_000] {
            let error = normal(1_000_000, sd).expect_err("too wide");
            assert_eq!(error.field(), "sd");
            assert!(error.message().contains("LogNormal"));
        }
        assert_eq!(normal(0, 1).expect_err("no room").field(), "mean");
        assert_eq!(normal(7, 0).expect("a constant").as_constant(), Some(7.0));
    }

    #[test]
    fn the_values_never_change() {
        assert_eq!(golden(&normal(5_000_000, 1_000_000).expect("a law")), GOLDEN);
        assert_eq!(golden(&normal(5_000_000, 4_500_000).expect("a law")), GOLDEN_BELOW);
    }

    const GOLDEN: [u64; 6] = [
        0x4151_2085_7a73_a3f3,
        0x4150_47a4_b7d5_0cc1,
        0x4154_e76f_fe46_8f3a,
        0x4151_4b56_c43c_082d,
        0x4154_e568_f1ad_4489,
        0x686e_85d3_a31b_d1d4,
    ];
    const GOLDEN_BELOW: [u64; 6] = [
        0x4157_5e52_9fa0_db67,
        0x413e_cc90_ebea_21ba,
        0x4133_b23d_0de6_e745,
        0x4119_97d6_6fd2_5b23,
        0x4168_920f_3cb9_9039,
        0x4827_00f3_74c2_029a,
    ];
}
