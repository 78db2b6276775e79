//! Rates made of constant and linear pieces.
//!
//! The area after a time x in a piece is r x + s x²/2, where r is the rate at its start and s the slope. The time for
//! an area A is 2A / (r + sqrt(r² + 2 s A)): the form of the quadratic's solution that loses no digits, neither for a
//! slope near 0 nor for a rate that starts at 0.

use super::{ExactTime, SECOND};
use crate::engine::time::SimDuration;
use crate::engine::units::Rate;

/// Rounding error allowed in an area, in arrivals: if the area before a pause (a rate of 0) falls short of an arrival
/// by at most this, the arrival still happens before the pause.
const AREA_TOLERANCE: f64 = 1e-9;

/// Pieces in order of time. The first starts at 0; the last is constant and has no end.
#[derive(Clone, Debug, PartialEq)]
pub struct Piecewise(Vec<Piece>);

/// A linear piece; it ends where the next one starts.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    /// Start in nanoseconds.
    start: u64,
    /// Rate at the start, per second.
    from: f64,
    /// Rate at the end, per second.
    to: f64,
}

impl Piecewise {
    /// A constant `rate` from the start of the run on.
    pub(super) fn starting_at(rate: Rate) -> Self {
        let rate = rate.as_per_second();
        Self(vec![Piece { start: 0, from: rate, to: rate }])
    }

    /// Adds a constant `rate` from `at` on, which is not before the start of the last piece.
    pub(super) fn constant(mut self, at: SimDuration, rate: Rate) -> Self {
        let rate = rate.as_per_second();
        self.push(Piece { start: at.as_nanos(), from: rate, to: rate });
        self
    }

    /// Adds a line from the current last rate at `start` to the rate `to` at `end`, which is later, and `to` from then
    /// on.
    pub(super) fn linear(mut self, start: SimDuration, end: SimDuration, to: Rate) -> Self {
        let from = self.0.last().map_or(0.0, |piece| piece.to);
        self.push(Piece { start: start.as_nanos(), from, to: to.as_per_second() });
        self.constant(end, to)
    }

    /// Adds a piece, and removes the previous one if that has no length.
    fn push(&mut self, piece: Piece) {
        if self.0.last().is_some_and(|last| last.start == piece.start) {
            self.0.pop();
        }
        self.0.push(piece);
    }

    /// The same position, from which a search goes on.
    pub(super) fn located(&self, mut position: ExactTime) -> ExactTime {
        position.segment = self.segment_at(position.nanos());
        position
    }

    fn segment_at(&self, nanos: u64) -> usize {
        self.0.partition_point(|piece| piece.start <= nanos).max(1) - 1
    }

    /// The sum of two rates.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let mut starts: Vec<u64> = self.0.iter().chain(&other.0).map(|piece| piece.start).collect();
        starts.sort_unstable();
        starts.dedup();
        let ends: Vec<u64> = starts.iter().skip(1).copied().chain([u64::MAX]).collect();
        let piece = |(start, end): (u64, u64)| {
            let [(from, to), (others_from, others_to)] = [self, other].map(|rate| rate.between(start, end));
            Piece { start, from: from + others_from, to: to + others_to }
        };
        Self(starts.into_iter().zip(ends).map(piece).collect())
    }

    /// The rates at the start and at the end of a time within a piece.
    fn between(&self, start: u64, end: u64) -> (f64, f64) {
        let segment = self.segment_at(start);
        let piece = self.0[segment];
        self.0.get(segment + 1).map_or((piece.from, piece.to), |next| {
            let rate = |nanos| piece.rate_and_slope(ExactTime::at_nanos(nanos), next.start).0;
            (rate(start), rate(end))
        })
    }

    pub(super) fn advance(&self, from: ExactTime, mut area: f64) -> Option<ExactTime> {
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
                let slack = if next.from == 0.0 { AREA_TOLERANCE } else { 0.0 };
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
        let segment = self.segment_at(nanos);
        let piece = self.0[segment];
        self.0
            .get(segment + 1)
            .map_or(piece.to, |next| piece.rate_and_slope(ExactTime::at_nanos(nanos), next.start).0)
    }

    pub(super) fn expected(&self, from: u64, to: u64) -> f64 {
        let ends = self.0.iter().skip(1).map(|next| next.start).chain([u64::MAX]);
        let areas = self.0.iter().zip(ends).filter(|(piece, end)| piece.start < to && from < *end).map(
            |(piece, end)| {
                let (first, last) = (from.max(piece.start), to.min(end));
                let rate = |nanos| piece.rate_and_slope(ExactTime::at_nanos(nanos), end).0;
                0.5 * (rate(first) + rate(last)) * ((last - first) as f64 / SECOND)
            },
        );
        areas.sum()
    }

    pub(super) fn max_rate(&self) -> f64 {
        self.0.iter().fold(0.0, |max, piece| piece.from.max(piece.to).max(max))
    }
}

impl Piece {
    /// The rate per second at `position`, and its change per nanosecond, in a piece that ends at `end`.
    fn rate_and_slope(&self, position: ExactTime, end: u64) -> (f64, f64) {
        let length = (end - self.start) as f64;
        let fraction = ((position.nanos() - self.start) as f64 + position.fraction()) / length;
        // Interpolated from both ends: it neither overshoots nor misses the rate at the end.
        (self.from * (1.0 - fraction) + self.to * fraction, (self.to - self.from) / length)
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use crate::engine::time::{SimDuration, SimTime};
    use crate::engine::units::Rate;
    use crate::model::source::rate::testing::{assert_inverts, seconds};
    use crate::model::source::rate::{ExactTime, RateProfile, RateShape, RateSpec, RateStep};

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
        // One step across all pieces.
        assert_inverts(&steps(&[("10s", 5.0), ("20s", 0.0), ("1h", 80.0)]), 49.0, 2);
    }

    #[test]
    fn arrivals_start_on_a_ramp_from_zero() {
        // The area under 2 t is t².
        let profile = ramp(0.0, 20.0, "0s", "10s");
        let first = profile.advance(ExactTime::at(SimTime::ZERO), 1.0).expect("an arrival");
        assert_eq!(first.time(), seconds(1.0));
        assert_eq!(profile.advance(first, 3.0).expect("an arrival").time(), seconds(2.0));
    }

    #[test]
    fn arrivals_end_on_a_ramp_to_zero() {
        let profile = ramp(20.0, 0.0, "0s", "10s");
        let last = profile.advance(ExactTime::at(SimTime::ZERO), 100.0).expect("the last arrival");
        assert_eq!(last.time(), seconds(10.0));
        assert_eq!(profile.advance(last, 1e-6), None);
        assert_eq!(profile.advance(ExactTime::at(SimTime::ZERO), 100.1), None);
    }

    #[test]
    fn rates_and_areas_follow_the_pieces() {
        let profile = ramp(10.0, 20.0, "10s", "20s");
        let rates = [0.0, 10.0, 15.0, 20.0, 1e6].map(|at| profile.rate_at(seconds(at)));
        assert_eq!(rates, [10.0, 10.0, 15.0, 20.0, 20.0]);
        assert_eq!(profile.expected(SimTime::ZERO, seconds(30.0)), 100.0 + 150.0 + 200.0);
        assert_eq!(profile.expected(seconds(12.0), seconds(13.0)), 12.5);
        assert_eq!(profile.max_rate(), 20.0);
        let profile = spike(10.0, 150.0, "0s", "25s");
        assert_eq!([0.0, 24.9, 25.0].map(|at| profile.rate_at(seconds(at))), [150.0, 150.0, 10.0]);
    }

    #[test]
    fn points_are_joined_by_lines() {
        let points = |points: &[(&'static str, f64)]| {
            let point = |&(at, per_second)| RateStep { at: duration(at), rate: rate(per_second) };
            RateSpec::Shape(RateShape::Points(points.iter().map(point).collect())).resolve().expect("points")
        };
        // Up, along, down, and up again: four stages.
        let profile = points(&[("10s", 10.0), ("20s", 30.0), ("30s", 30.0), ("40s", 0.0), ("60s", 8.0)]);
        let rates =
            [0.0, 10.0, 15.0, 20.0, 25.0, 35.0, 40.0, 50.0, 60.0, 1e6].map(|at| profile.rate_at(seconds(at)));
        assert_eq!(rates, [10.0, 10.0, 20.0, 30.0, 30.0, 15.0, 0.0, 4.0, 8.0, 8.0]);
        assert_eq!(
            profile.expected(SimTime::ZERO, seconds(70.0)),
            100.0 + 200.0 + 300.0 + 150.0 + 80.0 + 80.0
        );
        assert_inverts(&profile, 0.7, 1_000);
        // Two points are a ramp, and one is a constant rate.
        let two = points(&[("10s", 5.0), ("60s", 100.0)]);
        assert_eq!(two, ramp(5.0, 100.0, "10s", "60s"));
        assert_eq!(points(&[("10s", 5.0)]).rate_at(seconds(99.0)), 5.0);
        assert_eq!(points(&[("0s", 5.0), ("1s", 7.0)]).rate_at(SimTime::ZERO), 5.0);
    }

    #[test]
    fn nothing_arrives_before_the_first_step() {
        let profile = steps(&[("10s", 5.0)]);
        assert_eq!(profile.rate_at(seconds(9.0)), 0.0);
        let first = profile.advance(ExactTime::at(SimTime::ZERO), 1.0).expect("an arrival");
        assert_eq!(first.time(), seconds(10.2));
    }

    #[test]
    fn rounding_does_not_delay_the_last_arrival_before_a_pause() {
        let profile = steps(&[("0s", 3.0), ("10s", 0.0), ("20s", 3.0)]);
        let mut position = ExactTime::at(SimTime::ZERO);
        let mut times = Vec::new();
        for _ in 0..31 {
            position = profile.advance(position, 1.0).expect("an arrival");
            times.push(position.time());
        }
        assert_eq!(times[29], seconds(10.0));
        assert_eq!(times[30], SimTime::from_nanos(20_333_333_333));
    }
}
