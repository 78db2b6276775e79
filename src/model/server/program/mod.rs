//! The program of a server: the steps that a request takes while it holds a slot, and the resources that they use.
//!
//! `spec` and `call_spec` have the scenario format, `check` its checks. `code` turns steps into operations, `run` and
//! `runner` take them, and `join` handles what they wait for: calls to other nodes, and branches. `resource` is what they
//! compete for, `pace` how fast they compute.
//!
//! A server with a `service` time and no calls has no program: most servers of most scenarios, which then cost less.

mod call_spec;
mod check;
mod code;
mod join;
mod pace;
mod resource;
mod run;
mod runner;
pub(super) mod shown;
mod spec;

use std::collections::VecDeque;
use std::sync::Arc;

pub use call_spec::{CallSpec, CallSpecs, OnFailure};
pub use spec::{EndpointSpec, EndpointSpecs, JoinSpec, SharingSpec, StepSpec};

use self::code::Code;
use self::pace::Pace;
pub(super) use self::resource::Resource;
pub(super) use self::run::RUN;
pub(super) use self::runner::start_time;
use super::slots::SlotRules;
use super::slowdown::SlowdownSpec;
use super::spec::UNLIMITED;
use super::{InFlight, ServerSpec};
use crate::engine::random::RandomStream;
use crate::engine::statistics::{Tally, TimeWeighted};
use crate::engine::time::SimTime;
use crate::event::RequestRow;
use crate::model::Destinations;
use crate::model::build::Builder;
use crate::model::names::{NamedGroup, Names};
use crate::request::ReportedLoad;
use crate::request::progress::Breakdown;

/// The program of a server, with its resources and counters.
#[derive(Clone, Debug)]
pub(super) struct Program {
    code: Arc<Code>,
    /// The rules of the slots, if there are any.
    pub(super) rules: Option<Box<SlotRules>>,
    /// The computations and services, if their speed may change while they go on.
    pace: Option<Box<Pace>>,
    /// By how much the requests in service slow each other down.
    pub(super) slowdown: Option<SlowdownSpec>,
    /// The nodes that it calls, in the order of [`Code::called`].
    called: Box<[Destinations]>,
    /// The random streams of its operations, in the order of [`Code::draws`].
    streams: Box<[RandomStream]>,
    /// The random stream by which it picks endpoints.
    choice: RandomStream,
    /// The cores, or `None` if there is one for every request.
    pub(super) cores: Option<Resource>,
    /// The memory, or `None` if no step takes any.
    pub(super) memory: Option<Resource>,
    /// The pools, in the order of the scenario.
    pub(super) pools: Box<[Resource]>,
    /// Index of the first of these among the resources of the server: 1 if its slots come before them.
    first_resource: u16,
    /// When its statistics began.
    measured_from: SimTime,
    /// Requests and branches whose next step is due in this instant. For each there is an event that takes one of them.
    runnable: VecDeque<RequestRow>,
    /// Computing times of requests, with those of the branches that they went on with.
    cpu_time: Tally,
    /// Number of branches that have not ended.
    pub(super) branches: u32,
    /// Number of requests and branches that wait for I/O, over time.
    pub(super) io: TimeWeighted,
    /// The calls.
    pub(super) calls: CallCounters,
    /// The endpoints, in the order of the scenario.
    pub(super) endpoints: Box<[EndpointCounters]>,
}

/// Counters and times of the calls that a server makes.
#[derive(Clone, Debug, Default)]
pub(super) struct CallCounters {
    /// Whether its program has calls.
    pub(super) are_made: bool,
    /// Whether it may give up calls.
    pub(super) have_timeouts: bool,
    /// Calls made.
    pub(super) made: u64,
    /// Calls that failed while the server waited for them, those that it gave up included.
    pub(super) failed: u64,
    /// Calls that the server gave up after their timeout.
    pub(super) timed_out: u64,
    /// How long the server waited for calls, until they came back or it gave them up.
    pub(super) time: Tally,
    /// Number of requests in slots, and of branches, that wait for calls, over time.
    pub(super) waiting: TimeWeighted,
}

/// Counters and times of an endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct EndpointCounters {
    /// Requests that were served, those that were answered with an error included.
    pub(super) completed: u64,
    /// Requests that were answered with an error.
    pub(super) failed: u64,
    /// Time from the arrival of a request at the server to its departure.
    pub(super) latency: Tally,
    /// The sum of these times by activity, in nanoseconds.
    pub(super) spent: Breakdown,
}

impl Program {
    /// The programs of the members of an entry, in order; empty if its servers need none. A server that fails by a fault needs
    /// one.
    pub(super) fn build(
        spec: &ServerSpec,
        entry: &NamedGroup,
        fails: bool,
        builder: &mut Builder<'_>,
    ) -> Vec<Self> {
        let service_alone = || fails.then(|| Code::of_service(&[], builder.names));
        let Some(code) = spec.code(builder.names).or_else(service_alone) else { return Vec::new() };
        let code = Arc::new(code);
        let mut called: Vec<Vec<Destinations>> = vec![Vec::new(); entry.members.len()];
        for to in &code.called {
            let destinations = builder.destinations(entry, std::slice::from_ref(to));
            called.iter_mut().zip(destinations).for_each(|(all, to)| all.push(to));
        }
        let program = |(name, called): (&String, Vec<Destinations>)| Self {
            called: called.into(),
            rules: SlotRules::new(spec),
            pace: Pace::new(spec),
            slowdown: spec.slowdown.clone(),
            streams: code.draws.iter().map(|place| builder.stream(name, place)).collect(),
            choice: builder.stream(name, "endpoint"),
            cores: spec.cores.map(|cores| Resource::new(cores.into())),
            memory: spec.memory.map(|memory| Resource::new(memory.as_u64())),
            pools: spec.pools.values().map(|places| Resource::new((*places).into())).collect(),
            measured_from: SimTime::ZERO,
            first_resource: u16::from(spec.concurrency().is_some()),
            runnable: VecDeque::new(),
            cpu_time: Tally::default(),
            branches: 0,
            io: TimeWeighted::default(),
            calls: CallCounters {
                are_made: !code.called.is_empty(),
                have_timeouts: code.have_timeouts(),
                ..CallCounters::default()
            },
            endpoints: vec![EndpointCounters::default(); code.endpoints.len()].into(),
            code: Arc::clone(&code),
        };
        entry.members.iter().zip(called).map(program).collect()
    }

    /// The load that a response reports if the number of slots is unlimited: that of the cores; `None` if it is limited.
    pub(super) fn reported_load(&self, in_flight: &InFlight) -> Option<ReportedLoad> {
        let cores = self.cores.as_ref().filter(|_| in_flight.concurrency == UNLIMITED)?;
        Some(cores.load())
    }

    /// All resources.
    fn resources(&mut self) -> impl Iterator<Item = &mut Resource> {
        self.cores.iter_mut().chain(&mut self.memory).chain(&mut self.pools)
    }

    /// Resets statistics at the end of the warm-up.
    pub(super) fn restart(&mut self, now: SimTime) {
        self.resources().for_each(|resource| resource.restart(now));
        self.io.restart(now);
        self.measured_from = now;
        self.cpu_time.clear();
        self.calls.time.clear();
        self.calls.waiting.restart(now);
        for endpoint in &mut self.endpoints {
            endpoint.latency.clear();
            endpoint.spent = Breakdown::ZERO;
        }
    }
}

impl ServerSpec {
    /// The program of the server, or `None` if it needs none.
    fn code(&self, names: &Names) -> Option<Code> {
        if !self.endpoints.is_empty() {
            let pools: Vec<&str> = self.pools.keys().map(String::as_str).collect();
            return Some(Code::of_endpoints(&self.endpoints, &pools, names));
        }
        self.needs_program().then(|| Code::of_service(&self.call.0, names))
    }

    /// Whether the server does more for a request than a service that takes its time.
    fn needs_program(&self) -> bool {
        !self.endpoints.is_empty() || !self.call.is_empty() || self.has_rules()
    }

    /// The lists of steps of the server.
    fn all_steps(&self) -> impl Iterator<Item = &StepSpec> {
        self.endpoints.values().flat_map(|endpoint| spec::all_steps(&endpoint.steps))
    }

    /// The calls of the server, in the order of the scenario.
    pub(super) fn all_calls(&self) -> impl Iterator<Item = &CallSpec> {
        self.call.0.iter().chain(self.all_steps().filter_map(StepSpec::as_call))
    }

    /// Maximum number of calls and branches that a step starts, or `None` if the server has no program.
    pub(super) fn max_children(&self) -> Option<usize> {
        let of_step = |step: &StepSpec| step.as_call().map_or_else(|| step.branches(), |_| 1);
        if self.endpoints.is_empty() {
            return self.needs_program().then_some(usize::from(!self.call.is_empty()));
        }
        self.all_steps().map(of_step).max().or(Some(0))
    }
}
