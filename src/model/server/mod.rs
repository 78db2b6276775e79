//! The server: a queue, a number of slots, and a service time.
//!
//! A request that finds a free slot is served at once; otherwise it waits in line, if there is room, or is rejected at
//! once. A response reports the server's load: the share of slots in use after the request has left and before the next
//! one is taken from the queue, so that a busy server of ten slots reports 0.9, and a rejection reports 1.

mod setup;
mod wait_queue;

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;
use serde::{Deserialize, Serialize};

pub use setup::{Setup, lane};
pub use wait_queue::{QueueSpec, WaitQueue};

use super::measure::{Limit, Measure, Readings, Unit, View};
use super::witness::What;
use super::{Context, Outlet};
use crate::engine::column;
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::queue::Lane;
use crate::engine::random::RandomStream;
use crate::engine::statistics::{Tally, TimeWeighted};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, PackedEvent, RequestRow};
use crate::request::{Load, Outcome};

/// A server, or a group of equal ones, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSpec {
    /// Makes a group of this many: `name-0`, `name-1`, ...
    #[serde(default)]
    pub count: Option<u32>,
    /// How many requests are served at the same time (1 or more).
    #[serde(default = "one")]
    pub concurrency: u32,
    /// How long a request is served.
    pub service: DistributionSpec<SimDuration>,
    /// Where requests wait.
    #[serde(default)]
    pub queue: QueueSpec,
    /// The node that a request goes on to when it has been served here; it is answered here if there is none.
    #[serde(default)]
    pub then: Option<String>,
}

const fn one() -> u32 {
    1
}

const QUEUE: View = View {
    id: "queue",
    section: "Servers",
    title: "Queue depth",
    unit: Unit::Count,
    caption: "Requests that wait, on average over each slice of the run.",
};
const LOAD: View = View {
    id: "load",
    section: "Servers",
    title: "Load",
    unit: Unit::Share,
    caption: "The share of slots in use, on average over each slice of the run.",
};
const ARRIVALS: View =
    View { id: "arrivals", section: "Servers", title: "Arrivals", unit: Unit::PerSecond, caption: "" };
const COMPLETIONS: View =
    View { id: "completions", section: "Servers", title: "Served", unit: Unit::PerSecond, caption: "" };
const REJECTIONS: View =
    View { id: "rejections", section: "Servers", title: "Rejected", unit: Unit::PerSecond, caption: "" };

/// What a server measures of itself.
pub const MEASURES: [Measure; 5] = [
    Measure::new(QUEUE_DEPTH, "", &QUEUE),
    Measure::new(MEASURED_LOAD, "", &LOAD),
    Measure::new("arrival_rate", "", &ARRIVALS),
    Measure::new("completion_rate", "", &COMPLETIONS),
    Measure::new("rejection_rate", "", &REJECTIONS),
];
/// Name of the measure of a server's queue.
pub const QUEUE_DEPTH: &str = "queue_depth";
/// Name of the measure of a server's load.
pub const MEASURED_LOAD: &str = "load";

impl ServerSpec {
    /// The limits that it sets, if it is called `name`.
    #[must_use]
    pub fn limits(&self, name: &str) -> Vec<Limit> {
        let QueueSpec::Fifo { capacity } = self.queue;
        let limit = |capacity| Limit {
            measure: QUEUE_DEPTH,
            owner: name.to_owned(),
            value: f64::from(capacity),
            meaning: "no more room",
        };
        capacity.map(limit).into_iter().collect()
    }
}

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
        self.load_of_one = if concurrency > 0 { Load::FULL.as_f64() / f64::from(concurrency) } else { 0.0 };
    }

    /// The load of as many requests as there are now.
    #[inline]
    #[must_use]
    pub fn load(&self) -> Load {
        self.load_at(self.level.level())
    }

    /// Full is the most, also while requests are in service that began when there were more slots.
    #[inline]
    fn load_at(&self, level: u32) -> Load {
        Load::from_billionths(f64::from(level) * self.load_of_one).min(Load::FULL)
    }
}

/// How a server serves.
#[derive(Component, Clone, Debug)]
pub struct Service {
    /// The law of the service time.
    pub time: Sampler,
    /// Where completions wait for their time if the service time is constant.
    pub lane: Option<Lane>,
    /// The stream that service times are drawn from.
    pub stream: RandomStream,
    /// Where requests go on to.
    pub then: Option<Outlet>,
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

/// Name of the server, as reports show it.
#[derive(Component, Clone, Debug)]
pub struct ServerName(pub String);

/// Everything that makes an entity a server.
#[derive(Bundle, Clone, Debug)]
pub struct Server {
    /// Its name.
    pub name: ServerName,
    /// What it works on.
    pub in_flight: InFlight,
    /// What waits.
    pub queue: WaitQueue,
    /// How it serves.
    pub service: Service,
    /// What it has seen.
    pub counters: ServerCounters,
    /// What it is set up to.
    pub setup: Setup,
}

/// The servers as a system reaches them.
#[derive(SystemParam)]
pub struct Servers<'w, 's> {
    in_flight: Query<'w, 's, &'static mut InFlight>,
    queues: Query<'w, 's, &'static mut WaitQueue>,
    service: Query<'w, 's, &'static mut Service>,
    counters: Query<'w, 's, &'static mut ServerCounters>,
    setups: Query<'w, 's, &'static mut Setup>,
}

impl Servers<'_, '_> {
    /// Borrows the columns of servers for a tick.
    pub fn view(&mut self) -> ServersView<'_> {
        ServersView {
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
pub struct ServersView<'a> {
    in_flight: &'a mut [InFlight],
    queues: &'a mut [WaitQueue],
    service: &'a mut [Service],
    counters: &'a mut [ServerCounters],
    setups: &'a mut [Setup],
}

impl ServersView<'_> {
    /// What a server works on.
    #[must_use]
    pub const fn in_flight(&self, row: u32) -> &InFlight {
        &self.in_flight[row as usize]
    }

    /// What waits at a server.
    #[must_use]
    pub const fn queue(&self, row: u32) -> &WaitQueue {
        &self.queues[row as usize]
    }

    /// What a server has seen.
    #[must_use]
    pub const fn counters(&self, row: u32) -> &ServerCounters {
        &self.counters[row as usize]
    }

    /// A request reaches the server.
    #[inline]
    pub fn arrive(
        &mut self,
        context: &mut Context<'_>,
        row: u32,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        let at = row as usize;
        let (in_flight, queue, counters) =
            (&mut self.in_flight[at], &mut self.queues[at], &mut self.counters[at]);
        counters.arrived += 1;
        if in_flight.level.level() < in_flight.concurrency {
            in_flight.level.increment(context.now);
            counters.wait.record(0);
            let arrived = context.requests.get_mut(request);
            arrived.server = row;
            arrived.since = context.now;
            self.service[at].start(context, row, request);
            return None;
        }
        context.requests.get_mut(request).server = row;
        if queue.has_room() {
            queue.push(&mut context.requests, request, context.now);
            context.witness.note(context.now, request, || What::Queued { server: row });
            return None;
        }
        counters.rejected += 1;
        context.witness.note(context.now, request, || What::Rejected { server: row });
        let rejected = context.requests.get_mut(request);
        rejected.outcome = Some(Outcome::Rejected);
        rejected.load = Load::FULL;
        context.reply(request)
    }

    /// The server has finished its work on a request: the next one is taken from the queue.
    #[inline]
    pub fn complete(
        &mut self,
        context: &mut Context<'_>,
        row: u32,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        let at = row as usize;
        let (in_flight, counters, service) =
            (&mut self.in_flight[at], &mut self.counters[at], &mut self.service[at]);
        let done = context.requests.get_mut(request);
        let served = context.now.since(done.since);
        done.service += served;
        done.load = in_flight.load_at(in_flight.level.level() - 1);
        context.witness.note(context.now, request, || What::Served { server: row });
        counters.completed += 1;
        counters.service.record(served.as_nanos());
        if in_flight.level.level() > in_flight.concurrency {
            // There are fewer slots than when this one began: its slot goes with it.
            in_flight.level.decrement(context.now);
            self.setups[at].slots.set(context.now, in_flight.level.level());
        } else {
            match self.queues[at].pop(&mut context.requests, context.now) {
                // One leaves and one comes: the level stays.
                Some((next, wait)) => {
                    counters.wait.record(wait.as_nanos());
                    service.start(context, row, next);
                }
                None => in_flight.level.decrement(context.now),
            }
        }
        match &service.then {
            Some(then) => context.forward(request, then, 0),
            None => context.reply(request),
        }
    }

    /// The response from further on passes the server on its way back: it reports this server's load from here on. With a
    /// server that is down it is lost.
    pub fn pass_back(&self, context: &mut Context<'_>, row: u32, request: RequestRow) -> Option<PackedEvent> {
        if self.in_flight[row as usize].concurrency == 0 {
            return Some(Event::Lost { request }.pack());
        }
        let response = context.requests.get_mut(request);
        response.server = row;
        response.load = self.in_flight[row as usize].load();
        context.reply(request)
    }

    /// Reads off what the servers measure.
    pub fn read(&self, now: SimTime, readings: &mut Readings<'_>) {
        for (at, counters) in self.counters.iter().enumerate() {
            readings.level(self.queues[at].depth.integral(now));
            readings.share(self.in_flight[at].level.integral(now), self.setups[at].slots.integral(now));
            readings.rate(counters.arrived);
            readings.rate(counters.completed);
            readings.rate(counters.rejected);
        }
    }

    /// Begins statistics anew.
    pub fn restart(&mut self, now: SimTime) {
        for at in 0..self.in_flight.len() {
            self.in_flight[at].level.restart(now);
            self.queues[at].depth.restart(now);
            self.setups[at].slots.restart(now);
            self.counters[at].wait.clear();
            self.counters[at].service.clear();
        }
    }
}

impl Service {
    /// Begins to serve a request: schedules its completion.
    #[inline]
    fn start(&mut self, context: &mut Context<'_>, row: u32, request: RequestRow) {
        let completion = Event::Complete { server: row, request }.pack();
        let done = match self.lane {
            Some(lane) => context.queue.schedule_in(lane, completion),
            None => {
                let done = context.now + self.time.sample_duration(&mut self.stream);
                context.queue.schedule(done, completion);
                done
            }
        };
        context.witness.note(context.now, request, || What::Started { server: row, done });
    }
}
