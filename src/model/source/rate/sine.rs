//! A rate that follows a sine around its mean, such as a daily cycle.
//!
//! The integral has a closed form and is monotone. It is inverted by Newton's method within a bracket, with bisection
//! where a Newton step would leave the bracket. Whole periods are skipped at once.

use std::f64::consts::PI;

use super::{ExactTime, SECOND};
use crate::engine::time::SimDuration;
use crate::engine::units::Rate;

/// Precision of the time of an arrival, in nanoseconds: the errors of a million arrivals add up to less than one.
const PRECISION: f64 = 1e-7;

/// The rate mean + amplitude sin(2 pi (t + phase) / period).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sine {
    /// Mean rate, per second.
    mean: f64,
    /// Maximum deviation from the mean, per second: above 0, at most the mean.
    amplitude: f64,
    /// Period in nanoseconds, above 0.
    period: u64,
    /// Phase in nanoseconds, below the period.
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
        reason = "a number of periods, checked to be in range"
    )]
    pub(super) fn advance(&self, from: ExactTime, area: f64) -> Option<ExactTime> {
        let area_of_period = self.mean * (self.period as f64 / SECOND);
        let periods = (area / area_of_period).floor();
        if periods >= 9.2e18 {
            return None;
        }
        let rest = (area - periods * area_of_period).clamp(0.0, area_of_period);
        let time = self.solve(self.angle(from), rest);
        from.after_whole((periods as u64).checked_mul(self.period)?)?.after(time)
    }

    /// The time in nanoseconds, at most a period, in which `area` arrivals are expected from `angle` on.
    fn solve(&self, angle: f64, area: f64) -> f64 {
        let (mut low, mut high) = (0.0, self.period as f64);
        let mut time = (area * (SECOND / self.rate(angle))).min(0.5 * high);
        // Bisection alone needs at most 63 steps to reach a nanosecond and 23 more to reach `PRECISION`.
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

    /// The angle at a position, from 0 to slightly above 2 pi: exact to the nanosecond at any time.
    fn angle(&self, at: ExactTime) -> f64 {
        let offset = (at.nanos() % self.period + self.phase) % self.period;
        2.0 * PI * ((offset as f64 + at.fraction()) / self.period as f64)
    }

    /// The angle `nanos` nanoseconds after `angle`.
    fn after(&self, angle: f64, nanos: f64) -> f64 {
        angle + 2.0 * PI * (nanos / self.period as f64)
    }

    /// The rate per second at an angle.
    fn rate(&self, angle: f64) -> f64 {
        (self.mean + self.amplitude * libm::sin(angle)).max(0.0)
    }

    /// Number of arrivals expected within `nanos` nanoseconds from `angle` on. The product form of the difference of
    /// cosines keeps the digits that the difference loses for short times.
    fn area(&self, angle: f64, nanos: f64) -> f64 {
        let half = PI * (nanos / self.period as f64);
        let swing = self.amplitude * (self.period as f64 / PI) * libm::sin(angle + half) * libm::sin(half);
        (self.mean * nanos + swing) / SECOND
    }

    pub(super) fn rate_at(&self, nanos: u64) -> f64 {
        self.rate(self.angle(ExactTime::at_nanos(nanos)))
    }

    pub(super) fn expected(&self, from: u64, to: u64) -> f64 {
        let (periods, rest) = ((to - from) / self.period, (to - from) % self.period);
        let whole = self.mean * (self.period as f64 / SECOND) * periods as f64;
        whole + self.area(self.angle(ExactTime::at_nanos(from)), rest as f64)
    }

    pub(super) fn max_rate(&self) -> f64 {
        self.mean + self.amplitude
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use crate::engine::time::{SimDuration, SimTime};
    use crate::engine::units::Rate;
    use crate::model::source::rate::testing::{assert_inverts, seconds};
    use crate::model::source::rate::{ExactTime, RateProfile, RateShape, RateSpec};

    fn sine(mean: f64, amplitude: f64, period: &str, phase: Option<&str>) -> RateProfile {
        let [mean, amplitude] = [mean, amplitude].map(|rate| Rate::per_second(rate).expect("a rate"));
        let duration = |text: &str| text.parse::<SimDuration>().expect("a duration");
        let (period, phase) = (duration(period), phase.map(duration));
        RateSpec::Shape(RateShape::Sine { mean, amplitude, period, phase }).resolve().expect("a wave")
    }

    #[test]
    fn sines_are_inverted() {
        assert_inverts(&sine(50.0, 30.0, "10s", None), 0.7, 5_000);
        assert_inverts(&sine(50.0, 50.0, "10s", Some("3s")), 0.7, 5_000);
        assert_inverts(&sine(0.01, 0.01, "24h", None), 0.7, 5_000);
        assert_inverts(&sine(1000.0, 900.0, "3ms", None), 17.3, 5_000);
        assert_inverts(&sine(1e-3, 1e-3, "1us", Some("1s")), 0.7, 100);
    }

    #[test]
    fn a_sine_starts_at_its_mean_and_rises_unless_it_has_a_phase() {
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
        let position =
            wave.advance(ExactTime::at(SimTime::ZERO), 1e9).expect("virtual time does not end before");
        assert_eq!(position.time(), seconds(1e8));
        assert_eq!(wave.advance(ExactTime::at(SimTime::ZERO), 1e18), None);
    }

    #[test]
    fn a_sine_without_amplitude_is_constant() {
        assert!(matches!(sine(10.0, 0.0, "1s", None), RateProfile::Constant(_)));
        assert!(matches!(sine(0.0, 0.0, "1s", None), RateProfile::Constant(_)));
    }
}
