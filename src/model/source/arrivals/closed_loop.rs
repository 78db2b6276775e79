//! A closed loop of users: each thinks, sends a request, waits until it has ended, and thinks again. Users with sessions or a
//! pace have numbers, see [`users`](super::users).

use serde::{Deserialize, Serialize};

use super::super::rate::{ascending, later};
use super::users::{SessionSpec, Users};
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
    /// The think time; `None` if the users keep a pace.
    think: Option<Sampler>,
    /// The users, if they have numbers.
    users: Option<Box<Users>>,
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
        think: Option<&DistributionSpec<SimDuration>>,
        (pace, session): (Option<SimDuration>, Option<&SessionSpec>),
        start: SimTime,
    ) -> Result<Self, SpecError> {
        let think = think_time(think, pace)?;
        let individuals = Users::new(session, pace)?;
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
        Ok(Self { think, users: individuals, stages, wanted: 0, present: 0, requests: 0 })
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

    /// Lets a user think who has come, or come back, then with its number if users have numbers. Returns when the next request
    /// is sent, and the number of the user; or `None` if the user leaves: is not wanted any more, or would send it after `stop`,
    /// or as more than `max_requests`.
    pub fn think(
        &mut self,
        user: Option<u32>,
        now: SimTime,
        stop: SimTime,
        max_requests: u64,
        stream: &mut RandomStream,
    ) -> Option<(SimTime, Option<u32>)> {
        let is_wanted = self.present <= self.wanted && self.requests < max_requests;
        let next = if is_wanted { Some(self.next(user, now, stream)) } else { None };
        if let Some(next) = next.filter(|(at, _)| *at <= stop) {
            self.requests += 1;
            return Some(next);
        }
        self.present -= 1;
        if let (Some(users), Some(number)) = (&mut self.users, next.map_or(user, |(_, user)| user)) {
            users.leave(number);
        }
        None
    }

    /// When a user sends the next request, and the number of the user.
    fn next(&mut self, user: Option<u32>, now: SimTime, stream: &mut RandomStream) -> (SimTime, Option<u32>) {
        let Self { think, users, .. } = self;
        let think = |stream: &mut RandomStream| {
            think.as_ref().map_or(SimDuration::ZERO, |think| think.sample_duration(stream))
        };
        match (users, user) {
            (None, _) => (now + think(stream), None),
            (Some(users), None) => {
                let (number, at) = users.come(now, think, stream);
                (at, Some(number))
            }
            (Some(users), Some(number)) => (users.go_on(number, now, think, stream), Some(number)),
        }
    }

    /// Whether users have numbers.
    #[must_use]
    pub const fn has_numbers(&self) -> bool {
        self.users.is_some()
    }

    /// The key of the session of a user, to be drawn if it has none yet; `None` if keys do not belong to sessions.
    pub fn key_of_session(&mut self, user: u32) -> Option<&mut Option<u32>> {
        self.users.as_mut()?.key(user)
    }

    /// When a user intends to send the current request; `None` if it keeps no pace.
    #[must_use]
    pub fn intended(&self, user: u32) -> Option<SimTime> {
        self.users.as_ref()?.intended(user)
    }
}

/// The sampler of think times, or `None` if the users keep a pace instead.
fn think_time(
    think: Option<&DistributionSpec<SimDuration>>,
    pace: Option<SimDuration>,
) -> Result<Option<Sampler>, SpecError> {
    let Some(think) = think else {
        let message = "it is not said when users send the next request: give a `think` time like \
                       Exponential(mean: \"1s\"), or a `pace` like \"1s\"";
        return if pace.is_some() { Ok(None) } else { Err(SpecError::at("", message)) };
    };
    if pace.is_some() {
        let message = "users either think or keep a pace: leave out one of both";
        return Err(SpecError::at("pace", message));
    }
    let think = think.resolve().map_err(|error| error.inside("think"))?;
    if think.mean() <= 0.0 {
        let message = "without a think time, a user whose request is rejected sends the next one at once, again \
                       and again: use a mean above 0s like \"1ms\"";
        return Err(SpecError::at("think", message));
    }
    Ok(Some(think))
}
