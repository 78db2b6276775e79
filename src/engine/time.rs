//! Virtual time in whole nanoseconds: instants ([`SimTime`]) and durations ([`SimDuration`]).
//!
//! Rounding of floats to durations is defined here. [`units`](super::units) parses and prints durations ("250ms").

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// Nanoseconds in a second.
pub const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// An instant of virtual time, in nanoseconds since the start of the run (range: about 584 years).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(u64);

/// A duration of virtual time, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimDuration(u64);

impl SimTime {
    /// The start of every run.
    pub const ZERO: Self = Self(0);
    /// The latest instant: no event happens after it.
    pub const MAX: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start, for reports and plots.
    #[must_use]
    pub fn as_seconds(self) -> f64 {
        nanos_to_seconds(self.0)
    }

    /// The time that has passed since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }
}

impl SimDuration {
    /// The empty duration.
    pub const ZERO: Self = Self(0);
    /// The longest duration.
    pub const MAX: Self = Self(u64::MAX);

    /// A duration of `nanos` nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A duration of `seconds` whole seconds, at most [`SimDuration::MAX`].
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// The duration nearest to `nanos` nanoseconds. Negative numbers and NaN become zero, numbers above the range
    /// [`SimDuration::MAX`].
    #[must_use]
    #[inline]
    pub fn from_nanos_f64(nanos: f64) -> Self {
        // From 2^52 ns (52 days) on, floats are whole numbers. Added to it, a smaller number is rounded to the nearest whole
        // number (ties to even), which are then the lower bits: several times faster than a conversion that saturates.
        const WHOLE: f64 = 4_503_599_627_370_496.0;
        if nanos < WHOLE {
            return Self((nanos.max(0.0) + WHOLE).to_bits() - WHOLE.to_bits());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates, as intended"
        )]
        Self(nanos as u64)
    }

    /// Nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Nanoseconds as a float, for samplers.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "2^53 ns are 104 days, beyond that a microsecond does not matter"
    )]
    pub const fn as_nanos_f64(self) -> f64 {
        self.0 as f64
    }

    /// Seconds, for reports and plots.
    #[must_use]
    pub fn as_seconds(self) -> f64 {
        nanos_to_seconds(self.0)
    }

    /// Whether the duration is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// Converts nanoseconds to seconds, correctly rounded if `nanos` is exact as a float.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "2^53 ns are 104 days, beyond that a microsecond does not matter"
)]
pub fn nanos_to_seconds(nanos: u64) -> f64 {
    nanos as f64 / NANOS_PER_SECOND as f64
}

impl Add<SimDuration> for SimTime {
    type Output = Self;

    #[inline]
    fn add(self, duration: SimDuration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }
}

impl Add for SimDuration {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for SimDuration {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for SimDuration {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SimDuration(self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_becomes_the_nearest_nanosecond() {
        assert_eq!(SimDuration::from_nanos_f64(0.49).as_nanos(), 0);
        assert_eq!(SimDuration::from_nanos_f64(0.51).as_nanos(), 1);
        assert_eq!(SimDuration::from_nanos_f64(1.5).as_nanos(), 2);
        assert_eq!(SimDuration::from_nanos_f64(4_503_599_627_370_495.5).as_nanos(), 4_503_599_627_370_496);
        assert_eq!(SimDuration::from_nanos_f64(1e9 - 0.4).as_nanos(), 1_000_000_000);
        assert_eq!(SimDuration::from_nanos_f64(9_007_199_254_740_991.0).as_nanos(), 9_007_199_254_740_991);
    }

    #[test]
    fn floats_out_of_range_become_the_nearest_duration() {
        assert_eq!(SimDuration::from_nanos_f64(-3.0), SimDuration::ZERO);
        assert_eq!(SimDuration::from_nanos_f64(f64::NAN), SimDuration::ZERO);
        assert_eq!(SimDuration::from_nanos_f64(f64::INFINITY), SimDuration::MAX);
    }

    #[test]
    fn arithmetic_saturates_at_both_ends_of_time() {
        assert_eq!(SimTime::MAX + SimDuration::from_nanos(1), SimTime::MAX);
        assert_eq!(SimTime::from_nanos(1).since(SimTime::from_nanos(2)), SimDuration::ZERO);
    }
}
