//! The server: a queue, a number of slots, and a service time.
//!
//! A request that finds a free slot is served at once; otherwise it waits in line, if there is room, or is rejected at
//! once. A response reports the server's load: the share of slots in use after the request has left and before the next
//! one is taken from the queue, so that a busy server of ten slots reports 0.9, and a rejection reports 1.
//!
//! What a person writes is in `spec`, what changes while a run goes on in `setup`, what is measured and counted in `shown`.

mod config;
mod shown;
mod spec;

use std::ops::Range;

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;

pub use config::ServerConfig;
pub use shown::LOST;
pub use spec::{ServerSetting, ServerSpec};

use super::build::{Builder, CHECKED};
use super::capacity::CapacityLog;
use super::check::Checker;
use super::figure::FigureReader;
use super::metric::{Limit, QUEUE_DEPTH};
use super::names::NamedGroup;
use super::part::{Description, Part};
use super::queueing::WaitQueue;
use super::trace::{NodeCapacity, TraceEvent};
use super::{Context, Destinations};
use crate::engine::distribution::Sampler;
use crate::engine::queue::{EventQueue, LaneId};
use crate::engine::random::RandomStream;
use crate::engine::row::{Column, Row, column};
use crate::engine::statistics::{Tally, TimeWeighted};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, NodeKind, PackedEvent, RequestRow};
use crate::request::{Outcome, ReportedLoad};
use crate::text::Path;

/// The requests that a server is working on.
#[derive(Component, Clone, Debug)]
pub struct InFlight {
    /// How many there are, over time.
    pub level: TimeWeighted,
    /// How many there can be at the moment: none while the server is down. There are more where it had more slots when
    /// they began.
    pub concurrency: u32,
    /// What one of them adds to the load, in billionths.
    load_of_one: f64,
}

impl InFlight {
    /// Nothing, on a server that can work on this many requests (1 or more).
    #[must_use]
    pub fn new(concurrency: u32) -> Self {
        let mut nothing = Self { level: TimeWeighted::default(), concurrency: 0, load_of_one: 0.0 };
        nothing.set_concurrency(concurrency);
        nothing
    }

    /// There can be so many from now on.
    fn set_concurrency(&mut self, concurrency: u32) {
        self.concurrency = concurrency;
        self.load_of_one =
            if concurrency > 0 { ReportedLoad::FULL.as_f64() / f64::from(concurrency) } else { 0.0 };
    }

    /// The load of as many requests as there are now.
    #[inline]
    #[must_use]
    pub fn load(&self) -> ReportedLoad {
        self.load_at(self.level.level())
    }

    /// Full is the most, also while requests are in service that began when there were more slots.
    #[inline]
    fn load_at(&self, level: u32) -> ReportedLoad {
        ReportedLoad::from_billionths(f64::from(level) * self.load_of_one).min(ReportedLoad::FULL)
    }
}

/// How a server serves.
#[derive(Component, Clone, Debug)]
pub struct Service {
    /// The law of the service time.
    pub time: Sampler,
    /// Where completions wait for their time if the service time is constant.
    pub lane: Option<LaneId>,
    /// The stream that service times are drawn from.
    pub stream: RandomStream,
    /// Where requests go on to.
    pub then: Option<Destinations>,
}

/// What a server has seen.
#[derive(Component, Clone, Debug, Default)]
pub struct ServerCounters {
    /// Requests that came.
    pub arrived: u64,
    /// Requests that were served to their end.
    pub completed: u64,
    /// Requests that found no room.
    pub rejected: u64,
    /// Time in the queue of the requests that were taken into service; zero for those that did not wait.
    pub wait: Tally,
    /// Service times of the requests that were completed.
    pub service: Tally,
}

/// Everything that makes an entity a server.
#[derive(Bundle, Clone, Debug)]
pub struct Server {
    /// What it works on.
    pub in_flight: InFlight,
    /// What waits.
    pub queue: WaitQueue,
    /// How it serves.
    pub service: Service,
    /// What it has seen.
    pub counters: ServerCounters,
    /// What it is set up to.
    pub setup: ServerConfig,
}

/// The servers as a system reaches them.
#[derive(SystemParam)]
pub struct Columns<'w, 's> {
    in_flight: Query<'w, 's, &'static mut InFlight>,
    queues: Query<'w, 's, &'static mut WaitQueue>,
    service: Query<'w, 's, &'static mut Service>,
    counters: Query<'w, 's, &'static mut ServerCounters>,
    setups: Query<'w, 's, &'static mut ServerConfig>,
}

impl Columns<'_, '_> {
    /// Borrows the columns of servers for a tick.
    pub fn view(&mut self) -> View<'_> {
        View {
            in_flight: column(&mut self.in_flight),
            queues: column(&mut self.queues),
            service: column(&mut self.service),
            counters: column(&mut self.counters),
            setups: column(&mut self.setups),
        }
    }
}

/// The servers as handlers reach them: by row.
#[derive(Debug)]
pub struct View<'a> {
    in_flight: Column<'a, Server, InFlight>,
    queues: Column<'a, Server, WaitQueue>,
    service: Column<'a, Server, Service>,
    counters: Column<'a, Server, ServerCounters>,
    setups: Column<'a, Server, ServerConfig>,
}

impl Part for Server {
    const KIND: NodeKind = NodeKind::Server;
    const DESCRIPTION: Description = shown::DESCRIPTION;
    const FIGURES: &'static [FigureReader<Self>] = shown::FIGURES;

    type Spec = ServerSpec;
    type Setting = ServerSetting;

    fn count(spec: &ServerSpec) -> Option<u32> {
        spec.count
    }

    fn sends_to(spec: &ServerSpec) -> Vec<&str> {
        spec.then.as_deref().into_iter().collect()
    }

    fn holds(spec: &ServerSpec) -> Option<NodeCapacity> {
        Some(NodeCapacity { slots: spec.concurrency, waiting: spec.queue.bound() })
    }

    fn limits(spec: &ServerSpec, owner: &str) -> Vec<Limit> {
        let limit = |capacity| Limit {
            metric: &QUEUE_DEPTH,
            owner: owner.to_owned(),
            value: f64::from(capacity),
            meaning: "no more room",
        };
        spec.queue.bound().map(limit).into_iter().collect()
    }

    fn settings(spec: &ServerSpec) -> Vec<ServerSetting> {
        vec![
            ServerSetting::Concurrency(spec.concurrency),
            ServerSetting::Service(spec.service.clone()),
            ServerSetting::Queue(spec.queue.clone()),
        ]
    }

    fn outage() -> Option<[ServerSetting; 2]> {
        Some([ServerSetting::Down, ServerSetting::Up])
    }

    fn check(spec: &ServerSpec, path: &Path, checker: &mut Checker<'_>) {
        spec.check(path, checker);
    }

    fn check_setting(setting: &ServerSetting, path: &Path, _: &[&ServerSpec], checker: &mut Checker<'_>) {
        setting.check(path, checker);
    }

    fn build(spec: &ServerSpec, entry: &NamedGroup, builder: &mut Builder<'_>) {
        let time = spec.service.resolve().expect(CHECKED);
        let lane = lane(&time, &mut builder.queue);
        let queue = WaitQueue::new(&spec.queue);
        let destinations = builder.destinations(entry, spec.then.as_slice());
        let servers: Vec<_> = entry
            .members
            .iter()
            .zip(destinations)
            .map(|(name, to)| Self {
                in_flight: InFlight::new(spec.concurrency),
                queue: queue.clone(),
                setup: ServerConfig::new(spec.concurrency, &queue, &time),
                service: Service {
                    time: time.clone(),
                    lane,
                    stream: builder.stream(name, "service"),
                    then: (!to.targets.is_empty()).then_some(to),
                },
                counters: ServerCounters::default(),
            })
            .collect();
        builder.world.spawn_batch(servers);
    }

    #[inline(always)]
    fn deliver(
        servers: &mut View<'_>,
        context: &mut Context<'_>,
        row: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        let (in_flight, queue, counters) =
            (&mut servers.in_flight[row], &mut servers.queues[row], &mut servers.counters[row]);
        let node = Self::node(row);
        counters.arrived += 1;
        if in_flight.level.level() < in_flight.concurrency {
            in_flight.level.increment(context.now);
            counters.wait.record(0);
            let arrived = context.requests.get_mut(request);
            arrived.server = node;
            arrived.since = context.now;
            servers.service[row].start(context, row, request);
            return None;
        }
        context.requests.get_mut(request).server = node;
        if queue.has_room() {
            queue.push(&mut context.requests, request, context.now);
            context.tracer.record(context.now, request, || TraceEvent::Queued { node });
            return None;
        }
        counters.rejected += 1;
        context.tracer.record(context.now, request, || TraceEvent::Rejected { node });
        let rejected = context.requests.get_mut(request);
        rejected.outcome = Some(Outcome::Rejected);
        rejected.load = ReportedLoad::FULL;
        context.reply(request)
    }

    /// The response from further on passes the server on its way back: it reports this server's load from here on. With a
    /// server that is down it is lost.
    #[inline(always)]
    fn respond(
        servers: &mut View<'_>,
        context: &mut Context<'_>,
        row: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        let in_flight = &servers.in_flight[row];
        if in_flight.concurrency == 0 {
            return Some(Event::Lost { request }.pack());
        }
        let response = context.requests.get_mut(request);
        response.server = Self::node(row);
        response.load = in_flight.load();
        context.reply(request)
    }

    /// The server has finished its work on a request: the next one is taken from the queue.
    #[inline(always)]
    fn wake(
        servers: &mut View<'_>,
        context: &mut Context<'_>,
        row: Row<Self>,
        request: RequestRow,
    ) -> (RequestRow, Option<PackedEvent>) {
        let (in_flight, counters, service) =
            (&mut servers.in_flight[row], &mut servers.counters[row], &mut servers.service[row]);
        let done = context.requests.get_mut(request);
        let served = context.now.since(done.since);
        done.service += served;
        done.load = in_flight.load_at(in_flight.level.level() - 1);
        context.tracer.record(context.now, request, || TraceEvent::Served { node: Self::node(row) });
        counters.completed += 1;
        counters.service.record(served.as_nanos());
        if in_flight.level.level() > in_flight.concurrency {
            // There are fewer slots than when this one began: its slot goes with it.
            in_flight.level.decrement(context.now);
            servers.setups[row].slots.set(context.now, in_flight.level.level());
        } else {
            match servers.queues[row].pop(&mut context.requests, context.now) {
                // One leaves and one comes: the level stays.
                Some((next, wait)) => {
                    counters.wait.record(wait.as_nanos());
                    service.start(context, row, next);
                }
                None => in_flight.level.decrement(context.now),
            }
        }
        let next = match &service.then {
            Some(then) => context.forward(request, then, 0),
            None => context.reply(request),
        };
        (request, next)
    }

    fn change(
        servers: &mut View<'_>,
        context: &mut Context<'_>,
        rows: Range<u32>,
        setting: &ServerSetting,
    ) -> Vec<RequestRow> {
        servers.change(context, rows, setting)
    }

    fn restart(servers: &mut View<'_>, now: SimTime) {
        servers.in_flight.iter_mut().for_each(|in_flight| in_flight.level.restart(now));
        servers.queues.iter_mut().for_each(|queue| queue.depth.restart(now));
        servers.setups.iter_mut().for_each(|setup| setup.slots.restart(now));
        for counters in servers.counters.iter_mut() {
            counters.wait.clear();
            counters.service.clear();
        }
    }

    fn capacity<'v>(servers: &'v View<'_>, row: Row<Self>) -> Option<&'v CapacityLog> {
        Some(&servers.setups[row].log)
    }
}

impl Service {
    /// Begins to serve a request: schedules its completion.
    #[inline]
    fn start(&mut self, context: &mut Context<'_>, row: Row<Server>, request: RequestRow) {
        let node = Server::node(row);
        let completion = Event::Wake { node, request }.pack();
        let done = match self.lane {
            Some(lane) => context.queue.schedule_in(lane, completion),
            None => {
                let done = context.now + self.time.sample_duration(&mut self.stream);
                context.queue.schedule(done, completion);
                done
            }
        };
        context.tracer.record(context.now, request, || TraceEvent::Started { node, done });
    }
}

/// The lane for completions of a service time, if that is always the same and there is a lane left.
fn lane(time: &Sampler, queue: &mut EventQueue<PackedEvent>) -> Option<LaneId> {
    time.as_constant().and_then(|nanos| queue.lane(SimDuration::from_nanos_f64(nanos)))
}
