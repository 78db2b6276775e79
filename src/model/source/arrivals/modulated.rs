//! Poisson arrivals at a rate that changes by chance: constant for a time that may be drawn, then another one.
//!
//! Exponentially distributed areas under the rate are solved for time, as for a rate that is known in advance. The random
//! numbers that the rate depends on are from a stream of their own, so that another rate of the requests does not change
//! the number of users.

use rand_distr::Distribution;
use serde::{Deserialize, Serialize};

use super::super::rate::{ExactTime, SECOND};
use crate::engine::distribution::{CountSampler, DistributionSpec, Sampler};
use crate::engine::random::RandomStream;
use crate::engine::spec_error::SpecError;
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::units::Rate;

/// A state of [`ArrivalsSpec::Mmpp`](super::ArrivalsSpec::Mmpp).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateState {
    /// The rate in this state.
    pub rate: Rate,
    /// How long it lasts; the mean is above 0.
    pub stay: DistributionSpec<SimDuration>,
}

/// A rate that changes by chance.
#[derive(Clone, Debug)]
pub(super) struct Modulated {
    changes: Changes,
    /// The mean rate in the long run, per second.
    mean_rate: f64,
    /// Random numbers for the changes; made with the first of them.
    stream: Option<RandomStream>,
    /// The current rate, per second.
    rate: f64,
    /// When it changes.
    until: ExactTime,
}

/// How the rate changes.
#[derive(Clone, Debug)]
enum Changes {
    /// In each window of this length, a number of users is drawn, who each send requests at this rate.
    Users { count: CountSampler, requests: f64, window: f64 },
    /// States, each with its rate and the law of its length, follow each other in order.
    States { states: Box<[(f64, Sampler)]>, next: usize },
}

impl Modulated {
    /// Arrivals from users whose number changes, beginning at `start`.
    pub(super) fn users(count: CountSampler, requests: Rate, window: SimDuration, start: SimTime) -> Self {
        let window = window.as_nanos_f64();
        Self::new(Changes::Users { count, requests: requests.as_per_second(), window }, start)
    }

    /// Arrivals whose rate follows states, beginning at `start` with the first of them.
    pub(super) fn states(states: &[RateState], start: SimTime) -> Result<Self, SpecError> {
        if states.is_empty() {
            return Err(SpecError::at(
                "",
                "there is no state: give at least two, each with a rate and a stay",
            ));
        }
        let resolve = |(index, state): (usize, &RateState)| {
            let error = |error: SpecError| error.inside(&format!("[{index}].stay"));
            let stay = state.stay.resolve().map_err(error)?;
            if stay.mean() <= 0.0 {
                return Err(error(SpecError::at("", "the mean stay is 0s: use a mean above 0s")));
            }
            Ok((state.rate.as_per_second(), stay))
        };
        let states = states.iter().enumerate().map(resolve).collect::<Result<_, _>>()?;
        Ok(Self::new(Changes::States { states, next: 0 }, start))
    }

    fn new(changes: Changes, start: SimTime) -> Self {
        let mean_rate = changes.mean_rate();
        Self { changes, mean_rate, stream: None, rate: 0.0, until: ExactTime::at(start) }
    }

    /// The position up to which `area` arrivals are expected after `from`, which is the start or the last result. `None` if
    /// virtual time ends before.
    pub(super) fn advance(
        &mut self,
        from: ExactTime,
        mut area: f64,
        stream: &mut RandomStream,
    ) -> Option<ExactTime> {
        if self.mean_rate <= 0.0 {
            return None;
        }
        let stream = self.stream.get_or_insert_with(|| stream.fork());
        let mut position = from;
        loop {
            let expected = self.rate * (self.until.since(position) / SECOND);
            if area <= expected && expected > 0.0 {
                return position.after(area * (SECOND / self.rate));
            }
            area = (area - expected).max(0.0);
            position = self.until;
            let (rate, length) = self.changes.next(stream);
            (self.rate, self.until) = (rate, position.after(length)?);
        }
    }

    /// Mean time between two changes, in nanoseconds.
    pub(super) fn mean_length(&self) -> f64 {
        match &self.changes {
            Changes::Users { window, .. } => *window,
            Changes::States { states, .. } => {
                states.iter().map(|(_, stay)| stay.mean()).sum::<f64>() / states.len() as f64
            }
        }
    }

    /// The variance of the number of arrivals in a long time over its mean: that of a Poisson process, and what the changes
    /// add: the variance of the expected number of arrivals in a cycle, beyond its length, over its mean (Cox, Lewis: "The
    /// statistical analysis of series of events", 1966, for Poisson arrivals at a random rate; Smith: "Regenerative
    /// stochastic processes", 1955, for cycles).
    pub(super) fn dispersion(&self) -> f64 {
        let mean = self.mean_rate;
        if mean <= 0.0 {
            return 1.0;
        }
        let (variance, length) = match &self.changes {
            Changes::Users { count, requests, window } => {
                let spread = requests * window / SECOND;
                (count.variance() * spread * spread, window / SECOND)
            }
            Changes::States { states, .. } => {
                let of_state = |(rate, stay): &(f64, Sampler)| {
                    let spread = (rate - mean) * stay.sd() / SECOND;
                    spread * spread
                };
                let variance = states.iter().map(of_state).sum::<f64>();
                (variance, states.iter().map(|(_, stay)| stay.mean() / SECOND).sum::<f64>())
            }
        };
        1.0 + variance / (mean * length)
    }
}

impl Changes {
    /// The mean rate in the long run, per second.
    fn mean_rate(&self) -> f64 {
        match self {
            Self::Users { count, requests, .. } => count.mean() * requests,
            Self::States { states, .. } => {
                let sum = |of: fn(&(f64, Sampler)) -> f64| states.iter().map(of).sum::<f64>();
                sum(|(rate, stay)| rate * stay.mean()) / sum(|(_, stay)| stay.mean())
            }
        }
    }

    /// The next rate, per second, and how many nanoseconds it lasts.
    fn next(&mut self, stream: &mut RandomStream) -> (f64, f64) {
        match self {
            Self::Users { count, requests, window } => (f64::from(count.sample(stream)) * *requests, *window),
            Self::States { states, next } => {
                let (rate, stay) = &states[*next];
                *next = (*next + 1) % states.len();
                (*rate, stay.sample(stream))
            }
        }
    }
}
