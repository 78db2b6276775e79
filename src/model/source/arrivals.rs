//! When requests arrive: the scenario format ([`ArrivalsSpec`]) and the process that draws arrivals
//! ([`ArrivalProcess`]).
//!
//! Each gap starts at the exact time of the last arrival, not at its rounded time: rates are not quantised.

use rand_distr::Distribution;
use serde::{Deserialize, Serialize};

use super::rate::{ExactTime, RateProfile, RateSpec};
use crate::engine::distribution::{DistributionSpec, Sampler, ziggurat};
use crate::engine::random::RandomStream;
use crate::engine::spec_error::SpecError;
use crate::engine::time::{NANOS_PER_SECOND, SimDuration, SimTime};
use crate::engine::units::Rate;

/// Arrivals as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ArrivalsSpec {
    /// Deterministic: an arrival each time the integral of the rate grows by 1.
    Constant {
        /// The rate, constant or varying over time.
        rate: RateSpec,
    },
    /// A Poisson process: independent arrivals, as from many users who each send rarely.
    Poisson {
        /// The expected rate, constant or varying over time.
        rate: RateSpec,
    },
    /// A renewal process: independent gaps of any distribution.
    Renewal {
        /// Time from one arrival to the next; its mean must be above 0.
        gap: DistributionSpec<SimDuration>,
    },
}

impl ArrivalsSpec {
    /// The scheduled periods of the rate: start, end (`None` if it has none), and the rate as text.
    #[must_use]
    pub fn phases(&self) -> Vec<(SimDuration, Option<SimDuration>, String)> {
        match self {
            Self::Constant { rate } | Self::Poisson { rate } => rate.phases(),
            Self::Renewal { .. } => Vec::new(),
        }
    }

    /// The rate, or `None` if it is not constant.
    #[must_use]
    pub const fn steady_rate(&self) -> Option<Rate> {
        match self {
            Self::Constant { rate: RateSpec::Constant(rate) }
            | Self::Poisson { rate: RateSpec::Constant(rate) } => Some(*rate),
            Self::Constant { .. } | Self::Poisson { .. } | Self::Renewal { .. } => None,
        }
    }

    /// The same arrivals with the rate multiplied by `factor`, or `None` if the rate is not constant or the product is
    /// not a valid rate.
    #[must_use]
    pub fn times(&self, factor: f64) -> Option<Self> {
        let rate = RateSpec::Constant(Rate::per_second(self.steady_rate()?.as_per_second() * factor)?);
        match self {
            Self::Constant { .. } => Some(Self::Constant { rate }),
            Self::Poisson { .. } => Some(Self::Poisson { rate }),
            Self::Renewal { .. } => None,
        }
    }

    /// The period of the rate, or `None` if it is not a sine.
    #[must_use]
    pub const fn period(&self) -> Option<SimDuration> {
        match self {
            Self::Constant { rate } | Self::Poisson { rate } => rate.period(),
            Self::Renewal { .. } => None,
        }
    }

    /// The variance of the number of arrivals in a long time over its mean, at a constant rate: 0 for regular arrivals, 1
    /// for Poisson arrivals, the squared coefficient of variation of the gaps of a renewal process, which may be infinite
    /// (Cox: "Renewal theory", 1962).
    #[must_use]
    pub fn dispersion(&self) -> f64 {
        match self {
            Self::Constant { .. } => 0.0,
            Self::Poisson { .. } => 1.0,
            Self::Renewal { gap } => {
                let Ok(gap) = gap.resolve() else { return 1.0 };
                let relative = if gap.mean() > 0.0 { gap.sd() / gap.mean() } else { 0.0 };
                relative * relative
            }
        }
    }

    /// Checks the parameters and builds the process, which begins at `start`: at a constant rate, the first arrival
    /// comes one gap later. Rates that vary over time still count from the start of the run.
    ///
    /// # Errors
    /// If the parameters are invalid, with the field and a hint.
    pub fn resolve(&self, start: SimTime) -> Result<ArrivalProcess, SpecError> {
        let profile = |rate: &RateSpec| rate.resolve().map_err(|error| error.inside("rate"));
        let pattern = match self {
            Self::Constant { rate } => Pattern::Regular(profile(rate)?),
            Self::Poisson { rate } => match profile(rate)? {
                RateProfile::Constant(rate) => {
                    Pattern::SteadyPoisson { gap: NANOS_PER_SECOND as f64 / rate.as_per_second() }
                }
                profile @ (RateProfile::Piecewise(_) | RateProfile::Sine(_)) => Pattern::Poisson(profile),
            },
            Self::Renewal { gap } => {
                let gap = gap.resolve().map_err(|error| error.inside("gap"))?;
                if gap.mean() <= 0.0 {
                    return Err(SpecError::at(
                        "gap",
                        "the mean gap is 0s: infinitely many requests would arrive at once; use a mean above 0s",
                    ));
                }
                Pattern::Renewal(gap)
            }
        };
        Ok(ArrivalProcess { pattern, position: ExactTime::at(start) })
    }
}

/// Draws the times of arrivals, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrivalProcess {
    pattern: Pattern,
    /// Exact time of the last arrival.
    position: ExactTime,
}

#[derive(Clone, Debug, PartialEq)]
enum Pattern {
    Regular(RateProfile),
    Poisson(RateProfile),
    /// A Poisson process at a constant rate: the common case, which needs no search.
    SteadyPoisson {
        /// Mean gap in nanoseconds; infinite for a rate of 0.
        gap: f64,
    },
    Renewal(Sampler),
}

impl ArrivalProcess {
    /// The same process, beginning at `start`.
    #[must_use]
    pub fn counting_from(&self, start: SimTime) -> Self {
        Self { position: ExactTime::at(start), ..self.clone() }
    }

    /// Draws the time of the next arrival, which is not before the last one, or `None` if there are no more arrivals.
    #[inline(always)]
    pub fn next(&mut self, stream: &mut RandomStream) -> Option<SimTime> {
        match &self.pattern {
            Pattern::SteadyPoisson { gap } => {
                self.position.move_by(ziggurat::exponential(stream) * gap)?;
                Some(self.position.time())
            }
            Pattern::Regular(_) | Pattern::Poisson(_) | Pattern::Renewal(_) => self.next_uncommon(stream),
        }
    }

    fn next_uncommon(&mut self, stream: &mut RandomStream) -> Option<SimTime> {
        match &self.pattern {
            Pattern::SteadyPoisson { gap } => self.position.move_by(ziggurat::exponential(stream) * gap)?,
            Pattern::Renewal(gap) => self.position.move_by(gap.sample(stream))?,
            Pattern::Regular(profile) => self.position = profile.advance(self.position, 1.0)?,
            Pattern::Poisson(profile) => {
                self.position = profile.advance(self.position, ziggurat::exponential(stream))?;
            }
        }
        Some(self.position.time())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source::rate::testing::seconds;
    use crate::model::source::rate::{RateShape, RateStep};

    fn rate(text: &str) -> Rate {
        text.parse().expect("a rate")
    }

    fn duration(text: &str) -> SimDuration {
        text.parse().expect("a duration")
    }

    fn process(spec: ArrivalsSpec) -> ArrivalProcess {
        spec.resolve(SimTime::ZERO).expect("a process")
    }

    fn constant(text: &str) -> ArrivalProcess {
        process(ArrivalsSpec::Constant { rate: RateSpec::Constant(rate(text)) })
    }

    fn take(mut process: ArrivalProcess, count: usize) -> Vec<SimTime> {
        let mut stream = RandomStream::from_seed(1);
        std::iter::from_fn(|| process.next(&mut stream)).take(count).collect()
    }

    /// Asserts that the number of arrivals in each interval is Poisson with the profile's integral, over 40 seeds.
    /// `edges` are the bounds of the intervals in seconds.
    fn assert_counts(shape: &RateShape, edges: &[f64]) {
        let rate = RateSpec::Shape(shape.clone());
        let profile = rate.resolve().expect("a profile");
        let end = seconds(edges[edges.len() - 1]);
        let (mut counts, runs) = (vec![0.0; edges.len() - 1], 40);
        for seed in 0..runs {
            let mut stream = RandomStream::from_seed(seed);
            let mut process = process(ArrivalsSpec::Poisson { rate: rate.clone() });
            let mut last = SimTime::ZERO;
            while let Some(time) = process.next(&mut stream).filter(|&time| time < end) {
                assert!(time >= last);
                last = time;
                let passed_edges = edges.iter().filter(|&&edge| seconds(edge) <= time).count();
                counts[passed_edges - 1] += 1.0;
            }
        }
        for (i, count) in counts.iter().enumerate() {
            let expected = runs as f64 * profile.expected(seconds(edges[i]), seconds(edges[i + 1]));
            // 4.5 standard deviations of a Poisson variable.
            assert!(
                (count - expected).abs() <= 4.5 * expected.sqrt(),
                "{count} arrivals from {} to {}, not {expected}",
                edges[i],
                edges[i + 1]
            );
        }
    }

    #[test]
    fn a_constant_rate_is_exact() {
        let times = take(constant("20/s"), 1200);
        assert_eq!(times[0].as_nanos(), 50_000_000);
        assert_eq!(times[1199].as_nanos(), 60_000_000_000);
        assert_eq!(take(constant("3/s"), 10_800)[10_799].as_nanos(), 3_600_000_000_000);
        // Over a year, the rounding of the rate itself adds up to a few nanoseconds.
        let year = take(constant("7/h"), 7 * 24 * 365)[7 * 24 * 365 - 1].as_nanos();
        assert!(year.abs_diff(365 * 86_400_000_000_000) <= 4, "{year}");
    }

    #[test]
    fn a_process_begins_at_its_start_but_profiles_count_from_zero() {
        let rate = RateSpec::Shape(RateShape::Spike {
            base: rate("1/s"),
            peak: rate("10/s"),
            from: duration("10s"),
            to: duration("20s"),
        });
        let mut process = ArrivalsSpec::Constant { rate }.resolve(seconds(9.5)).expect("a process");
        assert_eq!(process.next(&mut RandomStream::from_seed(1)), Some(seconds(10.05)));
    }

    #[test]
    fn poisson_arrivals_have_the_given_mean_rate() {
        let count = 400_000;
        let spec = ArrivalsSpec::Poisson { rate: RateSpec::Constant(rate("400/s")) };
        let last = take(process(spec), count)[count - 1].as_seconds();
        // The time of the n-th arrival has mean n / rate and standard deviation sqrt(n) / rate.
        assert!((last - 1000.0).abs() < 4.5 * 1000.0 / (count as f64).sqrt(), "{last}");
    }

    #[test]
    fn poisson_counts_follow_a_ramp_from_zero() {
        let (from, to) = (rate("0/s"), rate("100/s"));
        let ramp = RateShape::Ramp { from, to, start: duration("5s"), end: duration("25s") };
        assert_counts(&ramp, &[0.0, 5.0, 6.0, 10.0, 15.0, 25.0, 40.0]);
    }

    #[test]
    fn poisson_counts_follow_a_spike_of_a_millisecond_in_an_hour() {
        let (base, peak) = (rate("1/min"), rate("100/ms"));
        let spike = RateShape::Spike { base, peak, from: duration("1800s"), to: duration("1800.001s") };
        assert_counts(&spike, &[0.0, 1800.0, 1800.0005, 1800.001, 3600.0]);
    }

    #[test]
    fn poisson_counts_follow_steps() {
        let step = |at, per| RateStep { at: duration(at), rate: rate(per) };
        let steps = RateShape::Steps(vec![
            step("1s", "50/s"),
            step("4s", "0/s"),
            step("6s", "200/s"),
            step("9s", "3/s"),
        ]);
        assert_counts(&steps, &[0.0, 1.0, 2.0, 4.0, 6.0, 9.0, 60.0]);
    }

    #[test]
    fn poisson_counts_follow_a_sine_quarter_by_quarter() {
        let (mean, amplitude) = (rate("50/s"), rate("50/s"));
        let sine = RateShape::Sine { mean, amplitude, period: duration("8s"), phase: None };
        assert_counts(&sine, &[0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0]);
    }

    #[test]
    fn steady_and_profiled_poisson_arrivals_at_the_same_rate_are_equal() {
        let steady = ArrivalsSpec::Poisson { rate: RateSpec::Constant(rate("10/s")) };
        let steps = RateShape::Steps(vec![RateStep { at: SimDuration::ZERO, rate: rate("10/s") }]);
        let profiled = ArrivalsSpec::Poisson { rate: RateSpec::Shape(steps) };
        assert_eq!(take(process(steady), 10_000), take(process(profiled), 10_000));
    }

    #[test]
    fn a_renewal_process_repeats_its_gap() {
        let gap = DistributionSpec::Constant(duration("250ms"));
        let times = take(process(ArrivalsSpec::Renewal { gap }), 8);
        assert_eq!(times[7], seconds(2.0));
        let error = ArrivalsSpec::Renewal { gap: DistributionSpec::Constant(SimDuration::ZERO) }
            .resolve(SimTime::ZERO)
            .expect_err("the mean gap is 0");
        assert_eq!(error.field(), "gap");
    }

    #[test]
    fn errors_name_the_path_of_the_field() {
        let shape = RateShape::Sine {
            mean: rate("1/s"),
            amplitude: rate("2/s"),
            period: duration("1s"),
            phase: None,
        };
        let spec = ArrivalsSpec::Poisson { rate: RateSpec::Shape(shape) };
        assert_eq!(spec.resolve(SimTime::ZERO).expect_err("too high").field(), "rate.amplitude");
        let gap = DistributionSpec::Normal { mean: duration("1s"), sd: duration("2s") };
        let spec = ArrivalsSpec::Renewal { gap };
        assert_eq!(spec.resolve(SimTime::ZERO).expect_err("too wide").field(), "gap.sd");
    }

    #[test]
    fn arrivals_end_when_the_rate_stays_zero() {
        assert_eq!(constant("0/s").next(&mut RandomStream::from_seed(1)), None);
        let steps = vec![
            RateStep { at: SimDuration::ZERO, rate: rate("3/s") },
            RateStep { at: duration("10s"), rate: rate("0/s") },
        ];
        let rate = RateSpec::Shape(RateShape::Steps(steps));
        assert_eq!(take(process(ArrivalsSpec::Constant { rate }), 100).len(), 30);
    }
}
