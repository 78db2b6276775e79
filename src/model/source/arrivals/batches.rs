//! Arrivals of several requests at once.

use rand_distr::Distribution;

use super::ArrivalProcess;
use crate::engine::distribution::CountSampler;
use crate::engine::random::RandomStream;
use crate::engine::time::SimTime;

/// Batches of requests that arrive at the same time. Their sizes are from a random stream of their own.
#[derive(Debug)]
pub(super) struct Batches {
    of: ArrivalProcess,
    size: CountSampler,
    /// Random numbers for the sizes; made with the first of them.
    stream: Option<RandomStream>,
    /// How many requests of the current batch are left.
    left: u32,
    /// When it arrives.
    at: SimTime,
}

impl Batches {
    /// Batches of these sizes, whose mean is 1 or more, at these times.
    pub(super) const fn new(of: ArrivalProcess, size: CountSampler) -> Self {
        Self { of, size, stream: None, left: 0, at: SimTime::ZERO }
    }

    /// The time of the next request. Batches without requests are passed over.
    pub(super) fn next(&mut self, stream: &mut RandomStream) -> Option<SimTime> {
        while self.left == 0 {
            let sizes = self.stream.get_or_insert_with(|| stream.fork());
            self.left = self.size.sample(sizes);
            self.at = self.of.next(stream)?;
        }
        self.left -= 1;
        Some(self.at)
    }

    /// The variance of the number of arrivals in a long time over its mean: that of a sum of a random number of sizes.
    pub(super) fn dispersion(batches: f64, size: &CountSampler) -> f64 {
        size.variance() / size.mean() + batches * size.mean()
    }

    /// Mean time between changes of their rate by chance, in nanoseconds, if there are such changes.
    pub(super) fn mean_length(&self) -> Option<f64> {
        self.of.mean_length()
    }
}
