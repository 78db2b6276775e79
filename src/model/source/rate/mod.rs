//! Rates over time: what a scenario writes ([`RateSpec`]) and what arrivals are counted by ([`RateProfile`]).
//!
//! A profile is inverted exactly: asked where so many expected arrivals will have passed, it solves its integral in
//! closed form or to a small part of a nanosecond. Nothing is thinned or stepped, so no spike is too narrow to be met,
//! and by Çinlar's inversion ("Introduction to stochastic processes", 1975, section 4.7) exponential areas give a
//! Poisson process with just this rate.

mod piecewise;
mod position;
mod sine;
mod spec;

pub use self::position::Position;
pub use self::spec::{RateShape, RateSpec, RateStep};

use self::piecewise::Piecewise;
use self::sine::Sine;
use crate::engine::time::{NANOS_PER_SECOND, SimTime};
use crate::engine::units::Rate;

/// Nanoseconds in a second, for areas under rates per second over times in nanoseconds.
const SECOND: f64 = NANOS_PER_SECOND as f64;

/// A rate over virtual time, counted from the start of the run.
#[derive(Clone, Debug, PartialEq)]
pub enum RateProfile {
    /// The same for ever.
    Constant(Rate),
    /// Constant and linear pieces, the last of them constant and without end.
    Piecewise(Piecewise),
    /// A wave.
    Sine(Sine),
}

impl RateProfile {
    /// Where `area` (above 0) expected arrivals after `from` will have passed; nothing if there are no more so many.
    ///
    /// At a cost in proportion to the pieces stepped over; a wave's whole periods cost nothing.
    /// `from` is a time, or what this same profile answered before: the search goes on from there.
    #[must_use]
    pub fn advance(&self, from: Position, area: f64) -> Option<Position> {
        match self {
            Self::Constant(rate) => from.after(area * (SECOND / rate.as_per_second())),
            Self::Piecewise(pieces) => pieces.advance(from, area),
            Self::Sine(sine) => sine.advance(from, area),
        }
    }

    /// The rate at `time`, in events a second. Where it jumps, the later value.
    #[must_use]
    pub fn rate_at(&self, time: SimTime) -> f64 {
        match self {
            Self::Constant(rate) => rate.as_per_second(),
            Self::Piecewise(pieces) => pieces.rate_at(time.as_nanos()),
            Self::Sine(sine) => sine.rate_at(time.as_nanos()),
        }
    }

    /// How many arrivals are expected from `from` to `to`; none if `to` is not later.
    #[must_use]
    pub fn expected(&self, from: SimTime, to: SimTime) -> f64 {
        let to = to.max(from);
        match self {
            Self::Constant(rate) => rate.as_per_second() * (to.since(from).as_nanos_f64() / SECOND),
            Self::Piecewise(pieces) => pieces.expected(from.as_nanos(), to.as_nanos()),
            Self::Sine(sine) => sine.expected(from.as_nanos(), to.as_nanos()),
        }
    }

    /// The highest rate that is ever reached, in events a second.
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

    /// Walks a profile in strides of `area` and asserts that each covers just that.
    pub(in crate::model::source) fn assert_inverts(profile: &RateProfile, area: f64, strides: usize) {
        let mut position = Position::at(SimTime::ZERO);
        for i in 1..=strides {
            position = profile.advance(position, area).expect("enough area");
            // The time is rounded by half a nanosecond, and the sum of areas by its last digits.
            let covered = profile.expected(SimTime::ZERO, position.time());
            let (total, rounding) = (area * i as f64, 0.51e-9 * profile.max_rate());
            assert!(
                (covered - total).abs() <= rounding + 1e-12 * total,
                "{covered} is not {total} at {}",
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
    fn a_rate_of_zero_leads_nowhere() {
        let profile = RateProfile::Constant(Rate::default());
        assert_eq!(profile.advance(Position::at(SimTime::ZERO), 1.0), None);
    }
}
