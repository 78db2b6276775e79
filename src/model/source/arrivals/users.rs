//! Users of a closed loop who differ from each other: each has a session with a key of its own, or a pace that it keeps.
//!
//! Users without sessions and a pace are only counted, see [`closed_loop`](super::closed_loop).

use rand_distr::Distribution;
use serde::{Deserialize, Serialize};

use crate::engine::distribution::{CountSampler, CountSpec, DistributionSpec, Sampler};
use crate::engine::random::{Draw as _, RandomStream};
use crate::engine::spec_error::SpecError;
use crate::engine::time::{SimDuration, SimTime};

/// The sessions of users of [`ArrivalsSpec::ClosedLoop`](super::ArrivalsSpec::ClosedLoop). All requests of a session have the
/// same key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionSpec {
    /// How many requests it has; the mean is 1 or more. Sessions without requests are passed over, with their pause.
    pub requests: CountSpec,
    /// The time from its last response to the first request of the next session.
    pub pause: DistributionSpec<SimDuration>,
}

/// A session, ready to draw from.
#[derive(Clone, Debug)]
struct Session {
    requests: CountSampler,
    pause: Sampler,
}

/// A user.
#[derive(Clone, Copy, Debug, Default)]
struct User {
    /// The key of its session, once it has sent a request.
    key: Option<u32>,
    /// How many requests of its session have not ended.
    left: u32,
    /// When it intends to send its current request.
    intended: SimTime,
}

/// Users by number.
#[derive(Clone, Debug)]
pub(super) struct Users {
    session: Option<Session>,
    pace: Option<SimDuration>,
    users: Vec<User>,
    /// The numbers of users who have left.
    free: Vec<u32>,
    /// Random numbers for sessions, pauses and the first request of each; made with the first of them.
    stream: Option<RandomStream>,
}

impl Users {
    /// Users with sessions or a pace, or `None` if they have neither.
    pub(super) fn new(
        session: Option<&SessionSpec>,
        pace: Option<SimDuration>,
    ) -> Result<Option<Box<Self>>, SpecError> {
        if pace.is_some_and(SimDuration::is_zero) {
            let message = "the pace is 0s: use a duration above 0s like \"1s\"";
            return Err(SpecError::at("pace", message));
        }
        let session = session.map(Session::new).transpose().map_err(|error| error.inside("session"))?;
        let are_needed = session.is_some() || pace.is_some();
        let users = Self { session, pace, users: Vec::new(), free: Vec::new(), stream: None };
        Ok(are_needed.then(|| Box::new(users)))
    }

    /// Lets a user come, who sends the first request after a think time, which `think` draws, or at a random time within the pace. Returns the
    /// number of the user, and when.
    pub(super) fn come(
        &mut self,
        now: SimTime,
        think: impl FnOnce(&mut RandomStream) -> SimDuration,
        stream: &mut RandomStream,
    ) -> (u32, SimTime) {
        let own = self.stream.get_or_insert_with(|| stream.fork());
        let until_first = match self.pace {
            Some(pace) => SimDuration::from_nanos(own.below(pace.as_nanos())),
            None => think(stream),
        };
        let mut user = User { intended: now + until_first, ..User::default() };
        if let Some(session) = &self.session {
            session.begin(&mut user, own);
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.users.push(User::default());
            u32::try_from(self.users.len() - 1).unwrap_or(u32::MAX)
        });
        self.users[number as usize] = user;
        (number, user.intended)
    }

    /// Lets a user go on whose request has ended. `think` draws a think time. Returns when the next request is sent.
    pub(super) fn go_on(
        &mut self,
        number: u32,
        now: SimTime,
        think: impl FnOnce(&mut RandomStream) -> SimDuration,
        stream: &mut RandomStream,
    ) -> SimTime {
        let own = self.stream.get_or_insert_with(|| stream.fork());
        let user = &mut self.users[number as usize];
        user.left = user.left.saturating_sub(1);
        match (&self.session, self.pace) {
            (Some(session), _) if user.left == 0 => {
                user.intended = now + session.pause.sample_duration(own);
                session.begin(user, own);
            }
            (_, Some(pace)) => user.intended = user.intended + pace,
            (_, None) => user.intended = now + think(stream),
        }
        user.intended.max(now)
    }

    /// Lets a user leave.
    pub(super) fn leave(&mut self, number: u32) {
        self.free.push(number);
    }

    /// The key of the session of a user, to be drawn if it has none yet; `None` if keys do not belong to sessions.
    pub(super) fn key(&mut self, number: u32) -> Option<&mut Option<u32>> {
        self.session.as_ref()?;
        self.users.get_mut(number as usize).map(|user| &mut user.key)
    }

    /// When a user intends to send the current request; `None` if it keeps no pace.
    pub(super) fn intended(&self, number: u32) -> Option<SimTime> {
        self.pace?;
        self.users.get(number as usize).map(|user| user.intended)
    }
}

impl Session {
    fn new(spec: &SessionSpec) -> Result<Self, SpecError> {
        let requests = spec.requests.resolve().map_err(|error| error.inside("requests"))?;
        if requests.mean() < 1.0 {
            let message =
                format!("the mean of {} is below 1: most sessions would have no request", requests.mean());
            return Err(SpecError::at("requests", message));
        }
        let pause = spec.pause.resolve().map_err(|error| error.inside("pause"))?;
        Ok(Self { requests, pause })
    }

    /// Begins a session of a user, whose first request is intended for the time that is set. Sessions without requests are
    /// passed over.
    fn begin(&self, user: &mut User, stream: &mut RandomStream) {
        user.key = None;
        user.left = self.requests.sample(stream);
        while user.left == 0 {
            user.intended = user.intended + self.pause.sample_duration(stream);
            user.left = self.requests.sample(stream);
        }
    }
}
