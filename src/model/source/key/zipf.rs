//! Keys by Zipf's law: the probability of key k is proportional to 1 / (k + 1)^exponent.
//!
//! Drawn by rejection-inversion, at a cost independent of the number of keys: Hörmann, Derflinger: "Rejection-inversion
//! to generate variates from monotone discrete distributions", 1996. The bars of the ranks from 1 on are covered by the
//! curve x^-exponent, whose integral is inverted. A point above the bar of its rank is rejected and drawn again, which
//! happens to about one draw in ten.

use super::KeySampler;
use crate::engine::random::{Draw, RandomStream};
use crate::engine::spec_error::SpecError;

/// A sampler of keys by Zipf's law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zipf {
    keys: f64,
    exponent: f64,
    /// Lower bound of the area to draw: the integral up to 1.5, where rank 1 ends, minus the area of its bar.
    low: f64,
    /// Upper bound of the area to draw: the integral up to where the last rank ends.
    high: f64,
    /// A point at most this far below its rank is always under the bar: it is accepted without a comparison.
    always_under: f64,
}

pub(super) fn resolve(keys: u64, exponent: f64) -> Result<KeySampler, SpecError> {
    if !(1..=1 << 32).contains(&keys) {
        return Err(SpecError::at("keys", format!("{keys} is out of range: expected 1 to 4294967296 keys")));
    }
    if !(exponent > 0.0 && exponent <= 100.0) {
        return Err(SpecError::at(
            "exponent",
            format!(
                "{exponent} is out of range: expected a number above 0 (for equally popular keys write Uniform) and \
                 at most 100 (for a single key write Fixed)"
            ),
        ));
    }
    if keys == 1 {
        return Ok(KeySampler::Fixed(0));
    }
    let keys = keys as f64;
    let low = integral(1.5, exponent) - 1.0;
    let high = integral(keys + 0.5, exponent);
    let always_under = 2.0 - inverse(integral(2.5, exponent) - bar(2.0, exponent), exponent);
    Ok(KeySampler::Zipf(Box::new(Zipf { keys, exponent, low, high, always_under })))
}

impl Zipf {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a key, below 2^32")]
    pub(super) fn sample(&self, stream: &mut RandomStream) -> u32 {
        loop {
            let area = self.high + stream.uniform() * (self.low - self.high);
            let x = inverse(area, self.exponent);
            let rank = (x + 0.5).floor().clamp(1.0, self.keys);
            if rank - x <= self.always_under
                || area >= integral(rank + 0.5, self.exponent) - bar(rank, self.exponent)
            {
                return (rank - 1.0) as u32;
            }
        }
    }
}

/// Height of the bar at rank `x`: x^-exponent.
fn bar(x: f64, exponent: f64) -> f64 {
    libm::exp(-exponent * libm::log(x))
}

/// The integral of [`bar`] from 1 to `x`: (x^(1 - exponent) - 1) / (1 - exponent), or ln x for an exponent of 1.
fn integral(x: f64, exponent: f64) -> f64 {
    let logarithm = libm::log(x);
    expm1_over((1.0 - exponent) * logarithm) * logarithm
}

/// The inverse of [`integral`]: the `x` up to which it is `area`.
fn inverse(area: f64, exponent: f64) -> f64 {
    // At least -1 except for rounding, when the area is that of the whole curve.
    let scaled = ((1.0 - exponent) * area).max(-1.0);
    libm::exp(log1p_over(scaled) * area)
}

/// (e^t - 1) / t, also at 0.
fn expm1_over(t: f64) -> f64 {
    if t.abs() > 1e-8 { libm::expm1(t) / t } else { 1.0 + 0.5 * t }
}

/// ln(1 + t) / t, also at 0.
fn log1p_over(t: f64) -> f64 {
    if t.abs() > 1e-8 { libm::log1p(t) / t } else { 1.0 - 0.5 * t }
}

#[cfg(test)]
mod tests {
    use crate::engine::random::RandomStream;
    use crate::model::source::key::{KeySampler, KeySpec};

    fn zipf(keys: u64, exponent: f64) -> KeySampler {
        KeySpec::Zipf { keys, exponent }.resolve().expect("a sampler")
    }

    #[test]
    fn frequencies_of_keys_follow_their_rank() {
        for exponent in [0.2, 0.9, 1.0, 1.000_000_001, 1.5, 3.0] {
            let (sampler, mut stream) = (zipf(50, exponent), RandomStream::from_seed(6));
            let mut counts = [0_u32; 50];
            for _ in 0..200_000 {
                counts[sampler.sample(&mut stream) as usize] += 1;
            }
            let weights: Vec<f64> = (1..=50).map(|rank| libm::pow(f64::from(rank), -exponent)).collect();
            let sum: f64 = weights.iter().sum();
            // Chi-squared with at most 49 degrees of freedom exceeds 94 once in 10,000 seeds.
            let chi_squared: f64 = counts
                .iter()
                .zip(&weights)
                .map(|(&count, weight)| (f64::from(count), weight / sum * 200_000.0))
                .map(|(count, expected)| (count - expected) * (count - expected) / expected)
                .sum();
            assert!(chi_squared < 94.0, "exponent {exponent}: {chi_squared}");
        }
    }

    #[test]
    fn large_keys_are_drawn_from_a_full_range() {
        let (sampler, mut stream) = (zipf(1 << 32, 0.1), RandomStream::from_seed(6));
        assert!((0..1000).any(|_| sampler.sample(&mut stream) > 1 << 31));
    }

    #[test]
    fn a_huge_exponent_draws_only_the_most_popular_key() {
        let (sampler, mut stream) = (zipf(1 << 32, 100.0), RandomStream::from_seed(6));
        assert!((0..1000).all(|_| sampler.sample(&mut stream) == 0));
    }

    #[test]
    fn invalid_parameters_are_rejected_with_their_field() {
        let field = |keys, exponent| {
            let error = KeySpec::Zipf { keys, exponent }.resolve().expect_err("the parameters are invalid");
            error.field().to_owned()
        };
        assert_eq!(field(0, 1.0), "keys");
        assert_eq!(field((1 << 32) + 1, 1.0), "keys");
        for exponent in [0.0, -1.0, f64::NAN, f64::INFINITY, 101.0] {
            assert_eq!(field(10, exponent), "exponent");
        }
        assert_eq!(KeySpec::Zipf { keys: 1, exponent: 1.0 }.resolve(), Ok(KeySampler::Fixed(0)));
    }
}
