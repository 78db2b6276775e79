//! The distributions that AsyncFlow draws from, as those of a scenario.

use crate::engine::distribution::DistributionSpec;
use crate::engine::time::SimDuration;

use super::duration;

/// Maximum mean up to which a Poisson distribution is written as a list of its values.
const MAX_LISTED_MEAN: f64 = 50.0;

/// A distribution with a mean and a standard deviation in seconds: normal if a normal one without negative values exists.
/// Returns whether it is.
pub(super) fn normal(mean: f64, sd: f64) -> (DistributionSpec<SimDuration>, bool) {
    // Of a normal distribution that is cut off at zero, the sd is below the mean. Close to it, it is no longer bell-shaped.
    let is_normal = sd < 0.7 * mean;
    let (mean, sd) = (duration(mean), duration(sd));
    let law = match sd.is_zero() {
        true => DistributionSpec::Constant(mean),
        false if is_normal => DistributionSpec::Normal { mean, sd },
        false => DistributionSpec::Gamma { mean, sd },
    };
    (law, is_normal)
}

/// Mean and standard deviation of a normal distribution whose negative values become zero.
pub(super) fn clipped(mean: f64, sd: f64) -> (f64, f64) {
    let (_, first, second) = partial_moments(mean, sd);
    (first, libm::sqrt((second - first * first).max(0.0)))
}

/// Mean and standard deviation of a normal distribution without its negative values.
pub(super) fn truncated(mean: f64, sd: f64) -> (f64, f64) {
    let (mass, first, second) = partial_moments(mean, sd);
    let (first, second) = (first / mass, second / mass);
    (first, libm::sqrt((second - first * first).max(0.0)))
}

/// The probability of the positive values of a normal distribution, and their first and second partial moments.
fn partial_moments(mean: f64, sd: f64) -> (f64, f64, f64) {
    if sd <= 0.0 {
        return (1.0, mean, mean * mean);
    }
    let ratio = mean / sd;
    let mass = 0.5 * libm::erfc(-ratio * std::f64::consts::FRAC_1_SQRT_2);
    let density = libm::exp(-0.5 * ratio * ratio) / libm::sqrt(2.0 * std::f64::consts::PI);
    let first = mean * mass + sd * density;
    (mass, first, (mean * mean + sd * sd) * mass + mean * sd * density)
}

/// A Poisson distribution of whole seconds.
pub(super) fn whole_seconds(mean: f64) -> DistributionSpec<SimDuration> {
    if mean > MAX_LISTED_MEAN {
        return normal(mean, libm::sqrt(mean)).0;
    }
    let (mut values, mut weights) = (Vec::new(), Vec::new());
    let mut weight = libm::exp(-mean);
    let mut seconds = 0_u32;
    // The rest has a probability below 1e-12.
    while f64::from(seconds) <= mean || weight > 1e-13 {
        values.push(SimDuration::from_seconds(u64::from(seconds)));
        weights.push(weight);
        seconds += 1;
        weight *= mean / f64::from(seconds);
    }
    DistributionSpec::Empirical { values, weights: Some(weights) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_cut_off_normal_distributions_are_those_of_the_literature() {
        // Of a standard normal: half-normal, with mean sqrt(2 / pi), and its positive part, with half of that.
        let (mean, sd) = truncated(0.0, 1.0);
        assert!((mean - 0.797_884_560_8).abs() < 1e-9 && (sd - 0.602_810_275_4).abs() < 1e-9, "{mean} {sd}");
        let (mean, sd) = clipped(0.0, 1.0);
        assert!((mean - 0.398_942_280_4).abs() < 1e-9 && (sd - 0.583_819_370_1).abs() < 1e-9, "{mean} {sd}");
        assert_eq!((clipped(3.0, 0.0), truncated(3.0, 0.0)), ((3.0, 0.0), (3.0, 0.0)));
    }

    #[test]
    fn whole_seconds_have_the_moments_of_a_poisson_distribution() {
        for mean in [0.003, 0.5, 7.0, 50.0, 400.0] {
            let law = whole_seconds(mean).resolve().expect("valid");
            assert!((law.mean() / 1e9 / mean - 1.0).abs() < 1e-6, "{mean}: {}", law.mean());
            assert!((law.sd() / 1e9 / libm::sqrt(mean) - 1.0).abs() < 1e-6, "{mean}: {}", law.sd());
        }
    }
}
