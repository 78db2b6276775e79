//! The server: a queue, a number of slots, and a service time.
//!
//! A request that finds a free slot is served at once. Otherwise it waits in the queue, or is rejected if the queue is
//! full. A response reports the server's load: the share of slots busy after the request has left and before the next
//! one is taken from the queue. So a busy server with ten slots reports 0.9; a rejection reports 1. A server with as many
//! slots as it needs reports the share of its cores that are busy.
//!
//! Instead of a service time, a server may have endpoints (`program`): steps that a request takes while it holds a slot.
//!
//! `spec` has the scenario format, `service` how a request is served, `response` the sizes of responses, `config` the settings that change during a run,
//! `fault` what can happen to it, `lifecycle` how servers come and go, `shown` the metrics and figures.

mod config;
mod fault;
mod lifecycle;
mod program;
mod response;
mod service;
mod shown;
mod slots;
mod slowdown;
mod spec;

use std::ops::Range;

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;

pub use config::ServerConfig;
pub use fault::ServerFault;
pub use program::{
    CallSpec, CallSpecs, EndpointSpec, EndpointSpecs, JoinSpec, OnFailure, SharingSpec, StepSpec,
};
pub use service::Service;
pub use shown::LOST;
pub use slowdown::{FactorSpec, SlowdownSpec};
pub use spec::{ServerSetting, ServerSpec, SizeSpec};

use self::fault::ServerFaults;
use self::lifecycle::Resizing;
use self::program::{Program, RUN};
use self::response::ResponseSizes;
use self::service::{free_slot, lane};
use super::Context;
use super::build::{Builder, CHECKED};
use super::capacity::CapacityLog;
use super::check::Checker;
use super::figure::FigureReader;
use super::metric::{Limit, QUEUE_DEPTH};
use super::names::NamedGroup;
use super::part::{Description, FaultEdge, Part};
use super::queueing::WaitQueue;
use super::trace::{NodeCapacity, TraceEvent};
use crate::engine::row::{Column, Row, column};
use crate::engine::statistics::{Tally, TimeWeighted};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, NO_LINK, NodeKind, PackedEvent, RequestRow};
use crate::request::ReportedLoad;
use crate::request::call::CallPlace;
use crate::request::progress::Phase;
use crate::text::Path;

/// The requests in service at a server, and its effective number of slots.
#[derive(Component, Clone, Debug)]
pub struct InFlight {
    /// Number of requests in service, over time.
    pub level: TimeWeighted,
    /// Effective number of slots: 0 while the server does not serve or is paused. More requests may be in service after
    /// slots were removed.
    pub concurrency: u32,
    /// Whether the server leaves when it has completed its requests.
    is_draining: bool,
    /// Load of one request in service, in billionths.
    load_of_one: f64,
}

impl InFlight {
    /// A server with this many slots and no requests in service.
    #[must_use]
    pub fn new(concurrency: u32) -> Self {
        let mut idle =
            Self { level: TimeWeighted::default(), concurrency: 0, is_draining: false, load_of_one: 0.0 };
        idle.set_concurrency(concurrency);
        idle
    }

    /// Sets the effective number of slots.
    fn set_concurrency(&mut self, concurrency: u32) {
        self.concurrency = concurrency;
        self.load_of_one = ReportedLoad::FULL.as_f64() / f64::from(concurrency.max(1));
    }

    /// The current load.
    #[inline]
    #[must_use]
    pub fn load(&self) -> ReportedLoad {
        self.load_at(self.level.level())
    }

    /// The load that a response reports with `level` requests in service. A server that is paused is full.
    #[inline]
    fn reported_load(&self, level: u32) -> ReportedLoad {
        if self.concurrency == 0 { ReportedLoad::FULL } else { self.load_at(level) }
    }

    /// The load with `level` requests in service: at most [`ReportedLoad::FULL`], even if there are more requests than
    /// slots.
    #[inline]
    fn load_at(&self, level: u32) -> ReportedLoad {
        ReportedLoad::from_billionths(f64::from(level) * self.load_of_one).min(ReportedLoad::FULL)
    }
}

/// Counters and times of the requests at a server.
#[derive(Component, Clone, Debug, Default)]
pub struct ServerCounters {
    /// Requests that arrived.
    pub arrived: u64,
    /// Requests that were served to the end, with those that were answered with an error because a call failed.
    pub completed: u64,
    /// Requests that were rejected, because the queue was full or the server was down.
    pub rejected: u64,
    /// Waiting times of requests that entered service; 0 for those that did not wait.
    pub wait: Tally,
    /// Service times of requests that were served to the end.
    pub service: Tally,
}

/// Maximum number of servers that are built before they are moved into the world: a million would take twice the memory.
const MAX_BATCH: usize = 4096;

/// The components of a server.
#[derive(Bundle, Clone, Debug)]
pub struct Server {
    /// Requests in service.
    pub in_flight: InFlight,
    /// Waiting requests.
    pub queue: WaitQueue,
    /// Service time and destination.
    pub service: Service,
    /// Counters and times.
    pub counters: ServerCounters,
    /// Configuration.
    pub config: ServerConfig,
}

/// All servers, as a system parameter.
#[derive(SystemParam)]
pub struct Columns<'w, 's> {
    in_flight: Query<'w, 's, &'static mut InFlight>,
    queues: Query<'w, 's, &'static mut WaitQueue>,
    service: Query<'w, 's, &'static mut Service>,
    counters: Query<'w, 's, &'static mut ServerCounters>,
    configs: Query<'w, 's, &'static mut ServerConfig>,
}

impl Columns<'_, '_> {
    /// Borrows the columns for one tick.
    pub fn view(&mut self) -> View<'_> {
        View {
            in_flight: column(&mut self.in_flight),
            queues: column(&mut self.queues),
            service: column(&mut self.service),
            counters: column(&mut self.counters),
            configs: column(&mut self.configs),
        }
    }
}

/// All servers by row, as handlers access them.
#[derive(Debug)]
pub struct View<'a> {
    in_flight: Column<'a, Server, InFlight>,
    queues: Column<'a, Server, WaitQueue>,
    service: Column<'a, Server, Service>,
    counters: Column<'a, Server, ServerCounters>,
    configs: Column<'a, Server, ServerConfig>,
}

impl Part for Server {
    const KIND: NodeKind = NodeKind::Server;
    const DESCRIPTION: Description = shown::DESCRIPTION;
    const FIGURES: &'static [FigureReader<Self>] = shown::FIGURES;

    type Spec = ServerSpec;
    type Setting = ServerSetting;
    type Fault = ServerFault;

    fn count(spec: &ServerSpec) -> Option<u32> {
        spec.count.max(spec.max.filter(|_| spec.count.is_some()))
    }

    fn initial_count(spec: &ServerSpec) -> Option<u32> {
        spec.max.and(spec.count)
    }

    fn forwards_to(spec: &ServerSpec) -> Vec<&str> {
        spec.then.as_deref().into_iter().collect()
    }

    fn calls(spec: &ServerSpec) -> Vec<&str> {
        spec.all_calls().map(|call| call.to.as_str()).collect()
    }

    fn endpoints(spec: &ServerSpec) -> Vec<&str> {
        spec.endpoints.keys().map(String::as_str).collect()
    }

    fn resources(spec: &ServerSpec) -> Vec<String> {
        spec.resource_names()
    }

    fn uses(spec: &ServerSpec) -> Vec<&'static str> {
        let ServerSpec { queue, weighted, service, .. } = spec;
        let fields = [
            ("priority", queue.uses_priority()),
            ("deadline", queue.uses_deadline()),
            ("weight", *weighted),
            ("service", service.is_some()),
        ];
        fields.into_iter().filter(|(_, is_used)| *is_used).map(|(field, _)| field).collect()
    }

    fn max_children(spec: &ServerSpec) -> Option<usize> {
        spec.max_children()
    }

    fn sizes(spec: &ServerSpec) -> Vec<&SizeSpec> {
        let of_calls = spec.all_calls().filter_map(|call| call.size.as_deref());
        spec.response_sizes().chain(of_calls).collect()
    }

    fn initial_capacity(spec: &ServerSpec, member: u32) -> Option<NodeCapacity> {
        let state = spec.initial_state(member);
        let (slots, waiting) = if state.serves() { (spec.slots(), spec.queue.bound()) } else { (0, Some(0)) };
        Some(NodeCapacity { state, slots, waiting })
    }

    fn limits(spec: &ServerSpec, owner: &str) -> Vec<Limit> {
        let limit = |capacity| Limit {
            metric: &QUEUE_DEPTH,
            owner: owner.to_owned(),
            value: f64::from(capacity),
            meaning: "queue full",
        };
        spec.queue.bound().map(limit).into_iter().collect()
    }

    fn settings(spec: &ServerSpec) -> Vec<ServerSetting> {
        let mut settings = Vec::from_iter(Self::initial_count(spec).map(ServerSetting::Count));
        settings.extend(spec.concurrency().map(ServerSetting::Concurrency));
        settings.extend(spec.service.clone().map(ServerSetting::Service));
        settings.push(ServerSetting::Queue(spec.queue.clone()));
        settings
    }

    fn outage() -> Option<[ServerSetting; 2]> {
        Some([ServerSetting::Down, ServerSetting::Up])
    }

    fn resize(count: u32) -> Option<ServerSetting> {
        Some(ServerSetting::Count(count))
    }

    fn check(spec: &ServerSpec, path: &Path, checker: &mut Checker<'_>) {
        spec.check(path, checker);
    }

    fn check_setting(setting: &ServerSetting, path: &Path, specs: &[&ServerSpec], checker: &mut Checker<'_>) {
        setting.check(path, specs, checker);
    }

    fn offered_faults(spec: &ServerSpec) -> Vec<ServerFault> {
        ServerFault::offered(spec)
    }

    fn check_fault(fault: &ServerFault, path: &Path, specs: &[&ServerSpec], checker: &mut Checker<'_>) {
        fault.check(path, specs, checker);
    }

    fn build(spec: &ServerSpec, entry: &NamedGroup, builder: &mut Builder<'_>) {
        let time = spec.service_time();
        let lane = lane(&time, &mut builder.queue);
        let destinations = builder.destinations(entry, spec.then.as_slice());
        let faults = builder.faults_of(entry);
        let fails = faults.iter().any(|fault| fault.fails_requests());
        let mut programs = Program::build(spec, entry, fails, builder).into_iter();
        let boot = spec.boot_time().expect(CHECKED);
        let efficiency = slowdown::efficiency(spec.slowdown.as_ref(), spec.slots());
        let Builder { streams, world, .. } = builder;
        let mut servers = (0..).zip(&entry.members).zip(destinations).map(|((member, name), to)| {
            let state = spec.initial_state(member);
            let resizing = || Resizing::new(boot.clone(), streams.stream(name, "boot"), state);
            let joining = spec.has_rules().then(|| spec.joining());
            let mut queue = WaitQueue::new(&spec.queue, joining, |purpose| streams.stream(name, purpose));
            let resizing = spec.max.map(|_| resizing());
            let mut config = ServerConfig::new(state, spec.slots(), efficiency, &queue, &time, resizing);
            let state_of_faults =
                || Box::new(ServerFaults::new(time.clone(), streams.stream(name, "errors")));
            config.faults = (!faults.is_empty()).then(state_of_faults);
            if !state.serves() {
                queue.set_capacity(0);
            }
            Self {
                in_flight: InFlight::new(config.active_slots()),
                queue,
                config,
                service: Service {
                    time: time.clone(),
                    lane,
                    stream: streams.stream(name, "service"),
                    program: programs.next().map(Box::new),
                    then: (!to.targets.is_empty()).then_some(to),
                    response_sizes: ResponseSizes::new(spec, || streams.stream(name, "response size")),
                },
                counters: ServerCounters::default(),
            }
        });
        while let Some(first) = servers.next() {
            let batch: Vec<_> = std::iter::once(first).chain(servers.by_ref().take(MAX_BATCH - 1)).collect();
            world.spawn_batch(batch);
        }
    }

    #[inline(always)]
    fn deliver<const FULL: bool>(
        servers: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        row: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        servers.counters[row].arrived += 1;
        if FULL && servers.rules(row).is_some() {
            return servers.arrive(context, row, request);
        }
        let (in_flight, queue, counters) =
            (&mut servers.in_flight[row], &mut servers.queues[row], &mut servers.counters[row]);
        let node = Self::node(row);
        if in_flight.level.level() < in_flight.concurrency {
            in_flight.level.increment(context.now);
            counters.wait.record_zero();
            let arrived = context.requests.get_mut(request);
            arrived.server = node;
            arrived.since = context.now;
            if FULL && let Some(program) = &mut servers.service[row].program {
                program.begin(context, row, request, SimDuration::ZERO);
                return servers.run(context, row, request);
            }
            servers.service[row].start(context, row, request, SimDuration::ZERO);
            return None;
        }
        context.requests.get_mut(request).server = node;
        if queue.has_room() {
            queue.push(&mut context.requests, request, context.now);
            if FULL {
                context.requests.set_place(request, CallPlace::Queued);
            }
            context.trace(request, || TraceEvent::Queued { node });
            return None;
        }
        counters.rejected += 1;
        context.reject(node, request)
    }

    /// Passes on the response of a later node, which reports this server's load from here on. A response that reaches a
    /// server that is down is lost. One that has left its group passes it on, as if it had waited for it: it does not know
    /// how many are still to come, since some may be lost. The response to a call of this server ends the call.
    #[inline(always)]
    fn respond<const FULL: bool>(
        servers: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        row: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        if context.is_back_from_call(request) {
            return servers.end_call(context, row, request);
        }
        let in_flight = &servers.in_flight[row];
        if in_flight.concurrency == 0 && servers.configs[row].is_down() {
            return Some(Event::Lost { request, by: NO_LINK }.pack());
        }
        let response = context.requests.get_mut(request);
        response.server = Self::node(row);
        response.load = in_flight.reported_load(in_flight.level.level());
        context.reply(request)
    }

    /// Ends a service, after which the request leaves, or a step that takes time.
    #[inline(always)]
    fn wake<const FULL: bool>(
        servers: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        row: Row<Self>,
        request: RequestRow,
    ) -> (RequestRow, Option<PackedEvent>) {
        if FULL && servers.service[row].program.is_some() {
            return (request, servers.resume(context, row, request));
        }
        let done = context.requests.get_mut(request);
        let served = context.now.since(done.since);
        done.service += served;
        (request, servers.leave(context, row, request, served))
    }

    /// Gives up a call.
    fn time_out<const FULL: bool>(
        servers: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        row: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        if context.requests.progress(request).phase == Phase::Joining {
            servers.give_up(context, row, request)
        } else {
            servers.renege(context, row, request)
        }
    }

    fn cancel<const FULL: bool>(
        servers: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        row: Row<Self>,
        call: RequestRow,
    ) {
        servers.end_cancelled(context, row, call);
    }

    /// The boot of a server ends, or a request takes its next step.
    fn timer<const FULL: bool>(
        servers: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        row: Row<Self>,
        timer: u32,
    ) -> Option<PackedEvent> {
        if timer == RUN {
            return servers.run_next(context, row);
        }
        servers.end_boot(context, row, timer);
        None
    }

    fn change<const FULL: bool>(
        servers: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        rows: Range<u32>,
        setting: &ServerSetting,
    ) -> Vec<RequestRow> {
        servers.change(context, rows, setting)
    }

    fn fault<const FULL: bool>(
        servers: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        rows: Range<u32>,
        fault: &ServerFault,
        edge: FaultEdge,
    ) -> Vec<RequestRow> {
        servers.fault(context, rows, fault, edge)
    }

    fn restart(servers: &mut View<'_>, now: SimTime) {
        servers.in_flight.iter_mut().for_each(|in_flight| in_flight.level.restart(now));
        servers.queues.iter_mut().for_each(|queue| queue.depth.restart(now));
        for config in servers.configs.iter_mut() {
            config.slots.restart(now);
            config.wasted = SimDuration::ZERO;
            config.resizing.iter_mut().for_each(|resizing| resizing.restart(now));
        }
        for counters in servers.counters.iter_mut() {
            counters.wait.clear();
            counters.service.clear();
        }
        for program in servers.service.iter_mut().filter_map(|service| service.program.as_mut()) {
            program.restart(now);
        }
    }

    fn capacity<'v>(servers: &'v View<'_>, row: Row<Self>) -> Option<&'v CapacityLog> {
        Some(&servers.configs[row].log)
    }
}
