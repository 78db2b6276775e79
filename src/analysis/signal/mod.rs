//! Statistics of evenly spaced series: structure that random variation does not explain.
//!
//! Everything is plain arithmetic and libm on slices of numbers, so that a series gives bit-identical results on
//! every machine; random numbers (for surrogates) come from a stream with a fixed seed. Nothing here depends on servers
//! or requests. Start with [`oscillation`]. The other questions: [`settling`] (when is a change over?), [`lag`] (by how
//! much does one series follow another?), [`phase`] (do two series oscillate together?), [`change_points`] (where does
//! the level change?).

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
    /// Time of the first sample, in seconds.
    pub start: f64,
    /// Time between samples, in seconds; positive.
    pub step: f64,
    /// The samples. One that is not finite is missing.
    pub values: &'a [f64],
}

impl SampledSeries<'_> {
    /// Returns the values with gaps filled by the last value before the gap, or by the first value at the beginning;
    /// `None` if more than half of the values are missing.
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

    /// Returns the time of a sample, in seconds; `index` may lie between two samples.
    #[must_use]
    pub fn time(&self, index: f64) -> f64 {
        self.start + self.step * index
    }

    /// Returns the indices of the samples from one time to another, in seconds, both included.
    #[must_use]
    pub fn within(&self, from: f64, to: f64) -> Range<usize> {
        // The tolerance of a millionth of a step covers the rounding of the division.
        let position = |time: f64| (time - self.start) / self.step;
        let first = floor_to_usize((position(from) - 1e-6).ceil());
        let end = floor_to_usize((position(to) + 1e-6).floor() + 1.0).min(self.values.len());
        first.min(end)..end
    }

    /// Returns the segments between the known changes, in order, as indices.
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
    fn gaps_are_filled_with_the_last_value() {
        let gaps = [f64::NAN, 1.0, f64::NAN, 3.0, f64::INFINITY];
        let series = SampledSeries { start: 0.0, step: 1.0, values: &gaps };
        assert_eq!(series.filled(), None, "more than half is missing");
        let series = SampledSeries { values: &[f64::NAN, 1.0, f64::NAN, 3.0], ..series };
        assert_eq!(series.filled(), Some(vec![1.0, 1.0, 1.0, 3.0]));
        let series = SampledSeries { values: &[], ..series };
        assert_eq!(series.filled(), None);
    }

    #[test]
    fn a_series_is_cut_at_known_changes() {
        let values = vec![0.0; 651];
        let series = SampledSeries { start: 0.0, step: 0.1, values: &values };
        assert_eq!(
            series.between(&[60.0, 10.0, 25.0, 65.5, -1.0]),
            vec![0..101, 100..251, 250..601, 600..651]
        );
        assert_eq!(series.within(70.0, 80.0), 651..651);
    }
}
