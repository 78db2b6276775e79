//! The simulation: a world and the `Tick` schedule that drives it. In `dispatch` an event meets its handler.
//!
//! A tick opens a window of virtual time. The dispatch system takes every event inside the window, strictly in order,
//! and hands it to its part; so the width of ticks changes nothing but how often one can look in between. The columns of
//! hot components are borrowed once a tick. When only a change of structure can give what the next event may need (a place
//! for one more request), dispatch returns, the next set makes room, and the tick goes on.
//!
//! The handling of an event includes what follows in the same instant without delay: a request that passes a link
//! without latency is delivered at once, before anything else that is due at that time.

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
use crate::metrics::result::{ConservationError, RunIdentity, RunResult};
use crate::metrics::timeline::TimelineRecorder;
use crate::model::problem::Problem;
use crate::model::trace::{TraceRecord, Tracer};
use crate::request::grow_pool;
use crate::scenario::Scenario;

/// The schedule that is run for each tick, and again until its window is done.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tick;

/// The sets of the [`Tick`] schedule, in the order in which they run.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TickSystems {
    /// Takes the events of the window and handles them. Reads and writes everything.
    Dispatch,
    /// Makes room for more requests where dispatch found none left. Changes the structure of the world.
    Grow,
}

/// The window of a tick and what became of it.
#[derive(Resource, Clone, Copy, Debug)]
pub struct TickWindow {
    /// Events later than this are left for another tick.
    horizon: SimTime,
    /// After how many more events the caller wants to be asked.
    budget: u64,
    status: Status,
}

/// How dispatch left the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// Everything up to the horizon has happened.
    Done,
    /// The budget is used up.
    OutOfBudget,
    /// The last place for a request was taken: the next arrival needs one more.
    OutOfRoom,
}

/// What tells a run from others: how many events it had, and a hash over all of them.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct RunDigest {
    /// Events handled; samples of probes do not count.
    pub events: u64,
    /// Hash over time, kind, node and request of each event.
    pub fingerprint: StableHasher,
}

/// What a run may differ in from its scenario.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// The seed; the scenario's own if it is not given.
    pub seed: Option<u64>,
    /// The number of the replication: each draws other random numbers.
    pub replication: u64,
    /// Keeps a record of every request. Memory grows with their number.
    pub log_requests: bool,
}

/// A run of a scenario in virtual time.
pub struct Simulation {
    world: World,
    tick: Schedule,
    end: SimTime,
}

/// Why a run has no result.
#[derive(Debug)]
pub enum RunError {
    /// The scenario cannot be run.
    Scenario(Vec<Problem>),
    /// A request was lost track of: a mistake of the simulator itself.
    Conservation(ConservationError),
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
        }
    }
}

impl std::error::Error for RunError {}

/// Runs a scenario from its start to its end. The result depends on the scenario, the options and the version of this
/// crate alone; it may be called from many threads.
///
/// # Errors
/// If the scenario cannot be run, or (a mistake of the simulator) a request was lost track of.
pub fn run(scenario: &Scenario, options: RunOptions) -> Result<RunResult, RunError> {
    let mut simulation = Simulation::new(scenario, options).map_err(RunError::Scenario)?;
    simulation.advance(simulation.end(), u64::MAX);
    simulation.finish().map_err(RunError::Conservation)
}

impl Simulation {
    /// A world that is ready to run the scenario.
    ///
    /// # Errors
    /// All that is wrong with the scenario.
    ///
    /// # Panics
    /// Never: a world that was built holds all that dispatch reaches.
    pub fn new(scenario: &Scenario, options: RunOptions) -> Result<Self, Vec<Problem>> {
        let mut world = World::new();
        let end = SimTime::ZERO + scenario.run_until;
        let estimates = build::build(scenario, options, &mut world)?;
        world.insert_resource(TimelineRecorder::new(end, estimates));
        world.run_system_once(dispatch::lay_out).expect("the world holds all that dispatch reaches");
        let mut tick = Schedule::new(Tick);
        // With the visualizer in the build bevy_ecs defaults to many threads; a run has one.
        tick.set_executor(SingleThreadedExecutor::new());
        tick.configure_sets((TickSystems::Dispatch, TickSystems::Grow).chain());
        tick.add_systems((
            dispatch::dispatch.in_set(TickSystems::Dispatch),
            grow_pool.run_if(out_of_room).in_set(TickSystems::Grow),
        ));
        world.insert_resource(TickWindow { horizon: SimTime::ZERO, budget: 0, status: Status::Done });
        Ok(Self { world, tick, end })
    }

    /// When the run ends.
    #[must_use]
    pub const fn end(&self) -> SimTime {
        self.end
    }

    /// The time of the event that was handled last.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.world.resource::<EventQueue<PackedEvent>>().now()
    }

    /// Events handled so far.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.world.resource::<RunDigest>().events
    }

    /// Hash over all events handled so far.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.world.resource::<RunDigest>().fingerprint.finish()
    }

    /// The world, to look at.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// The figures of a node as they are at a moment, up to which the run has [advanced](Simulation::advance).
    ///
    /// # Panics
    /// Never: the world holds all that parts are read from.
    pub fn figures(&mut self, node: Node, at: SimTime) -> NodeFigures {
        let (from, at) = (self.world.resource::<RunIdentity>().measured_from, at.max(self.now()));
        collect::figures_at(&mut self.world, node, at, from)
    }

    /// Begins to record every step of every request, for [`Simulation::take_trace`].
    pub fn enable_tracing(&mut self) {
        self.world.resource_mut::<Tracer>().enable();
    }

    /// Takes the steps that were recorded since the last time, if they are.
    pub fn take_trace(&mut self) -> Vec<TraceRecord> {
        self.world.resource_mut::<Tracer>().take()
    }

    /// Lets everything happen up to and including `horizon` (at most the end of the run), or until `budget` events (or a
    /// few more: those of one instant that follow each other without delay) have been handled. Returns whether the
    /// horizon was reached.
    pub fn advance(&mut self, horizon: SimTime, budget: u64) -> bool {
        let horizon = horizon.min(self.end);
        self.world.insert_resource(TickWindow { horizon, budget, status: Status::OutOfRoom });
        loop {
            self.tick.run(&mut self.world);
            match self.world.resource::<TickWindow>().status {
                Status::Done => return true,
                Status::OutOfBudget => return false,
                Status::OutOfRoom => {}
            }
        }
    }

    /// Takes changes into the run that were added behind the others of its scenario: from now on it is the run of
    /// `scenario`. They have to lie behind all that has happened: later than [`Simulation::now`].
    ///
    /// # Errors
    /// All that is wrong with the scenario, or that a change comes too late; the run is left as it was.
    pub fn append_changes(&mut self, scenario: &Scenario) -> Result<(), Vec<Problem>> {
        build::append_changes(scenario, &mut self.world)
    }

    /// Ends the run and collects its result.
    ///
    /// # Errors
    /// If requests were lost track of: their fates do not add up.
    pub fn finish(mut self) -> Result<RunResult, ConservationError> {
        collect::collect(&mut self.world, self.end)
    }
}

fn out_of_room(window: Res<TickWindow>) -> bool {
    window.status == Status::OutOfRoom
}
