//! A point of virtual time finer than a nanosecond.
//!
//! Arrivals happen at whole nanoseconds, but the gap to the next one must not start at a rounded time: at a rate of
//! 3/s, a third of a nanosecond would be lost at each arrival.

use crate::engine::time::SimTime;

/// A point of virtual time: whole nanoseconds and a fraction of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExactTime {
    nanos: u64,
    /// Fraction of a nanosecond, 0 to 1.
    fraction: f64,
    /// Index of the piece of a piecewise profile in which this was found; the next search starts there.
    pub(super) segment: usize,
}

impl ExactTime {
    /// Exactly `time`.
    #[must_use]
    pub const fn at(time: SimTime) -> Self {
        Self { nanos: time.as_nanos(), fraction: 0.0, segment: 0 }
    }

    /// Exactly `nanos` nanoseconds after the start of the run.
    pub(super) const fn at_nanos(nanos: u64) -> Self {
        Self::at(SimTime::from_nanos(nanos))
    }

    /// The nearest nanosecond.
    #[must_use]
    pub fn time(self) -> SimTime {
        SimTime::from_nanos(self.nanos.saturating_add(u64::from(self.fraction >= 0.5)))
    }

    /// The position `nanos` (0 or more) nanoseconds later, or `None` if virtual time ends before.
    #[must_use]
    #[inline]
    pub fn after(mut self, nanos: f64) -> Option<Self> {
        self.move_by(nanos)?;
        Some(self)
    }

    /// Advances by `nanos` (0 or more) nanoseconds. Returns `None` and does not move if virtual time ends before.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
    pub(in crate::model::source) fn move_by(&mut self, nanos: f64) -> Option<()> {
        let moved = self.fraction + nanos;
        if !(0.0..9.2e18).contains(&moved) {
            return None;
        }
        // CPUs convert between floats and signed integers much faster than between floats and unsigned ones.
        let whole = moved as i64;
        self.nanos = self.nanos.checked_add(whole.cast_unsigned())?;
        self.fraction = moved - whole as f64;
        Some(())
    }

    /// The nanoseconds since an earlier position.
    pub(in crate::model::source) fn since(self, earlier: Self) -> f64 {
        (self.nanos - earlier.nanos) as f64 + (self.fraction - earlier.fraction)
    }

    /// The position a whole number of nanoseconds later, or `None` if virtual time ends before.
    pub(super) fn after_whole(self, nanos: u64) -> Option<Self> {
        Some(Self { nanos: self.nanos.checked_add(nanos)?, ..self })
    }

    /// Exactly `nanos` nanoseconds after the start of the run, with the same `segment`.
    pub(super) const fn moved_to(self, nanos: u64) -> Self {
        Self { nanos, fraction: 0.0, segment: self.segment }
    }

    /// The whole nanoseconds since the start of the run.
    pub(super) const fn nanos(self) -> u64 {
        self.nanos
    }

    /// The fraction of a nanosecond beyond [`nanos`](Self::nanos), 0 to 1.
    pub(super) const fn fraction(self) -> f64 {
        self.fraction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirds_of_a_second_add_up_to_an_hour() {
        let mut position = ExactTime::at(SimTime::ZERO);
        for _ in 0..10_800 {
            position = position.after(1e9 / 3.0).expect("virtual time does not end before");
        }
        assert_eq!(position.time().as_nanos(), 3_600_000_000_000);
    }

    #[test]
    fn late_positions_keep_their_fractions() {
        let mut position = ExactTime::at(SimTime::from_nanos(1 << 60));
        for _ in 0..1000 {
            position = position.after(0.25).expect("virtual time does not end before");
        }
        assert_eq!(position.time().as_nanos(), (1 << 60) + 250);
    }

    #[test]
    fn there_is_no_position_after_the_end_of_virtual_time() {
        let position = ExactTime::at(SimTime::from_nanos(u64::MAX - 10));
        assert!(position.after(9.0).is_some());
        for nanos in [20.0, 1e19, f64::INFINITY, f64::NAN] {
            assert_eq!(position.after(nanos), None);
        }
        assert_eq!(ExactTime::at(SimTime::ZERO).after(1e19), None);
    }
}
