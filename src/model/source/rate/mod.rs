//! Rates over time: the scenario format ([`RateSpec`]) and the function that arrivals are drawn from ([`RateProfile`]).
//!
//! A profile is inverted exactly: given a number of expected arrivals, it solves its integral for the time at which
//! they have accumulated, in closed form or to a small fraction of a nanosecond. There is no thinning and no time step,
//! so no spike is too narrow to be noticed. By Çinlar's inversion ("Introduction to stochastic processes", 1975,
//! section 4.7), exponentially distributed areas give a Poisson process with exactly this rate.

mod exact_time;
mod piecewise;
mod sine;
mod spec;

pub use self::exact_time::ExactTime;
pub use self::spec::{RateShape, RateSpec, RateStep};

use self::piecewise::Piecewise;
use self::sine::Sine;
use crate::engine::time::{NANOS_PER_SECOND, SimTime};
use crate::engine::units::Rate;

/// Nanoseconds in a second: rates are per second and times in nanoseconds, so areas are divided by this.
const SECOND: f64 = NANOS_PER_SECOND as f64;

/// A rate as a function of virtual time, which counts from the start of the run.
#[derive(Clone, Debug, PartialEq)]
pub enum RateProfile {
    /// The same rate at all times.
    Constant(Rate),
    /// Constant and linear pieces; the last one is constant and has no end.
    Piecewise(Piecewise),
    /// A sine wave.
    Sine(Sine),
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
        }
    }

    /// The rate at `time`, in arrivals per second. At a jump, the later value.
    #[must_use]
    pub fn rate_at(&self, time: SimTime) -> f64 {
        match self {
            Self::Constant(rate) => rate.as_per_second(),
            Self::Piecewise(pieces) => pieces.rate_at(time.as_nanos()),
            Self::Sine(sine) => sine.rate_at(time.as_nanos()),
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
        }
    }

    /// Maximum of the rate over all times, in arrivals per second.
    #[must_use]
    pub fn max_rate(&self) -> f64 {
        match self {
            Self::Constant(rate) => rate.as_per_second(),
            Self::Piecewise(pieces) => pieces.max_rate(),
            Self::Sine(sine) => sine.max_rate(),
        }
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::engine::time::SimDuration;

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
    fn a_rate_of_zero_never_reaches_an_arrival() {
        let profile = RateProfile::Constant(Rate::default());
        assert_eq!(profile.advance(ExactTime::at(SimTime::ZERO), 1.0), None);
    }
}
