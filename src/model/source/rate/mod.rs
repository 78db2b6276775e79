//! Rates over time: the scenario format ([`RateSpec`]) and the function that arrivals are drawn from ([`RateProfile`]).
//!
//! A profile is inverted exactly: given a number of expected arrivals, it solves its integral for the time at which
//! they have accumulated, in closed form or to a small fraction of a nanosecond. There is no thinning and no time step,
//! so no spike is too narrow to be noticed. By Çinlar's inversion ("Introduction to stochastic processes", 1975,
//! section 4.7), exponentially distributed areas give a Poisson process with exactly this rate.

mod cycle;
mod exact_time;
mod piecewise;
mod sine;
mod spec;
mod sum;

pub use self::exact_time::ExactTime;
pub use self::spec::{RateShape, RateSpec, RateStep};
pub(super) use self::spec::{ascending, later};

use self::cycle::Cycle;
use self::piecewise::Piecewise;
use self::sine::Sine;
use crate::engine::time::{NANOS_PER_SECOND, SimTime};
use crate::engine::units::Rate;

/// Nanoseconds in a second: rates are per second and times in nanoseconds, so areas are divided by this.
pub(super) const SECOND: f64 = NANOS_PER_SECOND as f64;

/// A rate as a function of virtual time, which counts from the start of the run.
#[derive(Clone, Debug, PartialEq)]
pub enum RateProfile {
    /// The same rate at all times.
    Constant(Rate),
    /// Constant and linear pieces; the last one is constant and has no end.
    Piecewise(Piecewise),
    /// A sine wave.
    Sine(Sine),
    /// Pieces that repeat.
    Cycle(Cycle),
    /// The sum of other rates.
    Sum(Box<[Self]>),
}

impl RateProfile {
    /// The position up to which `area` (above 0) arrivals are expected after `from`, or `None` if fewer are expected
    /// before the end of virtual time.
    ///
    /// `from` is a time, or an earlier result of this profile, from which the search continues. The cost is
    /// proportional to the number of pieces passed; whole periods of a sine cost nothing.
    #[must_use]
    pub fn advance(&self, from: ExactTime, area: f64) -> Option<ExactTime> {
        match self {
            Self::Constant(rate) => from.after(area * (SECOND / rate.as_per_second())),
            Self::Piecewise(pieces) => pieces.advance(from, area),
            Self::Sine(sine) => sine.advance(from, area),
            Self::Cycle(cycle) => cycle.advance(from, area),
            Self::Sum(parts) => sum::advance(parts, from, area),
        }
    }

    /// The rate at `time`, in arrivals per second. At a jump, the later value.
    #[must_use]
    pub fn rate_at(&self, time: SimTime) -> f64 {
        match self {
            Self::Constant(rate) => rate.as_per_second(),
            Self::Piecewise(pieces) => pieces.rate_at(time.as_nanos()),
            Self::Sine(sine) => sine.rate_at(time.as_nanos()),
            Self::Cycle(cycle) => cycle.rate_at(time.as_nanos()),
            Self::Sum(parts) => sum::rate_at(parts, time),
        }
    }

    /// Number of arrivals expected from `from` to `to`; 0 if `to` is not later.
    #[must_use]
    pub fn expected(&self, from: SimTime, to: SimTime) -> f64 {
        let to = to.max(from);
        match self {
            Self::Constant(rate) => rate.as_per_second() * (to.since(from).as_nanos_f64() / SECOND),
            Self::Piecewise(pieces) => pieces.expected(from.as_nanos(), to.as_nanos()),
            Self::Sine(sine) => sine.expected(from.as_nanos(), to.as_nanos()),
            Self::Cycle(cycle) => cycle.expected(from.as_nanos(), to.as_nanos()),
            Self::Sum(parts) => sum::expected(parts, from, to),
        }
    }

    /// Maximum of the rate over all times, in arrivals per second; of a sum, the sum of the maxima of its parts.
    #[must_use]
    pub fn max_rate(&self) -> f64 {
        match self {
            Self::Constant(rate) => rate.as_per_second(),
            Self::Piecewise(pieces) => pieces.max_rate(),
            Self::Sine(sine) => sine.max_rate(),
            Self::Cycle(cycle) => cycle.max_rate(),
            Self::Sum(parts) => parts.iter().map(Self::max_rate).sum(),
        }
    }
}

impl RateProfile {
    /// The sum of rates, of which there is at least one.
    fn sum_of(parts: Vec<Self>) -> Self {
        let pieces = |part: &Self| match part {
            Self::Constant(rate) => Some(Piecewise::starting_at(*rate)),
            Self::Piecewise(pieces) => Some(pieces.clone()),
            Self::Sine(_) | Self::Cycle(_) | Self::Sum(_) => None,
        };
        let all: Option<Vec<Piecewise>> = parts.iter().map(pieces).collect();
        let sum = all.and_then(|all| all.into_iter().reduce(|sum, part| sum.plus(&part)));
        sum.map_or_else(|| Self::Sum(parts.into()), Self::Piecewise)
    }
}

#[cfg(test)]
pub(super) mod testing {
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::engine::time::SimDuration;
    use crate::text::Document;

    /// A value as it is written in a scenario.
    pub(in crate::model::source) fn written<T: DeserializeOwned>(text: &str) -> T {
        let document = Document::parse("text", text.as_bytes()).expect("the syntax is valid");
        document.decode().value.expect("it is such a value")
    }

    /// The profile of a rate as it is written in a scenario.
    pub(in crate::model::source) fn profile(text: &str) -> RateProfile {
        written::<RateSpec>(text).resolve().expect("the parameters are valid")
    }

    pub(in crate::model::source) fn seconds(seconds: f64) -> SimTime {
        SimTime::ZERO + SimDuration::from_nanos_f64(seconds * 1e9)
    }

    /// Advances a profile in steps of `area`, and asserts that the number of expected arrivals grows by `area` each
    /// time.
    pub(in crate::model::source) fn assert_inverts(profile: &RateProfile, area: f64, steps: usize) {
        let mut position = ExactTime::at(SimTime::ZERO);
        for i in 1..=steps {
            position = profile.advance(position, area).expect("enough area");
            // The time is rounded by up to half a nanosecond, and the sum of areas in its last digits.
            let covered = profile.expected(SimTime::ZERO, position.time());
            let (total, rounding) = (area * i as f64, 0.51e-9 * profile.max_rate());
            assert!(
                (covered - total).abs() <= rounding + 1e-12 * total,
                "{covered} arrivals expected, not {total}, up to {}",
                position.time()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_rate_is_inverted() {
        let profile = RateProfile::Constant(Rate::per_second(8.0).expect("a rate"));
        testing::assert_inverts(&profile, 0.3, 1000);
        assert_eq!(profile.expected(testing::seconds(2.0), testing::seconds(1.0)).to_bits(), 0);
    }

    #[test]
    fn a_cycle_repeats_its_first_period() {
        let day = testing::profile(
            r#"Daily([(at: "6h", rate: "10/h"), (at: "12h", rate: "70/h"), (at: "18h", rate: "10/h")])"#,
        );
        let hours = |hours: f64| testing::seconds(3600.0 * hours);
        let rates =
            [0.0, 6.0, 9.0, 12.0, 24.0 + 9.0, 24.0 * 1000.0 + 12.0].map(|at| 3600.0 * day.rate_at(hours(at)));
        for (rate, expected) in rates.into_iter().zip([10.0, 10.0, 40.0, 70.0, 40.0, 70.0]) {
            assert!((rate - expected).abs() < 1e-9, "{rate}, not {expected}");
        }
        // 18 hours at 10 and two triangles of 6 hours and 60 an hour.
        let of_a_day = 240.0 + 6.0 * 60.0;
        assert!((day.expected(hours(5.0), hours(24.0 * 365.0 + 5.0)) - 365.0 * of_a_day).abs() < 1e-6);
        testing::assert_inverts(&day, 7.3, 3000);
        testing::assert_inverts(&day, 3.0 * of_a_day + 0.5, 30);
        let night = testing::profile(
            r#"Daily([(at: "0h", rate: "0/s"), (at: "12h", rate: "1/s"), (at: "13h", rate: "0/s")])"#,
        );
        testing::assert_inverts(&night, 11.0, 3000);
        let fast = testing::profile(
            r#"Cycle(period: "1us", points: [(at: "0s", rate: "0/s"), (at: "500ns", rate: "2000000/s")])"#,
        );
        testing::assert_inverts(&fast, 0.7, 100);
        let position = fast.advance(ExactTime::at(SimTime::ZERO), 1e9).expect("it is within virtual time");
        assert_eq!(position.time(), testing::seconds(1e3));
        // Lines lead from the last point of a period to the first point of the next one.
        let wrapped = testing::profile(
            r#"Cycle(period: "10s", points: [(at: "2s", rate: "0/s"), (at: "7s", rate: "50/s")])"#,
        );
        let rates = [0.0, 1.0, 2.0, 4.5, 7.0, 9.5].map(|at| wrapped.rate_at(testing::seconds(at)));
        for (rate, expected) in rates.into_iter().zip([20.0, 10.0, 0.0, 25.0, 50.0, 25.0]) {
            assert!((rate - expected).abs() < 1e-9, "{rate}, not {expected}");
        }
        testing::assert_inverts(&wrapped, 0.37, 3000);
    }

    #[test]
    fn sums_of_rates_are_inverted() {
        let spike = r#"Spike(base: "0/s", peak: "100/s", from: "20s", to: "21s")"#;
        let ramp = r#"Ramp(from: "1/s", to: "9/s", start: "5s", end: "30s")"#;
        let pieces = testing::profile(&format!(r#"Sum([{spike}, {ramp}, "3/s"])"#));
        assert!(matches!(pieces, RateProfile::Piecewise(_)));
        assert!(
            (pieces.expected(SimTime::ZERO, testing::seconds(40.0)) - (100.0 + 220.0 + 120.0)).abs() < 1e-9
        );
        testing::assert_inverts(&pieces, 0.7, 2000);
        let sine = r#"Sine(mean: "5/s", amplitude: "5/s", period: "7s")"#;
        let all = testing::profile(&format!(r#"Sum([{sine}, {spike}, Scaled(by: 0.5, of: {sine})])"#));
        assert!(matches!(all, RateProfile::Sum(_)));
        testing::assert_inverts(&all, 0.7, 3000);
        testing::assert_inverts(&all, 1e6, 3);
        let pause = testing::profile(&format!(r#"Sum([{spike}, Scaled(by: 0.0, of: {sine})])"#));
        assert_eq!(pause.advance(ExactTime::at(SimTime::ZERO), 101.0), None);
    }

    #[test]
    fn factors_inside_factors_are_multiplied() {
        let scaled = |by: f64| format!("Scaled(by: {by:?}, of: ").repeat(50) + "\"3/s\"" + &")".repeat(50);
        // Each twice as often resolved as the one around it would take for ever.
        let double = testing::profile(&scaled(2.0));
        assert!((double.rate_at(SimTime::ZERO) / 50_f64.exp2() - 3.0).abs() < 1e-9);
        let inside = testing::profile(
            r#"Scaled(by: 3, of: Sum(["1/s", Scaled(by: 2, of: Daily([(at: "1h", rate: "5/s")]))]))"#,
        );
        assert!((inside.rate_at(SimTime::ZERO) - 33.0).abs() < 1e-9);
    }

    #[test]
    fn a_rate_of_zero_never_reaches_an_arrival() {
        let profile = RateProfile::Constant(Rate::default());
        assert_eq!(profile.advance(ExactTime::at(SimTime::ZERO), 1.0), None);
    }
}
