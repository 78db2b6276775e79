//! Distributions: what a scenario writes ([`DistributionSpec`]) and what draws ([`Sampler`]).
//!
//! Each law is a file with its parameters, its draw, its source and its tests. `mean` is always the mean of the law
//! that is drawn and `sd` its standard deviation. Nothing negative is ever drawn.
//!
//! The samplers are our own because values must never change: `rand_distr` takes its logarithms from `num_traits`,
//! which switches from `libm` to the system's mathematics as soon as any crate of the build turns on its `std`, as
//! Bevy does. So the same scenario would draw other values with the visualizer than without. Here all elementary
//! functions are `libm`'s; `rand_distr` only appears in tests, to compare laws.

mod alias;
mod constant;
mod empirical;
mod exponential;
mod gamma;
mod hyper_exponential;
mod log_normal;
mod normal;
mod pareto;
mod partial_moments;
mod percentiles;
mod shifted;
mod special;
#[cfg(test)]
mod testing;
mod truncated;
mod uniform;
mod weibull;
pub mod ziggurat;

use serde::{Deserialize, Serialize};

pub use self::alias::AliasTable;
pub use self::hyper_exponential::Branch;
use self::partial_moments::PartialMoments;
use super::random::RandomStream;
use super::spec_error::SpecError;
use super::time::SimDuration;
use super::units::Quantity;

/// A distribution as it is written in a scenario, over durations or sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum DistributionSpec<Q> {
    /// Always the same: `Constant("5ms")`.
    Constant(Q),
    /// Anything between two bounds, evenly.
    Uniform {
        /// The least.
        min: Q,
        /// The most.
        max: Q,
    },
    /// Without memory: times between independent events.
    Exponential {
        /// The mean.
        mean: Q,
    },
    /// The normal law of what cannot be negative. Its `mean` and `sd` are those after the cut at zero: the parameters
    /// of the bell that is cut are solved for.
    Normal {
        /// The mean.
        mean: Q,
        /// The standard deviation: below the mean, for nothing normal and above zero spreads wider.
        sd: Q,
    },
    /// Its logarithm is normal: service times with a long tail.
    LogNormal {
        /// The mean.
        mean: Q,
        /// The standard deviation.
        sd: Q,
    },
    /// The same law by its median and the standard deviation of its natural logarithm.
    LogNormalMedian {
        /// The median.
        median: Q,
        /// The standard deviation of the natural logarithm: 0 to 10, without a unit.
        sigma: f64,
    },
    /// Between constant and far beyond exponential by its two moments, with a tail that falls exponentially.
    Gamma {
        /// The mean.
        mean: Q,
        /// The standard deviation.
        sd: Q,
    },
    /// The sum of equal exponential stages.
    Erlang {
        /// The mean of the sum.
        mean: Q,
        /// How many stages: 1 or more.
        stages: u32,
    },
    /// Times to failure that become more (shape below 1) or less spread than exponential ones.
    Weibull {
        /// The mean.
        mean: Q,
        /// The shape: 0.05 to 1000.
        shape: f64,
    },
    /// The law of the 80-20 rule. It starts at mean * (shape - 1) / shape; its sd is infinite for shapes up to 2.
    Pareto {
        /// The mean.
        mean: Q,
        /// The shape: above 1, for there is no mean otherwise.
        shape: f64,
    },
    /// One of several exponential laws, chosen anew for each draw.
    HyperExponential {
        /// The laws. Their probabilities sum to 1.
        branches: Vec<Branch<Q>>,
    },
    /// One of the values seen, with equal or given weights.
    Empirical {
        /// The values.
        values: Vec<Q>,
        /// As many weights, 0 or more; equal ones if not given.
        #[serde(skip_serializing_if = "Option::is_none")]
        weights: Option<Vec<f64>>,
    },
    /// What a dashboard shows: linear between the percentiles given.
    Percentiles {
        /// The least; zero if not given.
        #[serde(skip_serializing_if = "Option::is_none")]
        p0: Option<Q>,
        /// Half of all draws are at most this.
        p50: Q,
        /// Eighty in a hundred are at most this.
        p80: Q,
        /// Ninety in a hundred are at most this.
        p90: Q,
        /// Ninety-nine in a hundred are at most this.
        p99: Q,
        /// The most.
        p100: Q,
    },
    /// Another distribution, later by a constant.
    Shifted {
        /// What is added.
        by: Q,
        /// The other distribution.
        of: Box<Self>,
    },
    /// Another distribution, given that it falls between two bounds, both included.
    Truncated {
        /// The least; none if not given.
        #[serde(skip_serializing_if = "Option::is_none")]
        min: Option<Q>,
        /// The most; none if not given.
        #[serde(skip_serializing_if = "Option::is_none")]
        max: Option<Q>,
        /// The other distribution.
        of: Box<Self>,
    },
}

impl<Q: Quantity> DistributionSpec<Q> {
    /// Checks the parameters and works out what draws.
    ///
    /// # Errors
    /// Where the parameters make no law, with the field and the hint.
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
            Self::Percentiles { p0, p50, p80, p90, p99, p100 } => {
                percentiles::resolve(*p0, [*p50, *p80, *p90, *p99, *p100])
            }
            Self::Shifted { by, of } => shifted::resolve(*by, of),
            Self::Truncated { min, max, of } => truncated::resolve(*min, *max, of),
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
    Shifted(Box<shifted::Shifted>),
    Truncated(Box<truncated::Truncated>),
}

/// What every law answers.
trait Law {
    /// One draw: not negative, not NaN.
    fn sample(&self, stream: &mut RandomStream) -> f64;
    /// The mean.
    fn mean(&self) -> f64;
    /// The standard deviation, which may be infinite.
    fn sd(&self) -> f64;
    /// What lies between two bounds, both included; 0 <= `min`, `max` may be infinite.
    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments;
}

macro_rules! delegate {
    ($sampler:expr, $law:ident => $answer:expr) => {
        match $sampler {
            Sampler::Constant($law) => $answer,
            Sampler::Exponential($law) => $answer,
            Sampler::Uniform($law) => $answer,
            Sampler::Normal($law) => $answer,
            Sampler::LogNormal($law) => $answer,
            Sampler::Gamma($law) => $answer,
            Sampler::Weibull($law) => $answer,
            Sampler::Pareto($law) => $answer,
            Sampler::HyperExponential($law) => $answer,
            Sampler::Empirical($law) => $answer,
            Sampler::Percentiles($law) => $answer,
            Sampler::Shifted($law) => $answer,
            Sampler::Truncated($law) => $answer,
        }
    };
}

impl Sampler {
    /// Always `value`, in base units; what is no number above zero counts as zero.
    #[must_use]
    pub fn constant(value: f64) -> Self {
        Self::Constant(constant::Constant::new(value))
    }

    /// An exponential law with this mean in base units; what is no number above zero counts as zero.
    #[must_use]
    pub fn exponential(mean: f64) -> Self {
        if mean > 0.0 { Self::Exponential(exponential::Exponential::new(mean)) } else { Self::constant(0.0) }
    }

    /// One draw in base units: not negative, not NaN.
    #[inline]
    #[must_use]
    pub fn sample(&self, stream: &mut RandomStream) -> f64 {
        // The two laws that queueing lives on, without a jump.
        if let Self::Exponential(law) = self {
            return law.sample(stream);
        }
        if let Self::Constant(law) = self {
            return law.sample(stream);
        }
        self.sample_other(stream)
    }

    #[inline(never)]
    fn sample_other(&self, stream: &mut RandomStream) -> f64 {
        delegate!(self, law => law.sample(stream))
    }

    /// One draw, rounded to the nearest nanosecond.
    #[inline]
    #[must_use]
    pub fn sample_duration(&self, stream: &mut RandomStream) -> SimDuration {
        SimDuration::from_nanos_f64(self.sample(stream))
    }

    /// The mean of what is drawn, in base units.
    #[must_use]
    pub fn mean(&self) -> f64 {
        delegate!(self, law => law.mean())
    }

    /// The standard deviation of what is drawn, in base units; infinite for some.
    #[must_use]
    pub fn sd(&self) -> f64 {
        delegate!(self, law => law.sd())
    }

    /// The probability that a draw is at most `x` base units.
    #[must_use]
    pub fn cdf(&self, x: f64) -> f64 {
        if x < 0.0 { 0.0 } else { self.partial_moments(0.0, x).mass.clamp(0.0, 1.0) }
    }

    /// The value that every draw has, if they all have the same.
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
            | Self::Shifted(_)
            | Self::Truncated(_) => None,
        }
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        delegate!(self, law => law.partial_moments(min, max))
    }
}

/// The diagnostic about a law whose mean is zero though it spreads.
fn zero_mean<Q: Quantity>(mean: Q, sd: Q) -> SpecError {
    SpecError::at(
        "mean",
        format!(
            "a mean of {mean} leaves no room for an sd of {sd}: what is never negative would always be zero"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::units::Bytes;

    fn read(json: &str) -> Result<DistributionSpec<SimDuration>, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_sampler_is_small() {
        assert!(size_of::<Sampler>() <= 32, "{}", size_of::<Sampler>());
    }

    #[test]
    fn a_spec_is_written_as_it_is_read() {
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
    fn a_diagnostic_names_the_field_from_the_outermost_distribution_inwards() {
        let json = r#"{"Shifted":{"by":"1ms","of":{"Truncated":{"max":"1s","of":{"Normal":{"mean":"1ms","sd":"2ms"}}}}}}"#;
        let error = read(json).expect("well written").resolve().expect_err("too wide");
        assert_eq!(error.field(), "of.of.sd");
    }

    #[test]
    fn a_draw_becomes_whole_nanoseconds() {
        let mut stream = RandomStream::from_seed(1);
        assert_eq!(Sampler::constant(1.5).sample_duration(&mut stream).as_nanos(), 2);
        assert_eq!(Sampler::constant(f64::NAN).as_constant().map(f64::to_bits), Some(0));
        assert_eq!(Sampler::exponential(-1.0).as_constant().map(f64::to_bits), Some(0));
    }
}
