//! Arrivals as written in a scenario.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::rate::{ExactTime, RateProfile, RateSpec};
use super::batches::Batches;
use super::closed_loop::{ClosedLoop, UserStage};
use super::modulated::{Modulated, RateState};
use super::trace::{Replay, TraceFile};
use super::users::SessionSpec;
use super::{ArrivalProcess, Pattern};
use crate::engine::distribution::{CountSpec, DistributionSpec};
use crate::engine::spec_error::SpecError;
use crate::engine::time::{NANOS_PER_SECOND, SimDuration, SimTime};
use crate::engine::units::Rate;

/// Arrivals as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ArrivalsSpec {
    /// Deterministic: an arrival each time the integral of the rate grows by 1.
    Constant {
        /// The rate, constant or varying over time.
        rate: RateSpec,
    },
    /// A Poisson process: independent arrivals, as from many users who each send rarely.
    Poisson {
        /// The expected rate, constant or varying over time.
        rate: RateSpec,
    },
    /// A renewal process: independent gaps of any distribution.
    Renewal {
        /// Time from one arrival to the next; its mean must be above 0.
        gap: DistributionSpec<SimDuration>,
    },
    /// Users who each send requests at random times. How many there are is drawn anew in each window.
    Users {
        /// The number of users.
        count: CountSpec,
        /// Requests of each user.
        requests: Rate,
        /// The length of a window. The first one begins with the source.
        #[serde(default = "minute")]
        window: SimDuration,
    },
    /// A Poisson process whose rate follows states in order, again and again: calm and bursts. With exponential stays, a
    /// Markov-modulated Poisson process.
    Mmpp {
        /// The states. The source begins with the first.
        states: Vec<RateState>,
    },
    /// Batches of requests that arrive at the same time.
    Batches {
        /// When batches arrive.
        of: Box<Self>,
        /// How many requests each has; the mean is 1 or more. Batches without requests are passed over.
        size: CountSpec,
    },
    /// Users who each think, send a request, wait until it has ended, and think again.
    ClosedLoop {
        /// The number of users.
        users: u32,
        /// Changes of their number, in order of time. New users begin with a think time; those who are too many leave with
        /// their next response.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        stages: Vec<UserStage>,
        /// How long they think; the mean is above 0. Either this or `pace` is given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        think: Option<DistributionSpec<SimDuration>>,
        /// The time between two requests that a user intends to keep. After a late response the next request is sent at once.
        /// The latency from the intended time is reported too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pace: Option<SimDuration>,
        /// The sessions of users, whose requests have the same key; by default there are none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<SessionSpec>,
    },
    /// The requests of a CSV file, one a line.
    Trace {
        /// The file, relative to the directory of the scenario.
        file: TraceFile,
        /// How many times as fast as recorded it is replayed; above 0.
        #[serde(default = "as_recorded")]
        speed: f64,
        /// Whether it begins again after its last request, and goes on until the source stops.
        #[serde(default)]
        repeat: bool,
    },
}

const fn as_recorded() -> f64 {
    1.0
}

const fn minute() -> SimDuration {
    SimDuration::from_nanos(60 * NANOS_PER_SECOND)
}

/// The maximum number of times that a rate changes by chance in a run: more take longer than the requests.
const MAX_CHANGES: f64 = 1e8;

impl ArrivalsSpec {
    /// The scheduled periods of the rate: start, end (`None` if it has none), and the rate as text.
    #[must_use]
    pub fn phases(&self) -> Vec<(SimDuration, Option<SimDuration>, String)> {
        match self {
            Self::Constant { rate } | Self::Poisson { rate } => rate.phases(),
            Self::Batches { of, .. } => of.phases(),
            Self::ClosedLoop { stages, .. } => {
                let ends = stages.iter().skip(1).map(|next| Some(next.at)).chain([None]);
                let phase = |(stage, end): (&UserStage, _)| (stage.at, end, format!("{} users", stage.users));
                stages.iter().zip(ends).map(phase).collect()
            }
            Self::Renewal { .. } | Self::Users { .. } | Self::Mmpp { .. } | Self::Trace { .. } => Vec::new(),
        }
    }

    /// The rate, or `None` if it is not constant.
    #[must_use]
    pub const fn steady_rate(&self) -> Option<Rate> {
        match self {
            Self::Constant { rate: RateSpec::Constant(rate) }
            | Self::Poisson { rate: RateSpec::Constant(rate) } => Some(*rate),
            Self::Constant { .. }
            | Self::Poisson { .. }
            | Self::Renewal { .. }
            | Self::Users { .. }
            | Self::Mmpp { .. }
            | Self::Batches { .. }
            | Self::ClosedLoop { .. }
            | Self::Trace { .. } => None,
        }
    }

    /// The same arrivals with the rate multiplied by `factor`, or `None` if they do not follow a rate, or the product is not
    /// a valid one.
    #[must_use]
    pub fn times(&self, factor: f64) -> Option<Self> {
        match self {
            Self::Constant { rate } => Some(Self::Constant { rate: rate.times(factor)? }),
            Self::Poisson { rate } => Some(Self::Poisson { rate: rate.times(factor)? }),
            Self::Batches { of, size } => {
                Some(Self::Batches { of: Box::new(of.times(factor)?), size: *size })
            }
            Self::Renewal { .. }
            | Self::Users { .. }
            | Self::Mmpp { .. }
            | Self::ClosedLoop { .. }
            | Self::Trace { .. } => None,
        }
    }

    /// The period of the rate, or `None` if it does not repeat.
    #[must_use]
    pub fn period(&self) -> Option<SimDuration> {
        match self {
            Self::Constant { rate } | Self::Poisson { rate } => rate.period(),
            Self::Batches { of, .. } => of.period(),
            Self::Trace { file, speed, repeat } => {
                let period = file.scan().period().filter(|_| *repeat)?;
                Some(SimDuration::from_nanos_f64(period.as_nanos_f64() / speed))
            }
            Self::Renewal { .. } | Self::Users { .. } | Self::Mmpp { .. } | Self::ClosedLoop { .. } => None,
        }
    }

    /// The variance of the number of arrivals in a long time over its mean, at a constant rate: 0 for regular arrivals, 1
    /// for Poisson arrivals, the squared coefficient of variation of the gaps of a renewal process, which may be infinite
    /// (Cox: "Renewal theory", 1962).
    #[must_use]
    pub fn dispersion(&self) -> f64 {
        match self {
            Self::Constant { .. } => 0.0,
            // In a closed loop at most that: no more users send than are there.
            Self::Poisson { .. } | Self::ClosedLoop { .. } => 1.0,
            Self::Renewal { gap } => {
                let Ok(gap) = gap.resolve() else { return 1.0 };
                let relative = if gap.mean() > 0.0 { gap.sd() / gap.mean() } else { 0.0 };
                relative * relative
            }
            Self::Users { count, requests, window } => {
                let users = |count| Modulated::users(count, *requests, *window, SimTime::ZERO);
                count.resolve().map_or(1.0, |count| users(count).dispersion())
            }
            Self::Mmpp { states } => {
                Modulated::states(states, SimTime::ZERO).map_or(1.0, |states| states.dispersion())
            }
            Self::Batches { of, size } => {
                size.resolve().map_or(1.0, |size| Batches::dispersion(of.dispersion(), &size))
            }
            Self::Trace { file, .. } => file.scan().dispersion,
        }
    }

    /// Checks the parameters, and that the rate does not change too often in a run of this length.
    ///
    /// # Errors
    /// If the parameters are invalid or it does, with the field and a hint.
    pub fn check(&self, run: SimDuration) -> Result<(), SpecError> {
        let length = self.resolve(SimTime::ZERO)?.mean_length().unwrap_or(f64::INFINITY);
        let changes = run.as_nanos_f64() / length;
        if changes <= MAX_CHANGES {
            return Ok(());
        }
        let message = format!(
            "the rate changes {changes:.1e} times in the run, of which at most {MAX_CHANGES:.0e} are possible: use \
             longer times, or a shorter run"
        );
        Err(self.at_changes(message))
    }

    /// An error in the field that says how often the rate changes by chance.
    fn at_changes(&self, message: String) -> SpecError {
        match self {
            Self::Users { .. } => SpecError::at("window", message),
            Self::Mmpp { .. } => SpecError::at("states", message),
            Self::Batches { of, .. } => of.at_changes(message).inside("of"),
            Self::Constant { .. }
            | Self::Poisson { .. }
            | Self::Renewal { .. }
            | Self::ClosedLoop { .. }
            | Self::Trace { .. } => SpecError::at("", message),
        }
    }

    /// Checks the parameters and builds the process, which begins at `start`: at a constant rate, the first arrival
    /// comes one gap later. Rates that vary over time still count from the start of the run.
    ///
    /// # Errors
    /// If the parameters are invalid, with the field and a hint.
    pub fn resolve(&self, start: SimTime) -> Result<ArrivalProcess, SpecError> {
        let profile = |rate: &RateSpec| rate.resolve().map_err(|error| error.inside("rate"));
        let pattern = match self {
            Self::Constant { rate } => Pattern::Regular(profile(rate)?),
            Self::Poisson { rate } => match profile(rate)? {
                RateProfile::Constant(rate) => {
                    Pattern::SteadyPoisson { gap: NANOS_PER_SECOND as f64 / rate.as_per_second() }
                }
                profile @ (RateProfile::Piecewise(_)
                | RateProfile::Sine(_)
                | RateProfile::Cycle(_)
                | RateProfile::Sum(_)) => Pattern::Poisson(profile),
            },
            Self::Renewal { gap } => {
                let gap = gap.resolve().map_err(|error| error.inside("gap"))?;
                if gap.mean() <= 0.0 {
                    return Err(SpecError::at(
                        "gap",
                        "the mean gap is 0s: infinitely many requests would arrive at once; use a mean above 0s",
                    ));
                }
                Pattern::Renewal(gap)
            }
            Self::Users { count, requests, window } => {
                let count = count.resolve().map_err(|error| error.inside("count"))?;
                if window.is_zero() {
                    let message = "the window is 0s: use a duration above 0s like \"60s\"";
                    return Err(SpecError::at("window", message));
                }
                Pattern::Modulated(Box::new(Modulated::users(count, *requests, *window, start)))
            }
            Self::Mmpp { states } => {
                let states = Modulated::states(states, start).map_err(|error| error.inside("states"))?;
                Pattern::Modulated(Box::new(states))
            }
            Self::ClosedLoop { users, stages, think, pace, session } => {
                let individual = (*pace, session.as_ref());
                let users = ClosedLoop::new(*users, stages, think.as_ref(), individual, start)?;
                Pattern::ClosedLoop(Box::new(users))
            }
            Self::Trace { file, speed, repeat } => {
                if !(*speed > 0.0 && speed.is_finite()) {
                    let message = format!(
                        "a speed of {speed} is impossible: use a number above 0, such as 2.0 for twice as fast"
                    );
                    return Err(SpecError::at("speed", message));
                }
                let scan = file.scan();
                if *repeat && scan.error_count == 0 && scan.period().is_none() {
                    let message = "all requests of the trace come at the same time, so that it cannot be repeated: \
                                   leave this out";
                    return Err(SpecError::at("repeat", message));
                }
                Pattern::Trace(Box::new(Replay::new(file, *speed, *repeat, start)))
            }
            Self::Batches { of, size } => {
                if let Some(message) = of.why_no_batches() {
                    return Err(SpecError::at("of", message));
                }
                let of = of.resolve(start).map_err(|error| error.inside("of"))?;
                let size = size.resolve().map_err(|error| error.inside("size"))?;
                if size.mean() < 1.0 {
                    let message =
                        format!("the mean size of {} is below 1: most batches would be empty", size.mean());
                    return Err(SpecError::at("size", message));
                }
                Pattern::Batches(Box::new(Batches::new(of, size)))
            }
        };
        Ok(ArrivalProcess { pattern, position: ExactTime::at(start) })
    }

    /// Why batches cannot arrive like this, or `None` if they can.
    const fn why_no_batches(&self) -> Option<&'static str> {
        match self {
            Self::ClosedLoop { .. } => {
                Some("users of a closed loop send one request at a time, and no batches: use other arrivals")
            }
            Self::Trace { .. } => Some(
                "a trace has a line for each request, and no batches: write a line for each request of a batch, \
                 with the same time",
            ),
            Self::Constant { .. }
            | Self::Poisson { .. }
            | Self::Renewal { .. }
            | Self::Users { .. }
            | Self::Mmpp { .. }
            | Self::Batches { .. } => None,
        }
    }

    /// The trace, if these are the requests of one.
    #[must_use]
    pub fn trace(&self) -> Option<&TraceFile> {
        if let Self::Trace { file, .. } = self { Some(file) } else { None }
    }

    /// When the first request of a trace comes, counted from the start of the source; `None` if these are no such requests, or
    /// there is none.
    pub(in super::super) fn first_of_trace(&self) -> Option<SimDuration> {
        let Self::Trace { file, speed, .. } = self else { return None };
        let scan = file.scan();
        (scan.requests > 0).then(|| SimDuration::from_nanos_f64(scan.first.as_nanos_f64() / speed))
    }

    /// Whether requests have [`Extras`](crate::request::Extras).
    pub(crate) const fn gives_extras(&self) -> bool {
        match self {
            Self::Trace { .. } => true,
            Self::ClosedLoop { pace, session, .. } => pace.is_some() || session.is_some(),
            Self::Constant { .. }
            | Self::Poisson { .. }
            | Self::Renewal { .. }
            | Self::Users { .. }
            | Self::Mmpp { .. }
            | Self::Batches { .. } => false,
        }
    }

    /// Whether users keep a pace, so that requests have an intended time.
    pub(in super::super) const fn has_pace(&self) -> bool {
        matches!(self, Self::ClosedLoop { pace: Some(_), .. })
    }

    /// Sets the directory that the names of files start from.
    pub(crate) fn locate(&mut self, directory: &Path) {
        if let Self::Trace { file, .. } = self {
            file.locate(directory);
        }
    }
}
