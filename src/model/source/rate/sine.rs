//! A rate that swings about its mean as a sine does: days, without the weekends.
//!
//! The integral is closed and monotone; it is inverted by Newton's method within a bracket that halves where Newton
//! would leave it. Whole periods are taken at once.

use std::f64::consts::PI;

use super::{Position, SECOND};
use crate::engine::time::SimDuration;
use crate::engine::units::Rate;

/// To how many nanoseconds an arrival is found: so few that millions of them do not add up to one.
const PRECISION: f64 = 1e-7;

/// The rate mean + amplitude sin(2 pi (t + phase) / period).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sine {
    /// Per second.
    mean: f64,
    /// Per second, above 0 and at most the mean.
    amplitude: f64,
    /// Nanoseconds, above 0.
    period: u64,
    /// Nanoseconds, below the period.
    phase: u64,
}

impl Sine {
    pub(super) fn new(mean: Rate, amplitude: Rate, period: SimDuration, phase: SimDuration) -> Self {
        let period = period.as_nanos().max(1);
        Self {
            mean: mean.as_per_second(),
            amplitude: amplitude.as_per_second(),
            period,
            phase: phase.as_nanos() % period,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count, checked to be in range"
    )]
    pub(super) fn advance(&self, from: Position, area: f64) -> Option<Position> {
        let in_a_period = self.mean * (self.period as f64 / SECOND);
        let periods = (area / in_a_period).floor();
        if periods >= 9.2e18 {
            return None;
        }
        let rest = (area - periods * in_a_period).clamp(0.0, in_a_period);
        let time = self.solve(self.angle(from), rest);
        from.after_whole((periods as u64).checked_mul(self.period)?)?.after(time)
    }

    /// The time in nanoseconds, at most a period, until `area` is covered from this angle on.
    fn solve(&self, angle: f64, area: f64) -> f64 {
        let (mut low, mut high) = (0.0, self.period as f64);
        let mut time = (area * (SECOND / self.rate(angle))).min(0.5 * high);
        // Halving alone needs at most 63 steps to a nanosecond and 23 more to the precision.
        for _ in 0..100 {
            let excess = self.area(angle, time) - area;
            if excess > 0.0 {
                high = time;
            } else if excess < 0.0 {
                low = time;
            } else {
                break;
            }
            let newton = time - excess * (SECOND / self.rate(self.after(angle, time)));
            let next = if low < newton && newton < high { newton } else { 0.5 * (low + high) };
            let step = (next - time).abs();
            time = next;
            if step < PRECISION {
                break;
            }
        }
        time
    }

    /// The angle at a position, 0 to 2 pi and a little: exact to the nanosecond however late it is.
    fn angle(&self, at: Position) -> f64 {
        let into = (at.nanos() % self.period + self.phase) % self.period;
        2.0 * PI * ((into as f64 + at.fraction()) / self.period as f64)
    }

    /// The angle `nanos` nanoseconds after another.
    fn after(&self, angle: f64, nanos: f64) -> f64 {
        angle + 2.0 * PI * (nanos / self.period as f64)
    }

    /// The rate per second at an angle.
    fn rate(&self, angle: f64) -> f64 {
        (self.mean + self.amplitude * libm::sin(angle)).max(0.0)
    }

    /// The expected arrivals within `nanos` nanoseconds from an angle on, by the product form of the difference of
    /// cosines: for short times it keeps the digits that the difference loses.
    fn area(&self, angle: f64, nanos: f64) -> f64 {
        let half = PI * (nanos / self.period as f64);
        let swing = self.amplitude * (self.period as f64 / PI) * libm::sin(angle + half) * libm::sin(half);
        (self.mean * nanos + swing) / SECOND
    }

    pub(super) fn rate_at(&self, nanos: u64) -> f64 {
        self.rate(self.angle(Position::at_nanos(nanos)))
    }

    pub(super) fn expected(&self, from: u64, to: u64) -> f64 {
        let (periods, rest) = ((to - from) / self.period, (to - from) % self.period);
        let whole = self.mean * (self.period as f64 / SECOND) * periods as f64;
        whole + self.area(self.angle(Position::at_nanos(from)), rest as f64)
    }

    pub(super) fn max_rate(&self) -> f64 {
        self.mean + self.amplitude
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values come out exactly")]
mod tests {
    use crate::engine::time::{SimDuration, SimTime};
    use crate::engine::units::Rate;
    use crate::model::source::rate::testing::{assert_inverts, seconds};
    use crate::model::source::rate::{Position, RateProfile, RateShape, RateSpec};

    fn sine(mean: f64, amplitude: f64, period: &str, phase: Option<&str>) -> RateProfile {
        let [mean, amplitude] = [mean, amplitude].map(|rate| Rate::per_second(rate).expect("a rate"));
        let duration = |text: &str| text.parse::<SimDuration>().expect("a duration");
        let (period, phase) = (duration(period), phase.map(duration));
        RateSpec::Shape(RateShape::Sine { mean, amplitude, period, phase }).resolve().expect("a wave")
    }

    #[test]
    fn waves_are_inverted() {
        assert_inverts(&sine(50.0, 30.0, "10s", None), 0.7, 5_000);
        assert_inverts(&sine(50.0, 50.0, "10s", Some("3s")), 0.7, 5_000);
        assert_inverts(&sine(0.01, 0.01, "24h", None), 0.7, 5_000);
        assert_inverts(&sine(1000.0, 900.0, "3ms", None), 17.3, 5_000);
        assert_inverts(&sine(1e-3, 1e-3, "1us", Some("1s")), 0.7, 100);
    }

    #[test]
    fn the_wave_begins_at_its_mean_and_rises_unless_it_has_a_phase() {
        let at =
            |profile: &RateProfile, quarters: f64| (profile.rate_at(seconds(quarters)) * 1e9).round() / 1e9;
        let wave = sine(10.0, 5.0, "4s", None);
        assert_eq!(
            [0.0, 1.0, 2.0, 3.0, 1e9].map(|quarters| at(&wave, quarters)),
            [10.0, 15.0, 10.0, 5.0, 10.0]
        );
        assert_eq!(at(&sine(10.0, 5.0, "4s", Some("1s")), 0.0), 15.0);
        assert_eq!(wave.max_rate(), 15.0);
    }

    #[test]
    fn many_periods_are_skipped_at_once() {
        let wave = sine(10.0, 10.0, "1ms", None);
        let position = wave.advance(Position::at(SimTime::ZERO), 1e9).expect("in time");
        assert_eq!(position.time(), seconds(1e8));
        assert_eq!(wave.advance(Position::at(SimTime::ZERO), 1e18), None);
    }

    #[test]
    fn a_wave_without_amplitude_is_constant() {
        assert!(matches!(sine(10.0, 0.0, "1s", None), RateProfile::Constant(_)));
        assert!(matches!(sine(0.0, 0.0, "1s", None), RateProfile::Constant(_)));
    }
}
