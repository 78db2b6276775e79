//! The average over time of a level, such as the number of requests in service or in a queue.
//!
//! The integral of a level over time is `area + level * now`: a step up at time t subtracts t from the area, a step
//! down adds t. So the time of the last change need not be stored, and the sums are exact integers. Intermediate values
//! may wrap; the result is correct because the true integral fits.

use std::ops::{Add, Sub};

use crate::engine::time::{SimDuration, SimTime};

/// An integer level, its integral over time and its maximum. A number of items fits into a `u32`, an amount of bytes into
/// a `u64`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TimeWeighted<L = u32> {
    area: u128,
    level: L,
    max: L,
}

impl TimeWeighted {
    /// Raises the level by one at `now`.
    #[inline]
    pub fn increment(&mut self, now: SimTime) {
        self.area = self.area.wrapping_sub(u128::from(now.as_nanos()));
        self.level += 1;
        self.max = self.max.max(self.level);
    }

    /// Lowers the level by one at `now`.
    #[inline]
    pub fn decrement(&mut self, now: SimTime) {
        self.area = self.area.wrapping_add(u128::from(now.as_nanos()));
        debug_assert!(self.level > 0, "each decrement follows an increment");
        self.level -= 1;
    }
}

impl<L: Copy + Ord + Into<u128> + Add<Output = L> + Sub<Output = L>> TimeWeighted<L> {
    /// The current level.
    #[must_use]
    #[inline]
    pub const fn level(&self) -> L {
        self.level
    }

    /// The highest level since the start, or since the last [`TimeWeighted::restart`].
    #[must_use]
    pub const fn max(&self) -> L {
        self.max
    }

    /// Sets the level at `now`.
    pub fn set(&mut self, now: SimTime, level: L) {
        let at = u128::from(now.as_nanos());
        let old = self.area.wrapping_add(self.level.into() * at);
        self.area = old.wrapping_sub(level.into() * at);
        self.level = level;
        self.max = self.max.max(level);
    }

    /// Raises the level by an amount at `now`.
    #[inline]
    pub fn add(&mut self, now: SimTime, amount: L) {
        self.area = self.area.wrapping_sub(amount.into() * u128::from(now.as_nanos()));
        self.level = self.level + amount;
        self.max = self.max.max(self.level);
    }

    /// Lowers the level by an amount at `now`.
    #[inline]
    pub fn subtract(&mut self, now: SimTime, amount: L) {
        debug_assert!(self.level >= amount, "only what was added is subtracted");
        self.area = self.area.wrapping_add(amount.into() * u128::from(now.as_nanos()));
        self.level = self.level - amount;
    }

    /// The integral of the level up to `now`, in nanoseconds times the level's unit.
    #[must_use]
    pub fn integral(&self, now: SimTime) -> u128 {
        self.area.wrapping_add(self.level.into() * u128::from(now.as_nanos()))
    }

    /// The mean level over the `elapsed` time up to `now`, or `None` if no time has elapsed.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a mean for people: 53 bits are plenty")]
    pub fn mean(&self, now: SimTime, elapsed: SimDuration) -> Option<f64> {
        (!elapsed.is_zero()).then(|| self.integral(now) as f64 / elapsed.as_nanos() as f64)
    }

    /// Restarts the integral and the maximum at `now` (the end of the warm-up).
    pub fn restart(&mut self, now: SimTime) {
        self.area = (self.level.into() * u128::from(now.as_nanos())).wrapping_neg();
        self.max = self.level;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_weights_levels_by_their_duration() {
        let at = SimTime::from_nanos;
        let mut level = TimeWeighted::default();
        level.increment(at(100));
        level.increment(at(200));
        level.decrement(at(250));
        // 0 for 100 ns, 1 for 100 ns, 2 for 50 ns, 1 for 150 ns.
        assert_eq!(level.integral(at(400)), 350);
        assert_eq!(level.mean(at(400), SimDuration::from_nanos(400)), Some(0.875));
        assert_eq!((level.level(), level.max()), (1, 2));
        level.restart(at(400));
        assert_eq!((level.integral(at(400)), level.integral(at(410)), level.max()), (0, 10, 1));
        assert_eq!(level.mean(at(400), SimDuration::ZERO), None);
        level.set(at(410), 7);
        level.set(at(412), 0);
        assert_eq!((level.integral(at(500)), level.level(), level.max()), (10 + 14, 0, 7));
        let mut bytes = TimeWeighted::<u64>::default();
        bytes.add(at(10), 1 << 40);
        bytes.add(at(20), 5);
        bytes.subtract(at(30), 1 << 40);
        assert_eq!(
            (bytes.integral(at(40)), bytes.level(), bytes.max()),
            ((20 << 40) + 100, 5, (1 << 40) + 5)
        );
    }
}
