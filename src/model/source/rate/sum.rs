//! The sum of several rates, of which at least one has no pieces that could be added.
//!
//! The number of expected arrivals is the sum of those of the parts. It grows with time, and is inverted by Newton's method
//! within a bracket of whole nanoseconds, with bisection where a step would leave the bracket; within the last nanosecond
//! it is a line.

use super::{ExactTime, RateProfile, SECOND};
use crate::engine::time::SimTime;

/// The position up to which `area` arrivals are expected after `from`, or `None` if virtual time ends before.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be in range, and `as` saturates"
)]
pub(super) fn advance(parts: &[RateProfile], from: ExactTime, area: f64) -> Option<ExactTime> {
    let start = from.nanos();
    let rate_at = |nanos: u64| rate_at(parts, SimTime::from_nanos(nanos));
    let excess = {
        // From the last whole nanosecond on.
        let area = area + rate_at(start) * (from.fraction() / SECOND);
        move |to: u64| expected(parts, SimTime::from_nanos(start), SimTime::from_nanos(to)) - area
    };
    let first_step = area * (SECOND / rate_at(start)) + 2.0;
    let mut step = if first_step < 1e18 { first_step as u64 } else { 1 };
    let (mut low, mut high) = (start, start.checked_add(step)?);
    while excess(high) < 0.0 {
        low = high;
        step = step.saturating_mul(2);
        high = if high == u64::MAX { return None } else { high.saturating_add(step) };
    }
    let mut time = high;
    while high - low > 1 {
        let missed = excess(time);
        if missed < 0.0 {
            low = time;
        } else {
            high = time;
        }
        let distance = missed * (SECOND / rate_at(time));
        // At least a nanosecond, so that the bracket closes around a solution that is nearly met.
        let step = (distance.abs() as u64).max(1);
        let newton = if missed < 0.0 { time.checked_add(step) } else { time.checked_sub(step) };
        let is_inside = |time: &u64| low < *time && *time < high;
        time = newton.filter(is_inside).unwrap_or_else(|| low.midpoint(high));
    }
    let (before, after) = (excess(low), excess(high));
    let fraction = if after > before { (-before / (after - before)).clamp(0.0, 1.0) } else { 0.0 };
    ExactTime::at_nanos(low).after(fraction)
}

/// The sum of the rates at a time, per second.
pub(super) fn rate_at(parts: &[RateProfile], time: SimTime) -> f64 {
    parts.iter().map(|part| part.rate_at(time)).sum()
}

/// Number of arrivals expected between two times.
pub(super) fn expected(parts: &[RateProfile], from: SimTime, to: SimTime) -> f64 {
    parts.iter().map(|part| part.expected(from, to)).sum()
}
