//! What parts measure of themselves in every run, whether or not a probe looks on.
//!
//! Each part's file lists its measures and reads them off when a slice of the run ends. What is measured says by itself
//! where it is shown: a part to come shows up in reports without a change there.

use serde::{Deserialize, Serialize};

/// Where measures that belong together are shown.
#[derive(Debug, PartialEq, Eq)]
pub struct View {
    /// Its name in links and files.
    pub id: &'static str,
    /// The heading that it is found under.
    pub section: &'static str,
    /// Its own heading.
    pub title: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// How its values came about; may be empty.
    pub caption: &'static str,
}

/// Units of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A number of things.
    #[default]
    Count,
    /// A share of a whole, from 0 to 1.
    Share,
    /// A time in seconds.
    Seconds,
    /// Things in a second.
    PerSecond,
}

/// Something that a part measures of itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its name, in the manner of `series.csv`.
    pub name: &'static str,
    /// What tells it from others of the same part in its view; may be empty.
    pub label: &'static str,
    /// Where it is shown.
    pub view: &'static View,
    /// A rate that is shown as a share of this other rate of the same part.
    pub share_of: Option<&'static str>,
}

impl Measure {
    /// A measure that is shown as it is.
    #[must_use]
    pub const fn new(name: &'static str, label: &'static str, view: &'static View) -> Self {
        Self { name, label, view, share_of: None }
    }

    /// The same, shown as a share of another measure of the same part, both of them rates.
    #[must_use]
    pub const fn as_share_of(self, whole: &'static str) -> Self {
        Self { share_of: Some(whole), ..self }
    }
}

/// A limit that a part sets to one of its measures, or acts upon: a line in plots.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Name of the measure.
    pub measure: &'static str,
    /// The node or group that sets it.
    pub owner: String,
    /// Where it lies.
    pub value: f64,
    /// What it means.
    pub meaning: &'static str,
}

/// The state between two readings: what a sum or a counter had come to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cell {
    last: u128,
    /// The same of the whole that it is a share of.
    whole: u128,
}

/// Takes the readings of all parts, one after the other, always in the same order.
#[derive(Debug)]
pub struct Readings<'a> {
    cells: std::slice::IterMut<'a, Cell>,
    /// Where the values go; nowhere if sums are about to begin anew.
    values: Option<&'a mut Vec<f32>>,
    nanos: f64,
    /// Whether a lap ends with this slice.
    lap: bool,
}

impl<'a> Readings<'a> {
    /// Readings at the end of a slice of `nanos` nanoseconds, with which a lap may end.
    #[must_use]
    pub fn new(cells: &'a mut [Cell], values: &'a mut Vec<f32>, nanos: f64, lap: bool) -> Self {
        Self { cells: cells.iter_mut(), values: Some(values), nanos, lap }
    }

    /// The sums over time are about to begin anew (the end of a warm-up): what belongs to the present slice is kept, as
    /// less than nothing at its start.
    #[must_use]
    pub fn before_restart(cells: &'a mut [Cell]) -> Self {
        Self { cells: cells.iter_mut(), values: None, nanos: 1.0, lap: false }
    }

    /// The mean over the slice of a level whose integral (in nanoseconds) has come to `integral`.
    #[expect(clippy::cast_precision_loss, reason = "a value for people and plots")]
    pub fn level(&mut self, integral: u128) {
        let Some(cell) = self.cells.next() else { return };
        if self.values.is_some() {
            let grown = integral.wrapping_sub(std::mem::replace(&mut cell.last, integral));
            self.put(grown as f64 / self.nanos);
        } else {
            cell.last = cell.last.wrapping_sub(integral);
        }
    }

    /// The share that one integral's growth over the slice is of another's; zero where there was nothing to share in.
    #[expect(clippy::cast_precision_loss, reason = "a value for people and plots")]
    pub fn share(&mut self, part: u128, whole: u128) {
        let Some(cell) = self.cells.next() else { return };
        if self.values.is_some() {
            let part = part.wrapping_sub(std::mem::replace(&mut cell.last, part));
            let whole = whole.wrapping_sub(std::mem::replace(&mut cell.whole, whole));
            self.put(if whole == 0 { 0.0 } else { part as f64 / whole as f64 });
        } else {
            cell.last = cell.last.wrapping_sub(part);
            cell.whole = cell.whole.wrapping_sub(whole);
        }
    }

    /// The growth of a counter over the slice, a second.
    #[expect(clippy::cast_precision_loss, reason = "a value for people and plots")]
    pub fn rate(&mut self, count: u64) {
        let Some(cell) = self.cells.next() else { return };
        if self.values.is_some() {
            let grown = u128::from(count) - std::mem::replace(&mut cell.last, u128::from(count));
            let rate = grown as f64 * 1e9 / self.nanos;
            self.put(rate);
        }
    }

    /// A value that the part has worked out itself, if there is one. It is not asked for before a restart.
    pub fn value(&mut self, value: impl FnOnce() -> Option<f64>) {
        self.cells.next();
        if self.values.is_some() {
            self.put(value().unwrap_or(f64::NAN));
        }
    }

    /// Whether a lap ends: what takes many samples to be told, such as percentiles, is told once a lap of some slices.
    #[must_use]
    pub const fn is_lap(&self) -> bool {
        self.lap
    }

    /// How many readings are still to come.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.cells.len()
    }

    #[expect(clippy::cast_possible_truncation, reason = "seven digits are plenty for plots")]
    fn put(&mut self, value: f64) {
        if let Some(values) = &mut self.values {
            values.push(value as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_what_has_grown_since_the_last_ones() {
        let mut cells = [Cell::default(); 4];
        let mut values = Vec::new();
        let mut take = |integral, whole, count, value| {
            let mut readings = Readings::new(&mut cells, &mut values, 2e9, true);
            readings.level(integral);
            readings.share(integral, whole);
            readings.rate(count);
            readings.value(|| value);
            assert_eq!(readings.missing(), 0);
        };
        take(8_000_000_000, 10_000_000_000, 10, Some(7.0));
        take(9_000_000_000, 12_000_000_000, 30, None);
        take(9_000_000_000, 12_000_000_000, 30, None);
        let expected = [4.0, 0.8, 5.0, 7.0, 0.5, 0.5, 10.0, f32::NAN, 0.0, 0.0, 0.0, f32::NAN];
        assert_eq!(format!("{values:?}"), format!("{expected:?}"));
    }

    #[test]
    fn a_slice_in_which_sums_begin_anew_is_whole() {
        let mut cells = [Cell::default(); 2];
        let mut before = Readings::before_restart(&mut cells);
        before.level(6);
        before.share(6, 12);
        let mut values = Vec::new();
        let mut after = Readings::new(&mut cells, &mut values, 10.0, true);
        after.level(4);
        after.share(4, 8);
        assert_eq!(values, [1.0, 0.5], "6 before the restart and 4 after it, over 10 and of 20");
    }
}
