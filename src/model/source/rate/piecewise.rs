//! Rates made of constant and linear pieces.
//!
//! In a piece the area over a time x is r x + s x²/2, with the rate r where it begins and the slope s. The time for an
//! area A is 2A / (r + sqrt(r² + 2 s A)): the form of the quadratic's solution that loses no digits, neither where the
//! slope vanishes nor where the rate starts from zero.

use super::{Position, SECOND};
use crate::engine::time::SimDuration;
use crate::engine::units::Rate;

/// What rounding may leave of an area: a billionth of an arrival. Where nothing more arrives for a while, so little
/// that is missing does not put an arrival off.
const ROUNDING: f64 = 1e-9;

/// Pieces in order of time, the first from zero; the last is constant and has no end.
#[derive(Clone, Debug, PartialEq)]
pub struct Piecewise(Vec<Piece>);

/// A straight line; it ends where the next one starts.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    /// Where it starts, in nanoseconds.
    start: u64,
    /// The rate there, per second.
    from: f64,
    /// The rate at its end, per second.
    to: f64,
}

impl Piecewise {
    /// This rate from the start of the run.
    pub(super) fn starting_at(rate: Rate) -> Self {
        let rate = rate.as_per_second();
        Self(vec![Piece { start: 0, from: rate, to: rate }])
    }

    /// This rate from a moment on, which is not before the last piece.
    pub(super) fn constant(mut self, at: SimDuration, rate: Rate) -> Self {
        let rate = rate.as_per_second();
        self.push(Piece { start: at.as_nanos(), from: rate, to: rate });
        self
    }

    /// A line from the present rate at `start` to the rate `to` at `end`, which is later, and that rate from then on.
    pub(super) fn linear(mut self, start: SimDuration, end: SimDuration, to: Rate) -> Self {
        let from = self.0.last().map_or(0.0, |piece| piece.to);
        self.push(Piece { start: start.as_nanos(), from, to: to.as_per_second() });
        self.constant(end, to)
    }

    /// Adds a piece; the one before vanishes if it has no length.
    fn push(&mut self, piece: Piece) {
        if self.0.last().is_some_and(|last| last.start == piece.start) {
            self.0.pop();
        }
        self.0.push(piece);
    }

    pub(super) fn advance(&self, from: Position, mut area: f64) -> Option<Position> {
        let mut position = from;
        loop {
            let piece = self.0[position.segment];
            let Some(next) = self.0.get(position.segment + 1) else {
                return position.after(area * (SECOND / piece.from));
            };
            if position.nanos() < next.start {
                let (rate, slope) = piece.rate_and_slope(position, next.start);
                let left = (next.start - position.nanos()) as f64 - position.fraction();
                let available = 0.5 * (rate + piece.to) * left / SECOND;
                let slack = if next.from == 0.0 { ROUNDING } else { 0.0 };
                if available > 0.0 && area <= available + slack {
                    let twice = 2.0 * area * SECOND;
                    let time = twice / (rate + (rate * rate + slope * twice).max(0.0).sqrt());
                    return position.after(time.min(left));
                }
                area = (area - available).max(0.0);
                position = position.moved_to(next.start);
            }
            position.segment += 1;
        }
    }

    pub(super) fn rate_at(&self, nanos: u64) -> f64 {
        let segment = self.0.partition_point(|piece| piece.start <= nanos).max(1) - 1;
        let piece = self.0[segment];
        self.0
            .get(segment + 1)
            .map_or(piece.to, |next| piece.rate_and_slope(Position::at_nanos(nanos), next.start).0)
    }

    pub(super) fn expected(&self, from: u64, to: u64) -> f64 {
        let ends = self.0.iter().skip(1).map(|next| next.start).chain([u64::MAX]);
        let areas = self.0.iter().zip(ends).filter(|(piece, end)| piece.start < to && from < *end).map(
            |(piece, end)| {
                let (first, last) = (from.max(piece.start), to.min(end));
                let rate = |nanos| piece.rate_and_slope(Position::at_nanos(nanos), end).0;
                0.5 * (rate(first) + rate(last)) * ((last - first) as f64 / SECOND)
            },
        );
        areas.sum()
    }

    pub(super) fn max_rate(&self) -> f64 {
        self.0.iter().fold(0.0, |most, piece| piece.from.max(piece.to).max(most))
    }
}

impl Piece {
    /// The rate per second at `position`, and by how much it changes in a nanosecond, in a piece up to `end`.
    fn rate_and_slope(&self, position: Position, end: u64) -> (f64, f64) {
        let length = (end - self.start) as f64;
        let share = ((position.nanos() - self.start) as f64 + position.fraction()) / length;
        // Weighted by both ends, so that it neither overshoots nor leaves the line at its end.
        (self.from * (1.0 - share) + self.to * share, (self.to - self.from) / length)
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values come out exactly")]
mod tests {
    use crate::engine::time::{SimDuration, SimTime};
    use crate::engine::units::Rate;
    use crate::model::source::rate::testing::{assert_inverts, seconds};
    use crate::model::source::rate::{Position, RateProfile, RateShape, RateSpec, RateStep};

    fn rate(per_second: f64) -> Rate {
        Rate::per_second(per_second).expect("a rate")
    }

    fn duration(text: &str) -> SimDuration {
        text.parse().expect("a duration")
    }

    fn ramp(from: f64, to: f64, start: &str, end: &str) -> RateProfile {
        let (start, end) = (duration(start), duration(end));
        RateSpec::Shape(RateShape::Ramp { from: rate(from), to: rate(to), start, end })
            .resolve()
            .expect("a ramp")
    }

    fn steps(steps: &[(&str, f64)]) -> RateProfile {
        let step = |&(at, per_second)| RateStep { at: duration(at), rate: rate(per_second) };
        RateSpec::Shape(RateShape::Steps(steps.iter().map(step).collect())).resolve().expect("steps")
    }

    fn spike(base: f64, peak: f64, from: &str, to: &str) -> RateProfile {
        let (from, to) = (duration(from), duration(to));
        RateSpec::Shape(RateShape::Spike { base: rate(base), peak: rate(peak), from, to })
            .resolve()
            .expect("a spike")
    }

    #[test]
    fn all_shapes_are_inverted() {
        assert_inverts(&ramp(0.0, 100.0, "10s", "60s"), 0.7, 10_000);
        assert_inverts(&ramp(100.0, 1.0, "0s", "60s"), 0.7, 5_000);
        assert_inverts(&ramp(5.0, 5.000_000_001, "1s", "2h"), 0.7, 50_000);
        assert_inverts(&spike(1.0, 1e6, "100s", "100.001s"), 0.7, 2_000);
        assert_inverts(&steps(&[("10s", 5.0), ("20s", 0.0), ("1h", 80.0)]), 0.7, 1_000);
        // One stride over all of it.
        assert_inverts(&steps(&[("10s", 5.0), ("20s", 0.0), ("1h", 80.0)]), 49.0, 2);
    }

    #[test]
    fn a_ramp_from_zero_starts() {
        // The area under 2 t is t².
        let profile = ramp(0.0, 20.0, "0s", "10s");
        let first = profile.advance(Position::at(SimTime::ZERO), 1.0).expect("an arrival");
        assert_eq!(first.time(), seconds(1.0));
        assert_eq!(profile.advance(first, 3.0).expect("an arrival").time(), seconds(2.0));
    }

    #[test]
    fn a_ramp_to_zero_has_an_end() {
        let profile = ramp(20.0, 0.0, "0s", "10s");
        let last = profile.advance(Position::at(SimTime::ZERO), 100.0).expect("the last arrival");
        assert_eq!(last.time(), seconds(10.0));
        assert_eq!(profile.advance(last, 1e-6), None);
        assert_eq!(profile.advance(Position::at(SimTime::ZERO), 100.1), None);
    }

    #[test]
    fn rates_and_areas_can_be_asked_for() {
        let profile = ramp(10.0, 20.0, "10s", "20s");
        let asked = [0.0, 10.0, 15.0, 20.0, 1e6].map(|at| profile.rate_at(seconds(at)));
        assert_eq!(asked, [10.0, 10.0, 15.0, 20.0, 20.0]);
        assert_eq!(profile.expected(SimTime::ZERO, seconds(30.0)), 100.0 + 150.0 + 200.0);
        assert_eq!(profile.expected(seconds(12.0), seconds(13.0)), 12.5);
        assert_eq!(profile.max_rate(), 20.0);
        let profile = spike(10.0, 150.0, "0s", "25s");
        assert_eq!([0.0, 24.9, 25.0].map(|at| profile.rate_at(seconds(at))), [150.0, 150.0, 10.0]);
    }

    #[test]
    fn nothing_arrives_before_the_first_step() {
        let profile = steps(&[("10s", 5.0)]);
        assert_eq!(profile.rate_at(seconds(9.0)), 0.0);
        let first = profile.advance(Position::at(SimTime::ZERO), 1.0).expect("an arrival");
        assert_eq!(first.time(), seconds(10.2));
    }

    #[test]
    fn rounding_does_not_put_off_the_last_arrival_before_a_pause() {
        let profile = steps(&[("0s", 3.0), ("10s", 0.0), ("20s", 3.0)]);
        let mut position = Position::at(SimTime::ZERO);
        let mut times = Vec::new();
        for _ in 0..31 {
            position = profile.advance(position, 1.0).expect("an arrival");
            times.push(position.time());
        }
        assert_eq!(times[29], seconds(10.0));
        assert_eq!(times[30], SimTime::from_nanos(20_333_333_333));
    }
}
