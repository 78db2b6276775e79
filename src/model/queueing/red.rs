//! Random early detection: first in, first out, but requests that arrive are shed with a probability that grows with the
//! average number of those that wait.
//!
//! The average moves slowly, so that bursts pass. Floyd and Jacobson: "Random early detection gateways for congestion
//! avoidance", 1993.

use super::fifo::FifoQueue;
use super::{Discipline, Queue, Turn};
use crate::engine::random::{Draw as _, RandomStream};
use crate::engine::spec_error::SpecError;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::RequestRow;
use crate::request::RequestsView;

discipline! {
    /// The parameters of the discipline, as written in a scenario.
    Red {
        /// No request is shed while the average number of waiting requests is below this.
        pub min: f64,
        /// All are shed while it is this or more (above `min`).
        pub max: f64,
        /// The probability with which a request is shed just below `max` (above 0, up to 1); 0.1 by default.
        #[serde(default = "default_probability")]
        pub probability: f64,
        /// The weight of the number that a request finds, in the average (above 0, up to 1); 0.002 by default.
        #[serde(default = "default_weight")]
        pub weight: f64,
        /// The time by which requests follow each other out of a queue that is not empty (above 0): the mean service time by
        /// the number of slots. For each such time without waiting requests, the average shrinks as if one had arrived.
        pub spacing: SimDuration,
    }
}

const fn default_probability() -> f64 {
    0.1
}

const fn default_weight() -> f64 {
    0.002
}

impl Discipline for Red {
    type Queue = Box<RedQueue>;

    fn check(&self) -> Result<(), SpecError> {
        let is_share = |value: f64| value > 0.0 && value <= 1.0;
        let Self { min, max, probability, weight, spacing, .. } = *self;
        if !(min >= 0.0 && min.is_finite()) {
            Err(SpecError::at("min", "expected a number of requests, 0 or more"))
        } else if !(max > min && max.is_finite()) {
            Err(SpecError::at("max", "expected a number of requests above `min`"))
        } else if !is_share(probability) {
            Err(SpecError::at("probability", "expected a number above 0, and at most 1"))
        } else if !is_share(weight) {
            Err(SpecError::at("weight", "expected a number above 0, and at most 1"))
        } else if spacing.is_zero() {
            Err(SpecError::at("spacing", "it has to be longer than \"0s\""))
        } else {
            Ok(())
        }
    }

    fn sheds(&self) -> bool {
        true
    }

    fn queue(&self, stream: impl FnOnce() -> RandomStream) -> Box<RedQueue> {
        Box::new(RedQueue {
            waiting: FifoQueue::EMPTY,
            parameters: self.clone(),
            average: 0.0,
            since_shed: None,
            empty_since: Some(SimTime::ZERO),
            stream: stream(),
        })
    }

    fn adapt(&self, queue: &mut Box<RedQueue>) {
        queue.parameters = self.clone();
    }
}

/// The waiting requests, and the state of the algorithm.
#[derive(Clone, Debug)]
pub(super) struct RedQueue {
    waiting: FifoQueue,
    parameters: Red,
    /// The average number of waiting requests.
    average: f64,
    /// Number of requests that were admitted since one was shed, or since the average reached `min`; `None` below (`count`, which
    /// is then -1).
    since_shed: Option<u32>,
    /// Since when nobody waits, or `None` if somebody does.
    empty_since: Option<SimTime>,
    stream: RandomStream,
}

impl RedQueue {
    /// Lets the average follow a number of waiting requests that was found by an arrival.
    fn observe(&mut self, now: SimTime, waiting: u32) {
        let Red { weight, spacing, .. } = self.parameters;
        if let Some(since) = self.empty_since {
            let steps = now.since(since).as_nanos() as f64 / spacing.as_nanos() as f64;
            self.average *= libm::pow(1.0 - weight, steps);
        } else {
            self.average += weight * (f64::from(waiting) - self.average);
        }
    }
}

impl Queue for Box<RedQueue> {
    fn admits(&mut self, now: SimTime, waiting: u32) -> bool {
        self.observe(now, waiting);
        let Red { min, max, probability, .. } = self.parameters;
        if self.average < min {
            self.since_shed = None;
            return true;
        }
        // The number of requests between two that are shed is uniform.
        let count = self.since_shed.map_or(0, |count| count + 1);
        let plain = probability * (self.average - min) / (max - min);
        let left = 1.0 - f64::from(count) * plain;
        let is_shed = self.average >= max || left <= plain || self.stream.chance(plain / left);
        self.since_shed = Some(if is_shed { 0 } else { count });
        !is_shed
    }

    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        self.empty_since = None;
        self.waiting.push_back(requests, row);
    }

    fn pop(&mut self, requests: &mut RequestsView<'_>, turn: &mut Turn<'_>) -> Option<RequestRow> {
        let row = self.waiting.pop_front(requests);
        if self.waiting.is_empty() && self.empty_since.is_none() {
            self.empty_since = Some(turn.now);
        }
        row
    }

    fn remove_gone(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        self.waiting.remove_gone(requests)
    }
}
