//! How long a series takes to come to rest after a change.
//!
//! What remains is the median of the last third of the stretch after the change. The series is at rest as soon as it
//! stays, smoothed, within a band around that level: 4.5 times its robust spread in the last third, and at least
//! 5 % of the step (Franklin, Powell, Emami-Naeini: "Feedback control of dynamic systems" takes 1 to
//! 5 %). Nothing is said where the level has not changed by much more than noise with this memory moves it.
//!
//! Measured: of 16,000 M/M/1 queues at 50 to 90 % load, 1,200 samples 0.5 to 50 service times apart, 0.05 % are said to
//! settle after a change that there was not (1.3 % of those at 95 % load and 0.5 service times, which forget within
//! more than the series); of 1,000 queues that fill or drain after a change of load 94.7 % are said to settle.

use super::SampledSeries;
use super::level::{mean, median, robust_sd, smooth};
use super::noise::RedNoise;

/// How many standard errors apart the levels before and after have to be.
const STANDARD_ERRORS: f64 = 8.0;
/// How much of the bias of fitted memories is given back: twice what theory says, for queues wander further than noise.
const CAUTION: f64 = 2.0;
/// How many robust standard deviations of what remains the band reaches to each side: of the hundred means or so that are
/// looked at, chance leaves three standard deviations with one in four series, and these with one in a thousand.
const BAND: f64 = 4.5;
/// How many times as far as it ever went at rest the band reaches: what came before is longer, and chance goes further.
const MARGIN: f64 = 1.25;
/// The least reach of the band, as a share of the step.
const SHARE: f64 = 0.05;
/// The least number of samples before and after.
const LEAST: usize = 30;

/// How a series came to rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settling {
    /// How long after the change it came to rest, in seconds.
    pub after: f64,
    /// The level before the change.
    pub before: f64,
    /// The level that remained.
    pub level: f64,
    /// How far it may be from that level at rest.
    pub band: f64,
    /// How far it went beyond the level that remained, as a share of the step: 0 is not at all.
    pub overshoot: f64,
}

/// When a series came to rest after a change at a time, of which it is known from when it was undisturbed and until
/// when it was left alone; `width` is that of the smoothing. All in seconds. None where nothing has changed and where
/// it did not come to rest.
#[must_use]
pub fn settling(
    course: &SampledSeries<'_>,
    from: f64,
    change: f64,
    until: f64,
    width: f64,
) -> Option<Settling> {
    let values = course.filled()?;
    let (before, after) = (course.within(from, change), course.within(change, until));
    let (before, after) = (&values[before.start..before.end.min(after.start)], &values[after]);
    if before.len() < LEAST || after.len() < LEAST {
        return None;
    }
    let before = &before[before.len() / 2..];
    let rest = after.len() - after.len() / 3;
    let remains = &after[rest..];
    let (start, level) = (median(before), median(remains));
    let step = level - start;
    let wander = |part: &[f64]| RedNoise::fit(part).error_of_mean(part.len(), CAUTION);
    let error = wander(before).max(wander(remains));
    if (mean(remains) - mean(before)).abs() <= STANDARD_ERRORS * error || step == 0.0 {
        return None;
    }
    let smoothed = smooth(after, crate::engine::floor_to_usize(0.5 * width / course.step));
    let farthest = smoothed[rest..].iter().map(|x| (x - level).abs()).fold(0.0, f64::max);
    let band = (BAND * robust_sd(&smoothed[rest..])).max(MARGIN * farthest).max(SHARE * step.abs());
    // A last third that still moves is no rest.
    let half = rest + remains.len() / 2;
    if 2.0 * band >= step.abs() || (median(&after[rest..half]) - median(&after[half..])).abs() > band {
        return None;
    }
    let last_outside = smoothed[..rest].iter().rposition(|x| (x - level).abs() > band);
    let settled = last_outside.map_or(0, |last| last + 1);
    if settled >= rest {
        return None;
    }
    let beyond = smoothed.iter().map(|x| (x - level) * step.signum()).fold(0.0, f64::max);
    let overshoot = if beyond > band { beyond / step.abs() } else { 0.0 };
    Some(Settling { after: settled as f64 * course.step, before: start, level, band, overshoot })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::distribution::ziggurat;
    use crate::engine::random::RandomStream;

    /// A step at 20 s to which the series answers with a time constant of 2 s, or by ringing.
    fn answer(noise: f64, ringing: bool) -> Vec<f64> {
        let mut stream = RandomStream::from_seed(6);
        let value = |i: i32| {
            let t = (f64::from(i) / 10.0 - 20.0).max(0.0);
            10.0 * (1.0 - libm::exp(-t / 2.0) * if ringing { libm::cos(t) } else { 1.0 })
        };
        (0..600).map(|i| value(i) + noise * ziggurat::normal(&mut stream)).collect()
    }

    #[test]
    fn an_exponential_answer_settles_when_theory_says() {
        let course = |values| SampledSeries { start: 0.0, step: 0.1, values };
        let clean = answer(0.0, false);
        let found = settling(&course(&clean), 0.0, 20.0, 60.0, 1.0).expect("it settles");
        // Within 5 % after ln 20 time constants; the smoothing moves that by a tenth.
        assert!((found.after - 5.99).abs() < 0.25 && (found.level - 10.0).abs() < 0.01, "{found:?}");
        assert!(found.overshoot.abs() < 1e-12);
        let noisy = answer(0.5, false);
        let found = settling(&course(&noisy), 0.0, 20.0, 60.0, 1.0).expect("it settles");
        assert!((found.after - 5.5).abs() < 1.5 && (found.level - 10.0).abs() < 0.2, "{found:?}");
    }

    #[test]
    fn an_answer_that_rings_overshoots() {
        let course = |values| SampledSeries { start: 0.0, step: 0.1, values };
        let ringing = answer(0.0, true);
        let found = settling(&course(&ringing), 0.0, 20.0, 60.0, 0.1).expect("it settles");
        // The first maximum is where tan t = -1/2, at 2.678: e^-1.339 cos(2.678).
        assert!((found.overshoot - 0.2344).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn what_does_not_change_or_does_not_rest_says_nothing() {
        let course = |values| SampledSeries { start: 0.0, step: 0.1, values };
        assert_eq!(settling(&course(&[1.0; 600]), 0.0, 20.0, 60.0, 1.0), None);
        let ramp: Vec<f64> = (0..600).map(|i| f64::from((i - 200).max(0))).collect();
        assert_eq!(settling(&course(&ramp), 0.0, 20.0, 60.0, 1.0), None);
        assert_eq!(settling(&course(&answer(0.0, false)), 0.0, 20.0, 21.0, 1.0), None);
    }
}
