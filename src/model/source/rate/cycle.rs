//! A rate that repeats: lines through points in a day, or in another period.

use super::{ExactTime, Piecewise, SECOND};
use crate::engine::time::{NANOS_PER_SECOND, SimDuration, SimTime};

/// A rate that repeats with a period.
#[derive(Clone, Debug, PartialEq)]
pub struct Cycle {
    /// The rate in the first period.
    first: Piecewise,
    /// The period in nanoseconds, above 0.
    period: u64,
    /// Number of arrivals expected in a period, above 0.
    area: f64,
}

impl Cycle {
    /// The cycle that repeats `first` with this period. `None` if no arrival is expected.
    pub(super) fn new(first: Piecewise, period: SimDuration) -> Option<Self> {
        let period = period.as_nanos();
        let area = first.expected(0, period);
        (area > 0.0).then_some(Self { first, period, area })
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of periods, checked to be in range"
    )]
    pub(super) fn advance(&self, from: ExactTime, mut area: f64) -> Option<ExactTime> {
        let passed = from.nanos() % self.period;
        let begin = from.nanos() - passed;
        let mut position = self.first.located(from.moved_to(passed).after(from.fraction())?);
        let mut periods = 0;
        let begun = self.first.rate_at(passed) * (from.fraction() / SECOND);
        let rest = (self.first.expected(passed, self.period) - begun).max(0.0);
        if area > rest {
            area -= rest;
            let whole = (area / self.area).floor();
            if whole >= 9.2e18 {
                return None;
            }
            area = (area - whole * self.area).max(0.0);
            periods = (whole as u64).checked_add(1)?;
            position = ExactTime::at(SimTime::ZERO);
        }
        let found = if area > 0.0 { self.first.advance(position, area)? } else { position };
        found.after_whole(begin.checked_add(periods.checked_mul(self.period)?)?)
    }

    pub(super) fn rate_at(&self, nanos: u64) -> f64 {
        self.first.rate_at(nanos % self.period)
    }

    pub(super) fn expected(&self, from: u64, to: u64) -> f64 {
        let (first, last) = (from / self.period, to / self.period);
        let (from, to) = (from % self.period, to % self.period);
        if first == last {
            return self.first.expected(from, to);
        }
        let between = (last - first - 1) as f64 * self.area;
        self.first.expected(from, self.period) + between + self.first.expected(0, to)
    }

    pub(super) fn max_rate(&self) -> f64 {
        self.first.max_rate()
    }
}

/// The period of a daily rate.
pub(super) const DAY: SimDuration = SimDuration::from_nanos(24 * 3600 * NANOS_PER_SECOND);
