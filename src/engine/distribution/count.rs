//! Distributions of whole numbers: of users, or of the requests of a batch.

use std::fmt;

use rand::Rng;
use rand_distr::Distribution;
use serde::{Deserialize, Serialize};

use super::{Sampler, normal, ziggurat};
use crate::engine::random::Draw as _;
use crate::engine::spec_error::SpecError;
use crate::engine::units::Quantity;

/// The largest mean of a number: draws then fit into 32 bits.
const MAX_MEAN: f64 = 1e9;
/// The mean from which on Poisson draws are made by rejection.
const MIN_REJECTION_MEAN: f64 = 10.0;

/// A distribution of whole numbers, as written in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum CountSpec {
    /// Always the same number.
    Constant(u32),
    /// Any number from the first to the second, both included, with equal probability.
    Uniform(u32, u32),
    /// The number of attempts until the first success: 1 or more, without memory.
    Geometric {
        /// The mean, 1 or more.
        mean: f64,
    },
    /// The number of independent events in a time.
    Poisson {
        /// The mean, 0 or more, which is the variance too.
        mean: f64,
    },
    /// The normal distribution, truncated at zero and rounded. `mean` and `sd` are those after truncation.
    Normal {
        /// The mean, above 0.
        mean: f64,
        /// The standard deviation, which is below the mean.
        sd: f64,
    },
}

/// A number without a unit.
#[derive(Clone, Copy, Debug)]
struct Plain(f64);

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Quantity for Plain {
    const BASE_UNITS: f64 = 1.0;

    fn to_base(self) -> f64 {
        self.0
    }

    fn from_base(base: f64) -> Self {
        Self(base)
    }
}

impl CountSpec {
    /// Checks the parameters, and computes those of the sampler.
    ///
    /// # Errors
    /// If the parameters are invalid, with the field and a hint.
    pub fn resolve(&self) -> Result<CountSampler, SpecError> {
        let in_range = |field: &str, value: f64, min: f64| {
            if (min..=MAX_MEAN).contains(&value) {
                return Ok(());
            }
            Err(SpecError::at(field, format!("{value} is out of range: use {min} to {MAX_MEAN}")))
        };
        let law = match *self {
            Self::Constant(number) => {
                in_range("", number.into(), 0.0)?;
                Law::Constant(number)
            }
            Self::Uniform(min, max) => {
                in_range("", max.into(), 0.0)?;
                if max < min {
                    let message = format!("the maximum of {max} is below the minimum of {min}: swap them");
                    return Err(SpecError::at("", message));
                }
                Law::Uniform { min, numbers: u64::from(max - min) + 1 }
            }
            Self::Geometric { mean } => {
                in_range("mean", mean, 1.0)?;
                // -ln(1 - p), where p = 1 / mean is the probability of a success.
                Law::Geometric { decay: -libm::log1p(-1.0 / mean) }
            }
            Self::Poisson { mean } => {
                in_range("mean", mean, 0.0)?;
                Law::Poisson { mean }
            }
            Self::Normal { mean, sd } => {
                in_range("mean", mean, 0.0)?;
                in_range("sd", sd, 0.0)?;
                Law::Normal(normal::resolve(Plain(mean), Plain(sd))?)
            }
        };
        Ok(CountSampler { law, mean: self.mean(), variance: self.variance() })
    }

    fn mean(&self) -> f64 {
        match *self {
            Self::Constant(number) => number.into(),
            Self::Uniform(min, max) => f64::midpoint(min.into(), max.into()),
            Self::Geometric { mean } | Self::Poisson { mean } | Self::Normal { mean, .. } => mean,
        }
    }

    fn variance(&self) -> f64 {
        match *self {
            Self::Constant(_) => 0.0,
            Self::Uniform(min, max) => {
                let numbers = f64::from(max) - f64::from(min) + 1.0;
                (numbers * numbers - 1.0) / 12.0
            }
            Self::Geometric { mean } => mean * (mean - 1.0),
            Self::Poisson { mean } => mean,
            Self::Normal { sd, .. } => sd * sd,
        }
    }
}

/// A distribution of whole numbers, ready to draw from.
#[derive(Clone, Debug, PartialEq)]
pub struct CountSampler {
    law: Law,
    mean: f64,
    variance: f64,
}

#[derive(Clone, Debug, PartialEq)]
enum Law {
    Constant(u32),
    Uniform {
        min: u32,
        /// How many different numbers there are.
        numbers: u64,
    },
    Geometric {
        /// The rate at which the probability to exceed a number decays with it.
        decay: f64,
    },
    Poisson {
        mean: f64,
    },
    Normal(Sampler),
}

impl CountSampler {
    /// The mean.
    #[must_use]
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// The variance; of normal draws, that before they are rounded.
    #[must_use]
    pub const fn variance(&self) -> f64 {
        self.variance
    }
}

impl Distribution<u32> for CountSampler {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, as intended"
    )]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> u32 {
        match &self.law {
            Law::Constant(number) => *number,
            Law::Uniform { min, numbers } => min + rng.below(*numbers) as u32,
            // An exponential draw exceeds k * decay with the probability (1 - p)^k.
            Law::Geometric { decay } => 1_u32.saturating_add((ziggurat::exponential(rng) / decay) as u32),
            Law::Poisson { mean } if *mean < MIN_REJECTION_MEAN => poisson_by_gaps(*mean, rng),
            Law::Poisson { mean } => poisson_by_rejection(*mean, rng),
            Law::Normal(law) => (law.sample(rng) + 0.5) as u32,
        }
    }
}

/// Counts events with exponential gaps in a time.
fn poisson_by_gaps<R: Rng + ?Sized>(mean: f64, rng: &mut R) -> u32 {
    let (mut number, mut time) = (0, ziggurat::exponential(rng));
    while time < mean {
        number += 1;
        time += ziggurat::exponential(rng);
    }
    number
}

/// Draws by transformed rejection, algorithm PTRS of Hörmann: "The transformed rejection method for generating Poisson random
/// variables", 1993. For means of 10 or more.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is 0 or more, and `as` saturates"
)]
fn poisson_by_rejection<R: Rng + ?Sized>(mean: f64, rng: &mut R) -> u32 {
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.02483 * b;
    let log_mean = libm::log(mean);
    loop {
        let (u, v) = (rng.uniform() - 0.5, rng.uniform_positive());
        let edge = 0.5 - u.abs();
        let number = ((2.0 * a / edge + b) * u + mean + 0.43).floor();
        if edge >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2.0) {
            return number as u32;
        }
        if number < 0.0 || edge < 0.013 && v > edge {
            continue;
        }
        let hat = libm::log(v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (edge * edge) + b));
        if hat <= number * log_mean - mean - libm::lgamma(number + 1.0) {
            return number as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::distribution::testing::assert_moments;
    use crate::engine::random::RandomStream;

    fn draws(spec: CountSpec) -> Vec<u32> {
        let (sampler, mut stream) = (spec.resolve().expect("a law"), RandomStream::from_seed(2024));
        (0..200_000).map(|_| sampler.sample(&mut stream)).collect()
    }

    #[test]
    fn draws_have_the_mean_and_the_variance() {
        for spec in [
            CountSpec::Uniform(3, 9),
            CountSpec::Uniform(0, 1),
            CountSpec::Geometric { mean: 2.5 },
            CountSpec::Geometric { mean: 400.0 },
            CountSpec::Poisson { mean: 0.3 },
            CountSpec::Poisson { mean: 9.9 },
            CountSpec::Poisson { mean: 10.0 },
            CountSpec::Poisson { mean: 137.0 },
            CountSpec::Poisson { mean: 1e6 },
        ] {
            let sampler = spec.resolve().expect("a law");
            let draws: Vec<f64> = draws(spec).into_iter().map(f64::from).collect();
            assert_moments(&draws, sampler.mean(), sampler.variance().sqrt());
        }
        for (spec, number) in [
            (CountSpec::Constant(7), 7),
            (CountSpec::Uniform(7, 7), 7),
            (CountSpec::Geometric { mean: 1.0 }, 1),
            (CountSpec::Poisson { mean: 0.0 }, 0),
            (CountSpec::Normal { mean: 7.0, sd: 0.0 }, 7),
        ] {
            assert!(draws(spec).into_iter().all(|draw| draw == number), "{spec:?}");
        }
        let normal: Vec<f64> =
            draws(CountSpec::Normal { mean: 100.0, sd: 20.0 }).into_iter().map(f64::from).collect();
        // Rounding adds the variance of a uniform law of width 1.
        assert_moments(&normal, 100.0, (400.0_f64 + 1.0 / 12.0).sqrt());
    }

    #[test]
    fn poisson_draws_have_their_probabilities() {
        for mean in [0.5, 4.0, 10.0, 30.0, 1000.0] {
            let draws = draws(CountSpec::Poisson { mean });
            let count = draws.len() as f64;
            let probability = |k: f64| libm::exp(k * libm::log(mean) - mean - libm::lgamma(k + 1.0));
            let spread = 5.0 * f64::sqrt(mean);
            for k in (0..).take_while(|k| f64::from(*k) <= mean + spread) {
                let expected = count * probability(k.into());
                let observed = draws.iter().filter(|draw| **draw == k).count() as f64;
                // Of rare values, few draws are a chance event.
                let error = 5.0 * expected.sqrt() + 5.0;
                assert!((observed - expected).abs() <= error, "{k} at {mean}: {observed}, not {expected}");
            }
        }
    }

    #[test]
    fn parameters_out_of_range_are_refused_with_their_field() {
        for (spec, field) in [
            (CountSpec::Uniform(3, 2), ""),
            (CountSpec::Constant(u32::MAX), ""),
            (CountSpec::Geometric { mean: 0.5 }, "mean"),
            (CountSpec::Geometric { mean: f64::NAN }, "mean"),
            (CountSpec::Poisson { mean: -1.0 }, "mean"),
            (CountSpec::Poisson { mean: 1e10 }, "mean"),
            (CountSpec::Normal { mean: 10.0, sd: 11.0 }, "sd"),
            (CountSpec::Normal { mean: 0.0, sd: 1.0 }, "mean"),
        ] {
            assert_eq!(spec.resolve().expect_err("out of range").field(), field, "{spec:?}");
        }
    }

    #[test]
    fn an_even_chance_is_a_geometric_law_with_a_mean_of_two() {
        let draws = draws(CountSpec::Geometric { mean: 2.0 });
        let ones = draws.iter().filter(|draw| **draw == 1).count() as f64;
        assert!((ones - 1e5).abs() < 4.5 * 224.0, "{ones}");
    }
}
