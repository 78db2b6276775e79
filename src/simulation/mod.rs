//! The simulation: a world, and the `Tick` schedule that advances it. `dispatch` passes each event to its handler.
//!
//! A tick has a window of virtual time. The dispatch system takes every event of the window, strictly in order, and
//! passes it to its part. The result therefore does not depend on the width of the windows. The columns of hot
//! components are borrowed once per tick. Only a structural change of the world can enlarge the pool of requests: when
//! the pool is full, dispatch returns, the next set grows the pool, and the same tick runs again.
//!
//! Handling an event includes everything that follows at the same time without a delay: a request that passes a link
//! without latency is delivered immediately, before any other event that is due at that time.

mod build;
mod collect;
mod dispatch;

use bevy_ecs::prelude::*;
use bevy_ecs::schedule::{ScheduleLabel, SingleThreadedExecutor};
use bevy_ecs::system::RunSystemOnce;

use crate::engine::hash::StableHasher;
use crate::engine::queue::EventQueue;
use crate::engine::time::SimTime;
use crate::event::{Node, PackedEvent};
use crate::metrics::figures::NodeFigures;
use crate::metrics::result::{ConservationError, RunIdentity, RunResult, Stopped};
use crate::metrics::timeline::TimelineRecorder;
use crate::model::problem::Problem;
use crate::model::source::Source;
use crate::model::source::arrivals::trace::TraceError;
use crate::model::trace::{TraceRecord, Tracer};
use crate::request::{RequestPool, grow_pool};

pub use crate::request::{LogLevel, default_max_in_flight};
use crate::scenario::Scenario;

/// The schedule of a tick. It runs repeatedly until the window is done.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tick;

/// The sets of the [`Tick`] schedule, in the order in which they run.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TickSystems {
    /// Takes the events of the window and handles them. Reads and writes everything.
    Dispatch,
    /// Grows the pool of requests if it is full. Changes the structure of the world.
    Grow,
}

/// The window of a tick, and how dispatch left it.
#[derive(Resource, Clone, Copy, Debug)]
pub struct TickWindow {
    /// The end of the window: later events are left for another tick.
    horizon: SimTime,
    /// Number of further events after which dispatch returns to the caller.
    budget: u64,
    status: Status,
}

/// How dispatch left the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// All events up to the horizon were handled.
    Done,
    /// The budget is used up.
    OutOfBudget,
    /// The pool of requests has no free row for the next request.
    PoolFull,
}

/// The number of events of a run, and its fingerprint.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct RunDigest {
    /// Number of handled events, without samples of probes and intervals of the timeline.
    pub events: u64,
    /// Hash over the time, kind, node and request of each event.
    pub fingerprint: StableHasher,
}

/// Options of a run that are not part of its scenario.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// The seed. `None`: the seed of the scenario.
    pub seed: Option<u64>,
    /// The number of the replication. Each has its own random numbers for the same seed.
    pub replication: u64,
    /// The records of requests to keep.
    pub log: LogLevel,
    /// The number of requests in flight at which the run stops. `None`: [`default_max_in_flight`], which 8 GiB of memory
    /// hold.
    pub max_in_flight: Option<u64>,
}

/// A run of a scenario in virtual time.
pub struct Simulation {
    world: World,
    tick: Schedule,
    end: SimTime,
}

/// The reason why a run has no result.
#[derive(Debug)]
pub enum RunError {
    /// The scenario has problems.
    Scenario(Vec<Problem>),
    /// The outcomes of the requests do not add up, which is a bug of the simulator.
    Conservation(ConservationError),
    /// Too many requests were in flight.
    Stopped(Stopped),
    /// A file that the run reads could not be read to its end: a trace.
    Input(TraceError),
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scenario(problems) => {
                for (i, problem) in problems.iter().enumerate() {
                    write!(f, "{}{problem}", if i > 0 { "\n" } else { "" })?;
                }
                Ok(())
            }
            Self::Conservation(error) => error.fmt(f),
            Self::Stopped(stopped) => stopped.fmt(f),
            Self::Input(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RunError {}

/// Runs a scenario from start to end. The result depends only on the scenario, the options and the version of this
/// crate. Can be called from many threads.
///
/// # Errors
/// If the scenario has problems, if too many requests were in flight, if a trace could not be read, or if the outcomes of the
/// requests do not add up (a bug of the simulator).
pub fn run(scenario: &Scenario, options: RunOptions) -> Result<RunResult, RunError> {
    let mut simulation = Simulation::new(scenario, options).map_err(RunError::Scenario)?;
    simulation.advance(simulation.end(), u64::MAX);
    let result = simulation.finish()?;
    result.stopped.clone().map_or(Ok(result), |stopped| Err(RunError::Stopped(stopped)))
}

impl Simulation {
    /// Builds a world for the scenario.
    ///
    /// # Errors
    /// All problems of the scenario.
    ///
    /// # Panics
    /// Never: a built world has all resources that dispatch borrows.
    pub fn new(scenario: &Scenario, options: RunOptions) -> Result<Self, Vec<Problem>> {
        let mut world = World::new();
        let end = SimTime::ZERO + scenario.run_until;
        let estimates = build::build(scenario, options, &mut world)?;
        world.insert_resource(TimelineRecorder::new(end, estimates));
        world
            .run_system_once(dispatch::lay_out)
            .expect("a built world has all resources that dispatch borrows");
        let mut tick = Schedule::new(Tick);
        // With the feature `viz`, bevy_ecs runs schedules on many threads by default. A run uses one.
        tick.set_executor(SingleThreadedExecutor::new());
        tick.configure_sets((TickSystems::Dispatch, TickSystems::Grow).chain());
        tick.add_systems((
            dispatch::dispatch.in_set(TickSystems::Dispatch),
            grow_pool.run_if(pool_is_full).in_set(TickSystems::Grow),
        ));
        world.insert_resource(TickWindow { horizon: SimTime::ZERO, budget: 0, status: Status::Done });
        Ok(Self { world, tick, end })
    }

    /// When the run ends.
    #[must_use]
    pub const fn end(&self) -> SimTime {
        self.end
    }

    /// The time of the last handled event.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.world.resource::<EventQueue<PackedEvent>>().now()
    }

    /// Number of events handled so far.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.world.resource::<RunDigest>().events
    }

    /// Hash over all events handled so far.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.world.resource::<RunDigest>().fingerprint.finish()
    }

    /// The world, read-only.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// For each of these nodes, the share of each of its resources that is in use at a time up to which the run has
    /// [advanced](Simulation::advance), and the number of requests that wait for it.
    pub fn resource_levels(&mut self, nodes: &[Node], at: SimTime) -> Vec<Vec<[f64; 2]>> {
        collect::resource_levels_at(&mut self.world, nodes, at)
    }

    /// The figures of a node at a time up to which the run has [advanced](Simulation::advance).
    ///
    /// # Panics
    /// Never: a built world has all components that figures are read from.
    pub fn figures(&mut self, node: Node, at: SimTime) -> NodeFigures {
        let (from, at) = (self.world.resource::<RunIdentity>().measured_from, at.max(self.now()));
        collect::figures_at(&mut self.world, node, at, from)
    }

    /// Starts recording every step of every request, for [`Simulation::take_trace`].
    pub fn enable_tracing(&mut self) {
        self.world.resource_mut::<Tracer>().enable();
    }

    /// Takes the steps recorded since the last call. Empty unless tracing is [enabled](Simulation::enable_tracing).
    pub fn take_trace(&mut self) -> Vec<TraceRecord> {
        self.world.resource_mut::<Tracer>().take()
    }

    /// Handles all events up to and including `horizon` (at most the end of the run), or until `budget` events were
    /// handled. May exceed the budget by the events that follow the last one at the same time without a delay. Returns
    /// false if the budget was used up: there are further events to handle. A run that [is full](Self::is_full) handles
    /// no further events.
    pub fn advance(&mut self, horizon: SimTime, budget: u64) -> bool {
        let horizon = horizon.min(self.end);
        self.world.insert_resource(TickWindow { horizon, budget, status: Status::PoolFull });
        loop {
            self.tick.run(&mut self.world);
            match self.world.resource::<TickWindow>().status {
                Status::Done => return true,
                Status::OutOfBudget => return false,
                Status::PoolFull if self.is_full() => return true,
                Status::PoolFull => {}
            }
        }
    }

    /// Whether the run has stopped early because the maximum number of requests are in flight.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.world.resource::<RequestPool>().is_full()
    }

    /// Appends changes to the run: `scenario` is the scenario of the run with further changes at the end of its list.
    /// They must be later than [`Simulation::now`]. From now on, the run is the run of `scenario`.
    ///
    /// # Errors
    /// All problems of the scenario, or a change that is too late; the run is unchanged.
    pub fn append_changes(&mut self, scenario: &Scenario) -> Result<(), Vec<Problem>> {
        build::append_changes(scenario, &mut self.world)
    }

    /// Why the arrivals of a source have ended early: its trace could not be read as before the run. Such a run has no
    /// result.
    pub fn failure(&mut self) -> Option<TraceError> {
        let mut sources = self.world.query::<&Source>();
        sources.iter(&self.world).find_map(|source| source.arrivals.0.failure().cloned())
    }

    /// Ends the run and collects its result: up to the present time if the run [is full](Self::is_full).
    ///
    /// # Errors
    /// If a trace could not be read to its end, or if the outcomes of the requests do not add up, which is a bug of the
    /// simulator.
    pub fn finish(mut self) -> Result<RunResult, RunError> {
        if let Some(error) = self.failure() {
            return Err(RunError::Input(error));
        }
        let end = if self.is_full() { self.now() } else { self.end };
        collect::collect(&mut self.world, end).map_err(RunError::Conservation)
    }
}

fn pool_is_full(window: Res<TickWindow>) -> bool {
    window.status == Status::PoolFull
}
