//! When requests arrive: the scenario format ([`ArrivalsSpec`]) and the process that draws arrivals
//! ([`ArrivalProcess`]).
//!
//! Each gap starts at the exact time of the last arrival, not at its rounded time: rates are not quantised.

mod batches;
mod closed_loop;
mod modulated;
mod spec;
pub mod trace;
mod users;

use rand_distr::Distribution;

use self::batches::Batches;
pub use self::closed_loop::{ClosedLoop, UserStage};
use self::modulated::Modulated;
pub use self::modulated::RateState;
pub use self::spec::ArrivalsSpec;
use self::trace::{Recorded, Replay, TraceError};
pub use self::users::SessionSpec;
use super::rate::{ExactTime, RateProfile};
use crate::engine::distribution::{Sampler, ziggurat};
use crate::engine::random::RandomStream;
use crate::engine::time::SimTime;

/// Draws the times of arrivals, one after the other.
#[derive(Debug)]
pub struct ArrivalProcess {
    pattern: Pattern,
    /// Exact time of the last arrival.
    position: ExactTime,
}

#[derive(Debug)]
enum Pattern {
    Regular(RateProfile),
    Poisson(RateProfile),
    /// A Poisson process at a constant rate: the common case, which needs no search.
    SteadyPoisson {
        /// Mean gap in nanoseconds; infinite for a rate of 0.
        gap: f64,
    },
    Renewal(Sampler),
    Modulated(Box<Modulated>),
    Batches(Box<Batches>),
    ClosedLoop(Box<ClosedLoop>),
    Trace(Box<Replay>),
}

impl ArrivalProcess {
    /// Mean time between changes of the rate by chance, in nanoseconds, if there are such changes.
    fn mean_length(&self) -> Option<f64> {
        match &self.pattern {
            Pattern::Modulated(rate) => Some(rate.mean_length()),
            Pattern::Batches(batches) => batches.mean_length(),
            Pattern::Regular(_)
            | Pattern::Poisson(_)
            | Pattern::SteadyPoisson { .. }
            | Pattern::Renewal(_)
            | Pattern::ClosedLoop(_)
            | Pattern::Trace(_) => None,
        }
    }

    /// The users of a closed loop, whose arrivals are not drawn in advance.
    #[inline]
    pub fn closed_loop(&mut self) -> Option<&mut ClosedLoop> {
        if let Pattern::ClosedLoop(users) = &mut self.pattern { Some(users) } else { None }
    }

    /// What a trace says of the current request, whose time was drawn before the last one.
    pub fn recorded(&self) -> Option<&Recorded> {
        if let Pattern::Trace(replay) = &self.pattern { replay.due() } else { None }
    }

    /// Why there are no more arrivals, if a trace could not be read.
    #[must_use]
    pub fn failure(&self) -> Option<&TraceError> {
        if let Pattern::Trace(replay) = &self.pattern { replay.failure() } else { None }
    }

    /// Draws the time of the next arrival, which is not before the last one, or `None` if there are no more arrivals, or if
    /// they follow responses.
    #[inline(always)]
    pub fn next(&mut self, stream: &mut RandomStream) -> Option<SimTime> {
        match &self.pattern {
            Pattern::SteadyPoisson { gap } => {
                self.position.move_by(ziggurat::exponential(stream) * gap)?;
                Some(self.position.time())
            }
            Pattern::Regular(_)
            | Pattern::Poisson(_)
            | Pattern::Renewal(_)
            | Pattern::Modulated(_)
            | Pattern::Batches(_)
            | Pattern::ClosedLoop(_)
            | Pattern::Trace(_) => self.next_uncommon(stream),
        }
    }

    fn next_uncommon(&mut self, stream: &mut RandomStream) -> Option<SimTime> {
        match &mut self.pattern {
            Pattern::SteadyPoisson { gap } => self.position.move_by(ziggurat::exponential(stream) * *gap)?,
            Pattern::Renewal(gap) => self.position.move_by(gap.sample(stream))?,
            Pattern::Regular(profile) => self.position = profile.advance(self.position, 1.0)?,
            Pattern::Poisson(profile) => {
                self.position = profile.advance(self.position, ziggurat::exponential(stream))?;
            }
            Pattern::Modulated(rate) => {
                self.position = rate.advance(self.position, ziggurat::exponential(stream), stream)?;
            }
            Pattern::Batches(batches) => return batches.next(stream),
            Pattern::ClosedLoop(_) => return None,
            Pattern::Trace(replay) => return replay.next(),
        }
        Some(self.position.time())
    }
}

#[cfg(test)]
mod tests;
