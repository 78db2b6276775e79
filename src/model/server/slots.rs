//! Slots with rules: who gets them, and who has to leave them again.
//!
//! The servers of most scenarios have none of these rules, and take a shorter path: requests take one slot each, and those that
//! wait stay until it is their turn.
//!
//! - Requests may leave the queue: because their patience ends, or because its discipline sheds them. Or they do not join it.
//! - A request may interrupt the service of another, which goes on later.
//! - A request may take several slots (`weighted`). The one whose turn it is waits until enough are free, and no other
//!   overtakes it.
//! - The service time may be drawn when a request begins to wait, for a discipline that orders requests by it.

use super::{Program, Server, ServerSpec, View};
use crate::engine::row::Row;
use crate::engine::time::SimDuration;
use crate::event::{Event, PackedEvent, RequestRow};
use crate::model::Context;
use crate::model::part::Part as _;
use crate::model::trace::TraceEvent;
use crate::request::call::CallPlace;
use crate::request::progress::{Activity, Phase};
use crate::request::{Outcome, RequestsView};

/// The rules of the slots of a server.
#[derive(Clone, Debug)]
pub(super) struct SlotRules {
    /// Whether a request takes as many slots as its weight.
    pub(super) is_weighted: bool,
    /// Whether the service time of a request is drawn when it begins to wait.
    draws_early: bool,
    /// Whether a request may interrupt the service of another.
    pub(super) is_preemptive: bool,
    /// The requests in service in the order in which they began, if they may be interrupted.
    in_service: Vec<RequestRow>,
}

impl SlotRules {
    /// The rules of a server, or `None` if it has none.
    pub(super) fn new(spec: &ServerSpec) -> Option<Box<Self>> {
        spec.has_rules().then(|| {
            Box::new(Self {
                is_weighted: spec.weighted,
                draws_early: spec.queue.uses_service_time(),
                is_preemptive: spec.queue.is_preemptive(),
                in_service: Vec::new(),
            })
        })
    }

    /// Number of slots that a request takes.
    pub(super) fn slots_of(&self, requests: &RequestsView<'_>, request: RequestRow) -> u32 {
        if self.is_weighted { requests.attributes(request).weight.max(1) } else { 1 }
    }

    /// Empties all slots.
    pub(super) fn clear(&mut self) {
        self.in_service.clear();
    }
}

impl ServerSpec {
    /// Whether its slots have rules.
    pub(super) fn has_rules(&self) -> bool {
        !self.queue.is_plain() || !self.joining().is_plain() || self.weighted || self.slowdown.is_some()
    }
}

impl Program {
    /// Number of slots that a request takes.
    pub(super) fn slots_of(&self, requests: &RequestsView<'_>, request: RequestRow) -> u32 {
        self.rules.as_ref().map_or(1, |rules| rules.slots_of(requests, request))
    }
}

impl View<'_> {
    /// The rules of the slots of a server, if it has any.
    pub(super) fn rules(&mut self, row: Row<Server>) -> Option<&mut SlotRules> {
        self.service[row].program.as_mut()?.rules.as_deref_mut()
    }

    /// Number of slots that a request takes of a server.
    pub(super) fn slots_of(&self, requests: &RequestsView<'_>, row: Row<Server>, request: RequestRow) -> u32 {
        let program = self.service[row].program.as_ref();
        program.map_or(1, |program| program.slots_of(requests, request))
    }

    /// Lets a request that has arrived take its slots, or wait for them; or refuses it.
    pub(super) fn arrive<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        let (node, now) = (Server::node(row), context.now);
        context.requests.get_mut(request).server = node;
        let slots = self.slots_of(&context.requests, row, request);
        let in_flight = &self.in_flight[row];
        let free = in_flight.concurrency.saturating_sub(in_flight.level.level());
        let is_free = self.queues[row].depth.level() == 0 && free >= slots;
        if !is_free {
            if slots > self.configs[row].concurrency {
                return self.refuse(context, row, request, Outcome::Rejected);
            }
            self.draw_early(context, row, request);
        }
        if is_free || self.preempt(context, row, request) {
            context.requests.get_mut(request).since = now;
            self.occupy(context, row, request, SimDuration::ZERO);
            return self.run(context, row, request);
        }
        let queue = &mut self.queues[row];
        if !queue.has_room() {
            return self.refuse(context, row, request, Outcome::Rejected);
        }
        if queue.balks() {
            self.configs[row].balked += 1;
            return self.refuse(context, row, request, Outcome::Rejected);
        }
        if !queue.admits(now) {
            return self.refuse(context, row, request, Outcome::Shed);
        }
        queue.push(&mut context.requests, request, now);
        context.requests.set_place(request, CallPlace::Queued);
        if let Some(patience) = queue.draw_patience() {
            let end = Event::Timeout { request }.pack();
            let end = context.queue.schedule_cancellable(now + patience, end);
            context.requests.set_pending(request, end);
        }
        context.trace(request, || TraceEvent::Queued { node });
        None
    }

    /// Refuses a request: rejects or sheds it. Returns the event that follows in the same instant, if any.
    fn refuse<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        outcome: Outcome,
    ) -> Option<PackedEvent> {
        if outcome == Outcome::Shed {
            self.configs[row].shed += 1;
        } else {
            self.counters[row].rejected += 1;
        }
        context.refuse(Server::node(row), request, outcome)
    }

    /// Draws the service time of a request that is about to wait, if the queue orders requests by it.
    fn draw_early<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        if self.rules(row).is_some_and(|rules| rules.draws_early) {
            let time = self.service[row].duration(context, request);
            context.requests.progress_mut(request).left = Some(time);
        }
    }

    /// Lets a request that has arrived interrupt a service, if it comes before one. Returns whether it does.
    fn preempt<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> bool {
        let Self { in_flight, queues, service, .. } = self;
        let rules = service[row].program.as_ref().and_then(|program| program.rules.as_deref());
        // While a server is paused, no service starts.
        let rules = rules.filter(|rules| rules.is_preemptive && in_flight[row].concurrency > 0);
        let victim = rules.and_then(|rules| {
            queues[row].preempted_by(&context.requests, context.now, request, &rules.in_service)
        });
        if let Some(victim) = victim {
            self.interrupt(context, row, victim);
        }
        victim.is_some()
    }

    /// Interrupts a service. The request goes back to the queue, and needs the time that is left.
    fn interrupt<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        context.cancel_pending(request);
        self.running(row).end_time(context, request);
        let progress = context.requests.progress_mut(request);
        progress.phase = Phase::Outside;
        progress.is_interrupted = true;
        self.vacate(context, row, request);
        self.queues[row].put_back(&mut context.requests, request, context.now);
        context.requests.set_place(request, CallPlace::Queued);
        context.trace(request, || TraceEvent::Queued { node: Server::node(row) });
    }

    /// Gives a request its slots, after it has waited for this time. The caller then takes its first step.
    fn occupy<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        wait: SimDuration,
    ) {
        let slots = self.slots_of(&context.requests, row, request);
        self.in_flight[row].level.add(context.now, slots);
        let program = self.service[row].program.as_mut().expect("slots with rules are those of a program");
        if std::mem::take(&mut context.requests.progress_mut(request).is_interrupted) {
            context.requests.progress_mut(request).spent[Activity::SlotWait] += wait;
            context.requests.set_place(request, CallPlace::InSlot);
        } else {
            program.begin(context, row, request, wait);
        }
        if let Some(rules) = &mut program.rules {
            if rules.is_preemptive {
                // How long it has waited in all is known when it leaves.
                rules.in_service.push(request);
            } else {
                self.counters[row].wait.record(wait.as_nanos());
            }
        }
        self.running(row).adapt_pace(context);
    }

    /// Lets a request leave its slots.
    fn vacate<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        let slots = self.slots_of(&context.requests, row, request);
        let in_flight = &mut self.in_flight[row];
        let was_over = in_flight.level.level() > in_flight.concurrency;
        in_flight.level.subtract(context.now, slots);
        let level = in_flight.level.level();
        if was_over {
            // Slots were removed while these were in use: they are among them.
            self.configs[row].slots.set(context.now, level.max(in_flight.concurrency));
        }
        if let Some(rules) = self.rules(row) {
            rules.in_service.retain(|other| *other != request);
        }
        self.running(row).adapt_pace(context);
    }

    /// Lets a request leave its slots, which the next ones from the queue take.
    pub(super) fn free_slots<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        if self.rules(row).is_some_and(|rules| rules.is_preemptive) {
            let wait = context.requests.progress(request).spent[Activity::SlotWait];
            self.counters[row].wait.record(wait.as_nanos());
        }
        self.vacate(context, row, request);
        self.fill_slots(context, row);
    }

    /// Lets waiting requests take the slots that are free, in order. Those that are shed get their responses.
    pub(super) fn fill_slots<const FULL: bool>(&mut self, context: &mut Context<'_, FULL>, row: Row<Server>) {
        loop {
            let in_flight = &self.in_flight[row];
            let free = in_flight.concurrency.saturating_sub(in_flight.level.level());
            if free == 0 {
                break;
            }
            let all = self.configs[row].concurrency;
            let Self { queues, service, .. } = self;
            let program = service[row].program.as_deref();
            let slots_of = |requests: &RequestsView<'_>, request| {
                program.map_or(1, |program| program.slots_of(requests, request))
            };
            let may_go = |requests: &RequestsView<'_>, request| {
                let slots = slots_of(requests, request);
                slots <= free || slots > all
            };
            let next = queues[row].pop_fitting(&mut context.requests, context.now, may_go);
            let Some((request, wait)) = next else { break };
            context.cancel_pending(request);
            if slots_of(&context.requests, request) > all {
                // Slots were removed while it waited.
                let response = self.refuse(context, row, request, Outcome::Rejected);
                context.follow_ups.extend(response);
                continue;
            }
            self.occupy(context, row, request, wait);
            let program = self.program(row);
            if program.begins_with_service() {
                self.serve(context, row, request);
            } else {
                program.make_runnable(context, row, request);
            }
        }
        for request in self.queues[row].take_shed() {
            context.cancel_pending(request);
            let response = self.refuse(context, row, request, Outcome::Shed);
            context.follow_ups.extend(response);
        }
    }

    /// Starts the service of a request, or goes on with it.
    pub(super) fn serve<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        let left = context.requests.progress_mut(request).left.take();
        let time = left.unwrap_or_else(|| self.service[row].duration(context, request));
        if self.rules(row).is_some_and(|rules| rules.is_preemptive) {
            context.requests.progress_mut(request).left = Some(time);
        }
        self.running(row).work(context, request, time);
    }

    /// Lets a request leave the queue whose patience has ended. It ends at once: returns the event by which it does.
    pub(super) fn renege<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        context.requests.take_pending(request);
        self.configs[row].reneged += 1;
        self.queues[row].leave(&mut context.requests, request, context.now);
        context.requests.set_place(request, CallPlace::Between);
        let response = Some(context.end_at_once(request, Outcome::TimedOut));
        if self.in_flight[row].is_draining {
            self.leave_if_empty(context, row);
        }
        // The next one may need fewer slots.
        self.fill_slots(context, row);
        response
    }
}
