//! The service of a request without steps: how it begins, and how the request leaves its slot.

use bevy_ecs::prelude::*;

use super::program::{Program, start_time};
use super::response::ResponseSizes;
use super::{InFlight, Server, ServerConfig, ServerCounters, View, WaitQueue};
use crate::engine::distribution::Sampler;
use crate::engine::queue::{EventQueue, LaneId};
use crate::engine::random::RandomStream;
use crate::engine::row::{Column, Row};
use crate::engine::time::SimDuration;
use crate::event::{Event, PackedEvent, RequestRow};
use crate::model::part::Part as _;
use crate::model::trace::TraceEvent;
use crate::model::{Context, Destinations};
use crate::request::Outcome;
use crate::request::call::CallPlace;
use crate::request::progress::Phase;

/// The service time of a server, and the destination of served requests.
#[derive(Component, Clone, Debug)]
pub struct Service {
    /// Distribution of the service time.
    pub time: Sampler,
    /// The lane for completions, if the service time is constant.
    pub lane: Option<LaneId>,
    /// Random stream of the service time.
    pub stream: RandomStream,
    /// The steps that requests take, or `None` if the service takes the service time and nothing else.
    pub(super) program: Option<Box<Program>>,
    /// The next node for served requests, or `None` if the server responds to them.
    pub then: Option<Destinations>,
    /// The sizes of its responses, or `None` if they have none.
    pub(super) response_sizes: Option<Box<ResponseSizes>>,
}

impl View<'_> {
    /// Lets a request leave its slot, which the next one from the queue takes. The request goes to the next node, or its
    /// response is sent. `served` is its service time. Returns the event that follows in the same instant, if any.
    #[inline(always)]
    pub(super) fn leave<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        served: SimDuration,
    ) -> Option<PackedEvent> {
        if FULL {
            self.note_waste(context, row, request, served);
        }
        let (in_flight, counters, service) =
            (&mut self.in_flight[row], &mut self.counters[row], &mut self.service[row]);
        let program = if FULL { service.program.as_deref() } else { None };
        let slots = program.map_or(1, |program| program.slots_of(&context.requests, request));
        let has_rules = program.is_some_and(|program| program.rules.is_some());
        let load = program.and_then(|program| program.reported_load(in_flight));
        let load = load.unwrap_or_else(|| in_flight.reported_load(in_flight.level.level() - slots));
        let done = context.requests.get_mut(request);
        done.load = load;
        let has_failed = FULL && done.outcome == Some(Outcome::Failed);
        context.trace(request, || TraceEvent::Served { node: Server::node(row) });
        counters.completed += 1;
        counters.service.record(served.as_nanos());
        if FULL {
            context.requests.set_place(request, CallPlace::Between);
        }
        if has_rules {
            self.free_slots(context, row, request);
        } else {
            let queue = &mut self.queues[row];
            free_slot(context, row, (in_flight, queue, counters, service), &mut self.configs);
        }
        if self.in_flight[row].is_draining {
            self.leave_if_empty(context, row);
        }
        match &self.service[row].then {
            Some(then) if !has_failed => context.forward(request, then, 0),
            Some(_) | None => self.respond_to(context, row, request, has_failed),
        }
    }
}

/// Frees a slot without rules of the server in a row, with these components. The next request from the queue takes it.
#[inline(always)]
pub(super) fn free_slot<const FULL: bool>(
    context: &mut Context<'_, FULL>,
    row: Row<Server>,
    (in_flight, queue, counters, service): (&mut InFlight, &mut WaitQueue, &mut ServerCounters, &mut Service),
    configs: &mut Column<'_, Server, ServerConfig>,
) {
    if in_flight.level.level() > in_flight.concurrency {
        // Slots were removed while this one was in use: it is one of them.
        in_flight.level.decrement(context.now);
        configs[row].slots.set(context.now, in_flight.level.level());
        return;
    }
    match queue.pop_plain(&mut context.requests, context.now) {
        // One request leaves and one enters: the level stays.
        Some((next, wait)) => {
            counters.wait.record(wait.as_nanos());
            service.start(context, row, next, wait);
        }
        None => in_flight.level.decrement(context.now),
    }
}

impl Service {
    /// Starts the service of a request that has waited for its slot for this time: schedules its completion, or its first
    /// step.
    #[inline(always)]
    pub(super) fn start<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        wait: SimDuration,
    ) {
        if FULL && let Some(program) = &mut self.program {
            program.begin(context, row, request, wait);
            if program.begins_with_service() {
                let time = self.duration(context, request);
                start_time(context, Server::node(row), request, Phase::Working, time);
            } else {
                program.make_runnable(context, row, request);
            }
            return;
        }
        let node = Server::node(row);
        let completion = Event::Wake { node, request }.pack();
        if FULL && context.requests.set_place(request, CallPlace::InSlot) {
            let done = context.now + self.duration(context, request);
            let end = context.queue.schedule_cancellable(done, completion);
            context.requests.set_pending(request, end);
            context.trace(request, || TraceEvent::Started { node, done });
            return;
        }
        let given = if FULL { context.requests.take_service_time(request) } else { None };
        let done = match self.lane.filter(|_| given.is_none()) {
            Some(lane) => context.queue.schedule_in(lane, completion),
            None => {
                let time = given.unwrap_or_else(|| self.time.sample_duration(&mut self.stream));
                let done = context.now + time;
                context.queue.schedule(done, completion);
                done
            }
        };
        context.trace(request, || TraceEvent::Started { node, done });
    }

    /// The service time of a request: the one that it brings along, or else one that is drawn.
    pub(super) fn duration<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        request: RequestRow,
    ) -> SimDuration {
        let given = context.requests.take_service_time(request);
        given.unwrap_or_else(|| self.time.sample_duration(&mut self.stream))
    }
}

/// The lane for completions, or `None` if the service time is not constant or no lane is left.
pub(super) fn lane(time: &Sampler, queue: &mut EventQueue<PackedEvent>) -> Option<LaneId> {
    time.as_constant().and_then(|nanos| queue.lane(SimDuration::from_nanos_f64(nanos)))
}
