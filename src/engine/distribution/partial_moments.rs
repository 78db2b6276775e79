//! What lies of a law between two bounds: the mass there and its first two moments.
//!
//! Each law knows its own parts in closed form; distribution functions and the true means of truncated laws follow.
//! Moments are kept about a point that the law chooses, so that narrow laws far from zero keep their digits.

/// The part of a law between two bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PartialMoments {
    /// The probability of falling between the bounds.
    pub(super) mass: f64,
    /// The point that the moments are about.
    pub(super) about: f64,
    /// The expectation of (X - about), counted where X falls between the bounds.
    pub(super) first: f64,
    /// The expectation of (X - about)², counted where X falls between the bounds.
    pub(super) second: f64,
}

impl PartialMoments {
    /// No mass at all.
    pub(super) const NOTHING: Self = Self { mass: 0.0, about: 0.0, first: 0.0, second: 0.0 };

    /// All of `mass` on one value.
    pub(super) const fn atom(value: f64, mass: f64) -> Self {
        Self { mass, about: value, first: 0.0, second: 0.0 }
    }

    /// What lies between `min` and `max` of `mass` spread evenly from `low` to `high`.
    pub(super) fn even(low: f64, high: f64, mass: f64, min: f64, max: f64) -> Self {
        let (from, to) = (low.max(min), high.min(max));
        if from > to {
            Self::NOTHING
        } else if low < high {
            let (width, mass) = (to - from, mass * (to - from) / (high - low));
            Self { mass, about: from + 0.5 * width, first: 0.0, second: mass * width * width / 12.0 }
        } else {
            Self::atom(low, mass)
        }
    }

    /// The mean of what lies between the bounds.
    pub(super) fn mean(self) -> f64 {
        self.about + self.first / self.mass
    }

    /// The standard deviation of what lies between the bounds.
    pub(super) fn sd(self) -> f64 {
        let offset = self.first / self.mass;
        (self.second / self.mass - offset * offset).max(0.0).sqrt()
    }

    /// The same part with another weight.
    pub(super) fn weighted(self, weight: f64) -> Self {
        Self {
            mass: self.mass * weight,
            first: self.first * weight,
            second: self.second * weight,
            about: self.about,
        }
    }

    /// The same part, moved.
    pub(super) fn shifted(self, by: f64) -> Self {
        Self { about: self.about + by, ..self }
    }

    /// The same part with moments about another point.
    fn seen_from(self, about: f64) -> Self {
        let offset = self.about - about;
        Self {
            mass: self.mass,
            about,
            first: self.first + offset * self.mass,
            second: self.second + offset * (2.0 * self.first + offset * self.mass),
        }
    }

    /// Parts of a mixture, together; about the mean of the first that has any mass.
    pub(super) fn together(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().filter(|part| part.mass > 0.0).fold(Self::NOTHING, |sum, part| {
            if sum.mass > 0.0 {
                let part = part.seen_from(sum.about);
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
    fn atoms_mix_to_the_moments_of_a_coin() {
        let coin = PartialMoments::together([
            PartialMoments::atom(1e9, 0.5),
            PartialMoments::NOTHING,
            PartialMoments::atom(1e9 + 2.0, 0.5),
        ]);
        assert_close(coin.mass, 1.0, 0.0);
        assert_close(coin.mean(), 1e9 + 1.0, 0.0);
        assert_close(coin.sd(), 1.0, 1e-15);
        assert_close(coin.shifted(5.0).mean(), 1e9 + 6.0, 0.0);
        assert_close(coin.weighted(0.25).sd(), 1.0, 1e-15);
    }

    #[test]
    fn an_even_law_is_cut_at_both_ends() {
        let part = PartialMoments::even(0.0, 10.0, 1.0, 4.0, 6.0);
        assert_close(part.mass, 0.2, 1e-15);
        assert_close(part.mean(), 5.0, 1e-15);
        assert_close(part.sd(), (1.0_f64 / 3.0).sqrt(), 1e-15);
        assert_eq!(PartialMoments::even(0.0, 10.0, 1.0, 11.0, 12.0), PartialMoments::NOTHING);
    }
}
