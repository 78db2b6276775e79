//! The samples of a time series, at regular times.

use crate::engine::time::{SimDuration, SimTime};

/// Number of values in a block: those of a page of memory. A list that grows by doubling would touch twice as much.
const BLOCK: usize = 512;

/// Values at regular times from the start of the run on, some of which are missing.
#[derive(Clone, Debug)]
pub struct Samples {
    every: SimDuration,
    /// The full blocks. In place of a missing value stands NaN.
    full: Vec<Vec<f64>>,
    /// The last block.
    last: Vec<f64>,
}

impl Samples {
    /// No samples yet, of a series with this time between two of them.
    #[must_use]
    pub const fn new(every: SimDuration) -> Self {
        Self { every, full: Vec::new(), last: Vec::new() }
    }

    /// The time between two samples.
    #[must_use]
    pub const fn every(&self) -> SimDuration {
        self.every
    }

    /// Adds the next sample, or `None` if there is no value at its time.
    #[inline]
    pub fn push(&mut self, value: Option<f64>) {
        if self.last.len() == BLOCK {
            self.full.push(std::mem::replace(&mut self.last, Vec::with_capacity(BLOCK)));
        }
        self.last.push(value.unwrap_or(f64::NAN));
    }

    /// The samples with their times, without the missing ones.
    pub fn iter(&self) -> impl Iterator<Item = (SimTime, f64)> + Clone + '_ {
        let every = self.every.as_nanos();
        let times = (0..).map(move |index: u64| SimTime::from_nanos(index * every));
        let values = self.full.iter().flatten().chain(&self.last).copied();
        times.zip(values).filter(|(_, value)| !value.is_nan())
    }

    /// The values, without the missing ones.
    pub fn values(&self) -> impl Iterator<Item = f64> + Clone + '_ {
        self.iter().map(|(_, value)| value)
    }
}

impl PartialEq for Samples {
    fn eq(&self, other: &Self) -> bool {
        self.every == other.every && self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some blocks, the last of which is not full.
    const COUNT: u32 = 1301;

    #[test]
    fn values_keep_their_times_across_blocks_and_gaps() {
        let mut samples = Samples::new(SimDuration::from_nanos(10));
        for index in 0..COUNT {
            samples.push((index % 3 != 0).then(|| f64::from(index)));
        }
        let expected = (0..COUNT).filter(|index| index % 3 != 0);
        let expected = expected.map(|index| (SimTime::from_nanos(u64::from(index) * 10), f64::from(index)));
        assert!(samples.iter().eq(expected));
        assert_eq!(samples.values().last(), Some(f64::from(COUNT - 1)));
        assert_eq!(samples, samples.clone());
        let mut longer = samples.clone();
        longer.push(None);
        assert_eq!(samples, longer, "nothing was sampled");
        longer.push(Some(0.0));
        assert_ne!(samples, longer);
    }
}
