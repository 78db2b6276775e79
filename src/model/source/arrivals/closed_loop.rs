//! A closed loop of users: each thinks, sends a request, waits until it has ended, and thinks again.

use serde::{Deserialize, Serialize};

use super::super::rate::{ascending, later};
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::random::RandomStream;
use crate::engine::spec_error::SpecError;
use crate::engine::time::{SimDuration, SimTime};

/// Maximum number of users: each is an event or a request.
const MAX_USERS: u32 = 10_000_000;

/// A change of the number of users of [`ArrivalsSpec::ClosedLoop`](super::ArrivalsSpec::ClosedLoop).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserStage {
    /// When it changes, counted from the start of the run.
    pub at: SimDuration,
    /// The number of users from then on.
    pub users: u32,
}

/// Users who wait for the end of a request before they send the next one.
#[derive(Clone, Debug)]
pub struct ClosedLoop {
    think: Sampler,
    /// The numbers of users, and since when, in order. The first is that at the start.
    stages: Vec<(SimTime, u32)>,
    /// How many users there should be now.
    wanted: u32,
    /// How many there are: more, until those who are not wanted any more have their responses.
    present: u32,
    /// Number of requests that were sent, or will be after a think time.
    requests: u64,
}

impl ClosedLoop {
    /// The users of a source, beginning at `start` with the number of users of that time.
    pub(super) fn new(
        users: u32,
        stages: &[UserStage],
        think: &DistributionSpec<SimDuration>,
        start: SimTime,
    ) -> Result<Self, SpecError> {
        let think = think.resolve().map_err(|error| error.inside("think"))?;
        if think.mean() <= 0.0 {
            let message = "without a think time, a user whose request is rejected sends the next one at once, again \
                           and again: use a mean above 0s like \"1ms\"";
            return Err(SpecError::at("think", message));
        }
        let fields = (0..stages.len()).map(|index| format!("stages[{index}].users"));
        let fields = std::iter::once("users".to_owned()).chain(fields);
        let numbers = std::iter::once(users).chain(stages.iter().map(|stage| stage.users));
        if let Some((field, users)) = fields.zip(numbers).find(|(_, users)| *users > MAX_USERS) {
            let message = format!("{users} users are too many: use at most {MAX_USERS}");
            return Err(SpecError::at(field, message));
        }
        let times: Vec<SimDuration> = stages.iter().map(|stage| stage.at).collect();
        let first = times.first().map(|at| later("[0].at", *at, "the start of the run", SimDuration::ZERO));
        first
            .unwrap_or(Ok(()))
            .and_then(|()| ascending(&times, "stage"))
            .map_err(|error| error.inside("stages"))?;
        let stages = stages.iter().map(|stage| (SimTime::ZERO + stage.at, stage.users));
        let (begun, coming): (Vec<_>, Vec<_>) = stages.partition(|(at, _)| *at <= start);
        let at_start = begun.last().map_or(users, |(_, users)| *users);
        let stages = std::iter::once((start, at_start)).chain(coming).collect();
        Ok(Self { think, stages, wanted: 0, present: 0, requests: 0 })
    }

    /// When the users come: the start.
    pub fn since(&self) -> SimTime {
        self.stages[0].0
    }

    /// The times at which the number of users is set, in order.
    pub fn stage_times(&self) -> Vec<SimTime> {
        self.stages.iter().map(|(at, _)| *at).collect()
    }

    /// Begins a stage. Returns how many users come.
    pub fn begin_stage(&mut self, stage: usize) -> u32 {
        self.wanted = self.stages[stage].1;
        let coming = self.wanted.saturating_sub(self.present);
        self.present += coming;
        coming
    }

    /// Lets a user think who has come, or come back. Returns when the next request is sent; or `None` if the user leaves: is
    /// not wanted any more, or would send it after `stop`, or as more than `max_requests`.
    pub fn think(
        &mut self,
        now: SimTime,
        stop: SimTime,
        max_requests: u64,
        stream: &mut RandomStream,
    ) -> Option<SimTime> {
        let is_wanted = self.present <= self.wanted && self.requests < max_requests;
        let at = is_wanted.then(|| now + self.think.sample_duration(stream)).filter(|at| *at <= stop);
        match at {
            Some(_) => self.requests += 1,
            None => self.present -= 1,
        }
        at
    }
}
