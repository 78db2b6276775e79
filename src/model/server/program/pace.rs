//! The pace of computations: how fast they go on when they share the cores, or slow each other down.
//!
//! Cores that are shared (`sharing: ProcessorSharing`) are divided equally among all requests that compute, as by an
//! operating system that switches between them without a cost: with more requests than cores, each gets its share. The time
//! that a request loses by it counts as waiting for a core. With a slow-down, computations and services go on at a speed that
//! follows the number of requests in service.

use super::super::{Server, ServerSpec};
use super::Program;
use super::runner::{Runner, start_time};
use super::spec::SharingSpec;
use crate::engine::queue::EventKey;
use crate::engine::shared_work::SharedWork;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, RequestRow};
use crate::model::Context;
use crate::model::part::Part as _;
use crate::model::trace::TraceEvent;
use crate::request::progress::{Activity, Phase};

/// The computations of a server whose speed may change while they go on.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    work: SharedWork<RequestRow>,
    /// The event at the end of the next one.
    next: Option<(EventKey, SimTime, RequestRow)>,
    /// Whether they share the cores.
    shares_cores: bool,
}

impl Pace {
    /// The pace of a server, or `None` if its computations have a speed that never changes.
    pub(super) fn new(spec: &ServerSpec) -> Option<Box<Self>> {
        let shares_cores = spec.sharing == SharingSpec::ProcessorSharing;
        let is_needed = shares_cores || spec.slowdown.as_ref().is_some_and(|slowdown| !slowdown.fixed);
        is_needed.then(|| Box::new(Self { work: SharedWork::default(), next: None, shares_cores }))
    }

    /// Ends all computations. Their event has been removed from the queue.
    pub(super) fn clear(&mut self) {
        self.work.clear();
        self.next = None;
    }
}

impl Program {
    /// Whether a request needs a core of its own to compute.
    pub(super) fn has_cores_to_wait_for(&self) -> bool {
        self.cores.is_some() && !self.pace.as_ref().is_some_and(|pace| pace.shares_cores)
    }
}

impl Runner<'_> {
    /// Starts a computation or a service that takes this time at full speed.
    pub(in crate::model::server) fn work<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        request: RequestRow,
        time: SimDuration,
    ) {
        let stretch = self.faults.as_ref().map_or(1.0, |faults| faults.stretch());
        // The time by a factor that does not change any more.
        let fixed = self.program.slowdown.as_ref().filter(|slowdown| slowdown.fixed);
        let present = self.in_flight.level.level();
        let time = fixed.map_or(time, |slowdown| times(time, slowdown.factor.at(present)));
        let node = Server::node(self.row);
        let Some(pace) = &mut self.program.pace else {
            let time = if stretch > 1.0 { times(time, stretch) } else { time };
            return start_time(context, node, request, Phase::Working, time);
        };
        context.requests.progress_mut(request).phase = Phase::Working;
        context.requests.get_mut(request).since = context.now;
        pace.work.begin(context.now, time, request);
        let done = context.now + time;
        context.trace(request, || TraceEvent::Started { node, done });
        self.adapt_pace(context);
    }

    /// Takes the end of the next computation out of the queue. [`adapt_pace`](Self::adapt_pace) schedules it again.
    pub(in crate::model::server) fn suspend_pace<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
    ) {
        if let Some((key, ..)) = self.program.pace.as_mut().and_then(|pace| pace.next.take()) {
            context.queue.cancel(key);
        }
    }

    /// Adapts the speed of computations to their number, to the number of requests in service, and to the faults of the
    /// server.
    pub(in crate::model::server) fn adapt_pace<const FULL: bool>(&mut self, context: &mut Context<'_, FULL>) {
        let Program { cores, pace, slowdown, .. } = &mut *self.program;
        let Some(Pace { work, next, shares_cores }) = pace.as_deref_mut() else { return };
        let jobs = work.len();
        let cores = cores.as_mut().filter(|_| *shares_cores);
        let share = cores.map_or(1.0, |cores| cores.share(context.now, jobs));
        let slowdown = slowdown.as_ref().filter(|slowdown| !slowdown.fixed);
        let factor = slowdown.map_or(1.0, |slowdown| slowdown.factor.at(self.in_flight.level.level()));
        let speed = self.faults.as_ref().map_or(1.0, |faults| faults.speed());
        work.set_speed(context.now, speed * share / factor, share);
        let due = if speed > 0.0 { work.next() } else { None };
        if next.map(|(_, at, request)| (at, request)) == due {
            return;
        }
        if let Some((key, ..)) = next.take() {
            context.queue.cancel(key);
        }
        let node = Server::node(self.row);
        *next = due.map(|(at, request)| {
            let event = Event::Wake { node, request }.pack();
            (context.queue.schedule_cancellable(at, event), at, request)
        });
    }

    /// Ends a computation or a service whose speed may have changed. Accounts for how long the request had a core, and for how
    /// long it lost it to others.
    pub(super) fn end_work<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        request: RequestRow,
    ) {
        let Program { cores, pace, .. } = &mut *self.program;
        let Some(pace) = pace.as_deref_mut() else { return };
        let of_request = context.requests.get_mut(request);
        let passed = context.now.since(of_request.since);
        let held = pace.work.end(context.now, request).filter(|_| pace.shares_cores);
        let held = held.map_or(passed, |held| held.min(passed));
        let lost = passed - held;
        of_request.service += held;
        of_request.waiting += lost;
        let spent = &mut context.requests.progress_mut(request).spent;
        spent[Activity::Cpu] += held;
        spent[Activity::CoreWait] += lost;
        if pace.shares_cores
            && let Some(cores) = cores
        {
            cores.record_share(lost);
        }
        self.adapt_pace(context);
    }
}

fn times(time: SimDuration, factor: f64) -> SimDuration {
    SimDuration::from_nanos_f64(time.as_nanos_f64() * factor)
}
