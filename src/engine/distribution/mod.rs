//! Distributions: as written in a scenario ([`DistributionSpec`]) and ready to draw from ([`Sampler`]).
//!
//! A law is the implementation of a distribution. Each law has a file with its parameters, its draws, its literature
//! and its tests. `mean` and `sd` are always those of the drawn values, which are never negative.
//!
//! A [`Sampler`] is a [`rand_distr::Distribution`], and so is every law. The laws of scenario files are implemented
//! here because their values must never change: `rand_distr` takes its logarithms from `num_traits`, which switches
//! from `libm` to the mathematics of the system as soon as any crate of the build enables its `std`, as Bevy does. The
//! same scenario would draw other values with the visualizer than without. Here all elementary functions are those of
//! `libm`. Laws of `rand_distr` that need none of them (only arithmetic and square roots) may be used directly, and
//! Rust code can use any distribution as a [`Custom`].

mod alias;
mod constant;
mod count;
mod custom;
mod empirical;
mod exponential;
mod gamma;
mod hyper_exponential;
mod log_normal;
mod normal;
mod pareto;
mod partial_moments;
mod percentiles;
mod scaled;
mod shifted;
mod special;
#[cfg(test)]
mod testing;
mod truncated;
mod uniform;
mod weibull;
pub mod ziggurat;

use rand::Rng;
use rand_distr::Distribution;
use serde::{Deserialize, Serialize};

pub use self::alias::AliasTable;
pub use self::count::{CountSampler, CountSpec};
pub use self::custom::Custom;
pub use self::hyper_exponential::Branch;
use self::partial_moments::PartialMoments;
use super::spec_error::SpecError;
use super::time::SimDuration;
use super::units::Quantity;

/// A distribution of durations or sizes, as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum DistributionSpec<Q> {
    /// Always the same value: `Constant("5ms")`.
    Constant(Q),
    /// Uniform between two bounds.
    Uniform {
        /// The minimum.
        min: Q,
        /// The maximum.
        max: Q,
    },
    /// Exponential, which is memoryless: times between independent events.
    Exponential {
        /// The mean.
        mean: Q,
    },
    /// The normal distribution, truncated at zero. `mean` and `sd` are those after truncation: the parameters of the
    /// underlying normal distribution are solved for.
    Normal {
        /// The mean.
        mean: Q,
        /// The standard deviation, which is below the mean for every normal distribution truncated at zero.
        sd: Q,
    },
    /// The logarithm is normally distributed: service times with a long tail.
    LogNormal {
        /// The mean.
        mean: Q,
        /// The standard deviation.
        sd: Q,
    },
    /// The log-normal distribution by its median and the standard deviation of the natural logarithm.
    LogNormalMedian {
        /// The median.
        median: Q,
        /// The standard deviation of the natural logarithm, from 0 to 10, without a unit.
        sigma: f64,
    },
    /// The gamma distribution: any sd below or above the mean, with an exponential tail.
    Gamma {
        /// The mean.
        mean: Q,
        /// The standard deviation.
        sd: Q,
    },
    /// The sum of exponential stages with equal means.
    Erlang {
        /// The mean of the sum.
        mean: Q,
        /// The number of stages, 1 or more.
        stages: u32,
    },
    /// The Weibull distribution: times to failure. Its sd is above the mean for shapes below 1, and below it above 1.
    Weibull {
        /// The mean.
        mean: Q,
        /// The shape, from 0.05 to 1000.
        shape: f64,
    },
    /// The distribution of the 80-20 rule. The minimum is mean * (shape - 1) / shape; the sd is infinite for shapes up
    /// to 2.
    Pareto {
        /// The mean.
        mean: Q,
        /// The shape, above 1: otherwise the mean is infinite.
        shape: f64,
    },
    /// A mixture of exponential distributions: each draw selects one of them.
    HyperExponential {
        /// The exponential distributions. Their probabilities sum to 1.
        branches: Vec<Branch<Q>>,
    },
    /// One of a list of observed values, with equal or given weights.
    Empirical {
        /// The values.
        values: Vec<Q>,
        /// The weight of each value, 0 or more; equal weights if omitted.
        #[serde(skip_serializing_if = "Option::is_none")]
        weights: Option<Vec<f64>>,
    },
    /// Percentiles, as a dashboard shows them, with linear interpolation between them: any of the named ones, and others.
    Percentiles {
        /// The minimum; zero if omitted.
        #[serde(skip_serializing_if = "Option::is_none")]
        p0: Option<Q>,
        /// 50 % of all draws are at most this.
        #[serde(skip_serializing_if = "Option::is_none")]
        p50: Option<Q>,
        /// 80 % of all draws are at most this.
        #[serde(skip_serializing_if = "Option::is_none")]
        p80: Option<Q>,
        /// 90 % of all draws are at most this.
        #[serde(skip_serializing_if = "Option::is_none")]
        p90: Option<Q>,
        /// 99 % of all draws are at most this.
        #[serde(skip_serializing_if = "Option::is_none")]
        p99: Option<Q>,
        /// Other percentiles: the percentage, above 0 and below 100, and the value.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        others: Vec<(f64, Q)>,
        /// The maximum.
        p100: Q,
    },
    /// Another distribution plus a constant.
    Shifted {
        /// The constant.
        by: Q,
        /// The other distribution.
        of: Box<Self>,
    },
    /// Another distribution, truncated to the values between two bounds, both included.
    Truncated {
        /// The lower bound, or `None` for no bound.
        #[serde(skip_serializing_if = "Option::is_none")]
        min: Option<Q>,
        /// The upper bound, or `None` for no bound.
        #[serde(skip_serializing_if = "Option::is_none")]
        max: Option<Q>,
        /// The other distribution.
        of: Box<Self>,
    },
    /// A distribution from Rust code, see [`DistributionSpec::custom`]. It cannot be read from or written to a file.
    #[serde(skip)]
    Custom(Custom),
}

impl<Q: Quantity> DistributionSpec<Q> {
    /// Converts any [`rand_distr::Distribution`], for scenarios built in Rust. Its unit is seconds for durations and
    /// bytes for sizes; `mean` and `sd` are its moments in the same unit.
    ///
    /// Negative draws and NaN count as zero. Results are as reproducible as the draws of the distribution.
    ///
    /// ```
    /// use rand_distr::{Distribution, Triangular};
    /// use rushhour::engine::distribution::DistributionSpec;
    /// use rushhour::engine::random::RandomStream;
    /// use rushhour::engine::time::SimDuration;
    ///
    /// let law = Triangular::new(0.0, 0.006, 0.003)?;
    /// let service = DistributionSpec::<SimDuration>::custom(law, 0.003, 0.006 / 24_f64.sqrt());
    /// let sampler = service.resolve()?;
    /// assert_eq!(sampler.mean(), 3e6, "in nanoseconds");
    /// assert!(sampler.sample(&mut RandomStream::from_seed(1)) < 6e6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn custom(law: impl Distribution<f64> + Send + Sync + 'static, mean: f64, sd: f64) -> Self {
        Self::Custom(Custom::new(law, mean, sd))
    }

    /// Checks the parameters, and computes those of the sampler.
    ///
    /// # Errors
    /// If the parameters are invalid.
    pub fn resolve(&self) -> Result<Sampler, SpecError> {
        match self {
            Self::Constant(value) => Ok(Sampler::constant(value.to_base())),
            Self::Uniform { min, max } => uniform::resolve(*min, *max),
            Self::Exponential { mean } => Ok(Sampler::exponential(mean.to_base())),
            Self::Normal { mean, sd } => normal::resolve(*mean, *sd),
            Self::LogNormal { mean, sd } => log_normal::resolve(*mean, *sd),
            Self::LogNormalMedian { median, sigma } => log_normal::resolve_median(*median, *sigma),
            Self::Gamma { mean, sd } => gamma::resolve(*mean, *sd),
            Self::Erlang { mean, stages } => gamma::resolve_erlang(*mean, *stages),
            Self::Weibull { mean, shape } => weibull::resolve(*mean, *shape),
            Self::Pareto { mean, shape } => pareto::resolve(*mean, *shape),
            Self::HyperExponential { branches } => hyper_exponential::resolve(branches),
            Self::Empirical { values, weights } => empirical::resolve(values, weights.as_deref()),
            Self::Percentiles { p0, p50, p80, p90, p99, others, p100 } => {
                percentiles::resolve([*p0, *p50, *p80, *p90, *p99, Some(*p100)], others)
            }
            Self::Shifted { by, of } => shifted::resolve(*by, of),
            Self::Truncated { min, max, of } => truncated::resolve(*min, *max, of),
            Self::Custom(law) => custom::resolve::<Q>(law),
        }
    }
}

/// A distribution, ready to draw from, in base units: nanoseconds or bytes.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the laws are described at `DistributionSpec`")]
pub enum Sampler {
    Constant(constant::Constant),
    Exponential(exponential::Exponential),
    Uniform(uniform::Uniform),
    Normal(normal::Normal),
    LogNormal(log_normal::LogNormal),
    Gamma(gamma::Gamma),
    Weibull(weibull::Weibull),
    Pareto(pareto::Pareto),
    HyperExponential(Box<hyper_exponential::HyperExponential>),
    Empirical(Box<empirical::Empirical>),
    Percentiles(Box<percentiles::Percentiles>),
    Scaled(Box<scaled::Scaled>),
    Shifted(Box<shifted::Shifted>),
    Truncated(Box<truncated::Truncated>),
    Custom(Box<Custom>),
}

/// A law of one of the variants of [`Sampler`]. Its draws are not negative and not NaN.
trait Law: Distribution<f64> {
    /// The mean.
    fn mean(&self) -> f64;
    /// The standard deviation, which may be infinite.
    fn sd(&self) -> f64;
    /// The partial moments between two bounds, both included: `min` is 0 or more, `max` may be infinite.
    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments;
}

macro_rules! delegate {
    ($sampler:expr, $law:ident => $result:expr) => {
        match $sampler {
            Sampler::Constant($law) => $result,
            Sampler::Exponential($law) => $result,
            Sampler::Uniform($law) => $result,
            Sampler::Normal($law) => $result,
            Sampler::LogNormal($law) => $result,
            Sampler::Gamma($law) => $result,
            Sampler::Weibull($law) => $result,
            Sampler::Pareto($law) => $result,
            Sampler::HyperExponential($law) => $result,
            Sampler::Empirical($law) => $result,
            Sampler::Percentiles($law) => $result,
            Sampler::Scaled($law) => $result,
            Sampler::Shifted($law) => $result,
            Sampler::Truncated($law) => $result,
            Sampler::Custom($law) => $result,
        }
    };
}

impl Sampler {
    /// Always `value`, in base units. Negative values and NaN count as zero.
    #[must_use]
    pub fn constant(value: f64) -> Self {
        Self::Constant(constant::Constant::new(value))
    }

    /// An exponential law with this mean in base units. Negative means and NaN count as zero.
    #[must_use]
    pub fn exponential(mean: f64) -> Self {
        if mean > 0.0 { Self::Exponential(exponential::Exponential::new(mean)) } else { Self::constant(0.0) }
    }

    /// The same law times a factor (above 0).
    #[must_use]
    pub fn scaled(self, by: f64) -> Self {
        if let Some(value) = self.as_constant() {
            return Self::constant(by * value);
        }
        if let Self::Exponential(law) = &self {
            return Self::exponential(by * law.mean());
        }
        Self::Scaled(Box::new(scaled::Scaled::new(by, self)))
    }

    #[inline(never)]
    fn sample_other<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        delegate!(self, law => law.sample(rng))
    }

    /// One draw, rounded to the nearest nanosecond.
    #[inline]
    #[must_use]
    pub fn sample_duration<R: Rng + ?Sized>(&self, rng: &mut R) -> SimDuration {
        SimDuration::from_nanos_f64(self.sample(rng))
    }

    /// One draw as a whole number of bytes, which is below 4 GiB.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, as documented"
    )]
    pub fn sample_bytes<R: Rng + ?Sized>(&self, rng: &mut R) -> u32 {
        (self.sample(rng) + 0.5) as u32
    }

    /// The mean, in base units.
    #[must_use]
    pub fn mean(&self) -> f64 {
        delegate!(self, law => law.mean())
    }

    /// The standard deviation, in base units; infinite for some laws.
    #[must_use]
    pub fn sd(&self) -> f64 {
        delegate!(self, law => law.sd())
    }

    /// The cumulative distribution function: the probability that a draw is at most `x` base units.
    #[must_use]
    pub fn cdf(&self, x: f64) -> f64 {
        if x < 0.0 { 0.0 } else { self.partial_moments(0.0, x).mass.clamp(0.0, 1.0) }
    }

    /// The value of a constant law, or `None` for other laws.
    #[must_use]
    pub fn as_constant(&self) -> Option<f64> {
        match self {
            Self::Constant(law) => Some(law.mean()),
            Self::Exponential(_)
            | Self::Uniform(_)
            | Self::Normal(_)
            | Self::LogNormal(_)
            | Self::Gamma(_)
            | Self::Weibull(_)
            | Self::Pareto(_)
            | Self::HyperExponential(_)
            | Self::Empirical(_)
            | Self::Percentiles(_)
            | Self::Scaled(_)
            | Self::Shifted(_)
            | Self::Truncated(_)
            | Self::Custom(_) => None,
        }
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        delegate!(self, law => law.partial_moments(min, max))
    }
}

impl Distribution<f64> for Sampler {
    /// One draw in base units: not negative, not NaN.
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // The two most frequent laws, without a jump table.
        if let Self::Exponential(law) = self {
            return law.sample(rng);
        }
        if let Self::Constant(law) = self {
            return law.sample(rng);
        }
        self.sample_other(rng)
    }
}

/// The error of a mean of zero with an sd above zero.
fn zero_mean<Q: Quantity>(mean: Q, sd: Q) -> SpecError {
    SpecError::at(
        "mean",
        format!(
            "a mean of {mean} is too small for an sd of {sd}: values are never negative, so all would be zero"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::RandomStream;
    use crate::engine::units::Bytes;

    fn read(json: &str) -> Result<DistributionSpec<SimDuration>, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_sampler_is_small() {
        assert!(size_of::<Sampler>() <= 32, "{}", size_of::<Sampler>());
    }

    #[test]
    fn a_spec_is_serialized_as_it_is_deserialized() {
        for json in [
            r#"{"Constant":"5ms"}"#,
            r#"{"Empirical":{"values":["1ms","2ms"]}}"#,
            r#"{"HyperExponential":{"branches":[{"probability":0.5,"mean":"1ms"}]}}"#,
            r#"{"Truncated":{"max":"1s","of":{"Shifted":{"by":"1ms","of":{"Pareto":{"mean":"5ms","shape":1.5}}}}}}"#,
        ] {
            let spec = read(json).expect("a distribution");
            assert_eq!(serde_json::to_string(&spec).expect("a text"), json);
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert!(
            read(r#"{"Normal":{"mean":"5ms","sd":"1ms","std":"1ms"}}"#).expect_err("unknown").contains("std")
        );
        let json = r#"{"HyperExponential":{"branches":[{"probability":1,"mean":"1ms","p":1}]}}"#;
        assert!(read(json).expect_err("unknown").contains("unknown field `p`"));
    }

    #[test]
    fn sizes_are_drawn_in_bytes() {
        let spec: DistributionSpec<Bytes> =
            serde_json::from_str(r#"{"Uniform":{"min":"1KiB","max":"3KiB"}}"#).expect("a distribution");
        assert_eq!(spec.resolve().expect("a sampler").mean().to_bits(), 2048_f64.to_bits());
    }

    #[test]
    fn an_error_contains_the_path_of_the_field_from_the_outermost_distribution() {
        let json = r#"{"Shifted":{"by":"1ms","of":{"Truncated":{"max":"1s","of":{"Normal":{"mean":"1ms","sd":"2ms"}}}}}}"#;
        let error = read(json).expect("a distribution").resolve().expect_err("too wide");
        assert_eq!(error.field(), "of.of.sd");
    }

    #[test]
    fn a_draw_is_rounded_to_nanoseconds() {
        let mut stream = RandomStream::from_seed(1);
        assert_eq!(Sampler::constant(1.5).sample_duration(&mut stream).as_nanos(), 2);
        assert_eq!(Sampler::constant(f64::NAN).as_constant().map(f64::to_bits), Some(0));
        assert_eq!(Sampler::exponential(-1.0).as_constant().map(f64::to_bits), Some(0));
    }
}
