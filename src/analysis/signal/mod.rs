//! Statistics of evenly spaced series: what is in a course of time that chance alone does not put there.
//!
//! Everything is plain arithmetic and libm on slices of numbers, so that the same series gives the same bits of a
//! result on every machine; where chance is asked for (surrogates), it comes from a stream with a fixed seed. Nothing
//! here knows of servers or requests. Where to read first: [`oscillation`]; what the others answer: [`settling`]
//! (when is a change over?), [`lag`] (how long does one series run behind another?), [`phase`] (do two series swing
//! together?), [`change_points`] (where does the level change?).

pub mod autocorrelation;
pub mod change_points;
pub mod fft;
pub mod lag;
pub mod level;
pub mod noise;
pub mod oscillation;
pub mod periodogram;
pub mod phase;
pub mod settling;
pub mod swings;

use std::ops::Range;

use crate::engine::floor_to_usize;

pub use self::oscillation::{Oscillation, detect};

/// An evenly spaced series.
#[derive(Clone, Copy, Debug)]
pub struct SampledSeries<'a> {
    /// The time of the first sample, in seconds.
    pub start: f64,
    /// The time from one sample to the next, in seconds; above zero.
    pub step: f64,
    /// The samples. What is not a finite number is no value: the last one before it holds.
    pub values: &'a [f64],
}

impl SampledSeries<'_> {
    /// The values without gaps: the last value holds over a gap, and the first one before it. None where more than
    /// half of the values are missing.
    #[must_use]
    pub fn filled(&self) -> Option<Vec<f64>> {
        let present = self.values.iter().filter(|value| value.is_finite()).count();
        let mut held = *self.values.iter().find(|value| value.is_finite())?;
        if 2 * present < self.values.len() {
            return None;
        }
        let hold = |&value: &f64| {
            if value.is_finite() {
                held = value;
            }
            held
        };
        Some(self.values.iter().map(hold).collect())
    }

    /// The time of a sample, in seconds; `index` may lie between two.
    #[must_use]
    pub fn time(&self, index: f64) -> f64 {
        self.start + self.step * index
    }

    /// The indices of the samples from one time to another, in seconds, both included.
    #[must_use]
    pub fn within(&self, from: f64, to: f64) -> Range<usize> {
        // A millionth of a step forgives what the division loses.
        let position = |time: f64| (time - self.start) / self.step;
        let first = floor_to_usize((position(from) - 1e-6).ceil());
        let end = floor_to_usize((position(to) + 1e-6).floor() + 1.0).min(self.values.len());
        first.min(end)..end
    }

    /// The stretches between the known changes, in order, as indices.
    #[must_use]
    pub fn between(&self, known_changes: &[f64]) -> Vec<Range<usize>> {
        let last = self.time(self.values.len() as f64);
        let mut cuts: Vec<f64> =
            known_changes.iter().copied().filter(|&at| at > self.start && at < last).collect();
        cuts.sort_by(f64::total_cmp);
        cuts.insert(0, self.start);
        cuts.push(last);
        cuts.windows(2).map(|pair| self.within(pair[0], pair[1])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_bridged_by_the_last_value() {
        let gaps = [f64::NAN, 1.0, f64::NAN, 3.0, f64::INFINITY];
        let course = SampledSeries { start: 0.0, step: 1.0, values: &gaps };
        assert_eq!(course.filled(), None, "more than half is missing");
        let course = SampledSeries { values: &[f64::NAN, 1.0, f64::NAN, 3.0], ..course };
        assert_eq!(course.filled(), Some(vec![1.0, 1.0, 1.0, 3.0]));
        let course = SampledSeries { values: &[], ..course };
        assert_eq!(course.filled(), None);
    }

    #[test]
    fn a_series_is_cut_at_known_changes() {
        let values = vec![0.0; 651];
        let course = SampledSeries { start: 0.0, step: 0.1, values: &values };
        assert_eq!(
            course.between(&[60.0, 10.0, 25.0, 65.5, -1.0]),
            vec![0..101, 100..251, 250..601, 600..651]
        );
        assert_eq!(course.within(70.0, 80.0), 651..651);
    }
}
