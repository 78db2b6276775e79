//! Partial moments: the mass of a law between two bounds, and its first two moments there.
//!
//! Each law has its partial moments in closed form. Cumulative distribution functions and the moments of truncated laws
//! are computed from them. Each law chooses the point that its moments are about, for precision with narrow laws far
//! from zero.

/// The partial moments of a law between two bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PartialMoments {
    /// The probability of a value between the bounds.
    pub(super) mass: f64,
    /// The point that the moments are about.
    pub(super) about: f64,
    /// The expectation of (X - about) if X is between the bounds, else 0.
    pub(super) first: f64,
    /// The expectation of (X - about)² if X is between the bounds, else 0.
    pub(super) second: f64,
}

impl PartialMoments {
    /// The partial moments of no mass.
    pub(super) const ZERO: Self = Self { mass: 0.0, about: 0.0, first: 0.0, second: 0.0 };

    /// The partial moments of a law with an unknown distribution function: all are NaN.
    pub(super) const UNKNOWN: Self =
        Self { mass: f64::NAN, about: f64::NAN, first: f64::NAN, second: f64::NAN };

    /// The partial moments of a point mass.
    pub(super) const fn atom(value: f64, mass: f64) -> Self {
        Self { mass, about: value, first: 0.0, second: 0.0 }
    }

    /// The partial moments between `min` and `max` of `mass` that is uniform from `low` to `high`.
    pub(super) fn uniform(low: f64, high: f64, mass: f64, min: f64, max: f64) -> Self {
        let (from, to) = (low.max(min), high.min(max));
        if from > to {
            Self::ZERO
        } else if low < high {
            let (width, mass) = (to - from, mass * (to - from) / (high - low));
            Self { mass, about: from + 0.5 * width, first: 0.0, second: mass * width * width / 12.0 }
        } else {
            Self::atom(low, mass)
        }
    }

    /// The mean of the values between the bounds.
    pub(super) fn mean(self) -> f64 {
        self.about + self.first / self.mass
    }

    /// The standard deviation of the values between the bounds.
    pub(super) fn sd(self) -> f64 {
        let offset = self.first / self.mass;
        (self.second / self.mass - offset * offset).max(0.0).sqrt()
    }

    /// The same moments, multiplied by a weight.
    pub(super) fn weighted(self, weight: f64) -> Self {
        Self {
            mass: self.mass * weight,
            first: self.first * weight,
            second: self.second * weight,
            about: self.about,
        }
    }

    /// The partial moments of X + `by`.
    pub(super) fn shifted(self, by: f64) -> Self {
        Self { about: self.about + by, ..self }
    }

    /// The partial moments of X times `by`.
    pub(super) fn scaled(self, by: f64) -> Self {
        Self {
            mass: self.mass,
            about: self.about * by,
            first: self.first * by,
            second: self.second * by * by,
        }
    }

    /// The same moments, about another point.
    fn moved_to(self, about: f64) -> Self {
        let offset = self.about - about;
        Self {
            mass: self.mass,
            about,
            first: self.first + offset * self.mass,
            second: self.second + offset * (2.0 * self.first + offset * self.mass),
        }
    }

    /// The sum of the weighted parts of a mixture, about the point of the first part with a mass above zero.
    pub(super) fn mixture(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().filter(|part| part.mass > 0.0).fold(Self::ZERO, |sum, part| {
            if sum.mass > 0.0 {
                let part = part.moved_to(sum.about);
                let (first, second) = (sum.first + part.first, sum.second + part.second);
                Self { mass: sum.mass + part.mass, about: sum.about, first, second }
            } else {
                part
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::distribution::testing::assert_close;

    #[test]
    fn two_point_masses_have_the_moments_of_a_coin() {
        let coin = PartialMoments::mixture([
            PartialMoments::atom(1e9, 0.5),
            PartialMoments::ZERO,
            PartialMoments::atom(1e9 + 2.0, 0.5),
        ]);
        assert_close(coin.mass, 1.0, 0.0);
        assert_close(coin.mean(), 1e9 + 1.0, 0.0);
        assert_close(coin.sd(), 1.0, 1e-15);
        assert_close(coin.shifted(5.0).mean(), 1e9 + 6.0, 0.0);
        assert_close(coin.weighted(0.25).sd(), 1.0, 1e-15);
    }

    #[test]
    fn a_uniform_law_is_truncated_at_both_ends() {
        let part = PartialMoments::uniform(0.0, 10.0, 1.0, 4.0, 6.0);
        assert_close(part.mass, 0.2, 1e-15);
        assert_close(part.mean(), 5.0, 1e-15);
        assert_close(part.sd(), (1.0_f64 / 3.0).sqrt(), 1e-15);
        assert_eq!(PartialMoments::uniform(0.0, 10.0, 1.0, 11.0, 12.0), PartialMoments::ZERO);
    }
}
