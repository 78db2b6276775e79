//! The calls that a server makes for a request, after its service and before it responds, in the order of the scenario.
//!
//! While a server waits for a call, it holds the slot of the request. If the call fails, or takes longer than its timeout,
//! the server answers the request with an error ([`Outcome::Failed`]) and makes no further calls for it. A call that
//! nobody waits for (`wait: false`) has no effect on the request.
//!
//! Without a timeout, a call that is lost fails at once: its caller learns it in the instant of the loss, as from a
//! connection that is reset, since it would otherwise hold the slot for ever. A caller with a timeout does not learn it,
//! and waits for the timeout.
//!
//! A call that was given up goes on, and costs what it costs. With `cancel: true`, a cancellation follows it. Where it
//! finds the call, the call ends: it leaves the queue or the slot, and what it waits for itself is given up in turn.

use std::ops::Range;

use super::call_spec::CallSpec;
use super::{Server, View, free_slot};
use crate::engine::queue::EventKey;
use crate::engine::row::Row;
use crate::engine::statistics::{Tally, TimeWeighted};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, Node, PackedEvent, RequestRow};
use crate::model::build::Builder;
use crate::model::names::NamedGroup;
use crate::model::part::Part;
use crate::model::trace::TraceEvent;
use crate::model::{Context, Destinations};
use crate::request::Outcome;
use crate::request::call::{CallPlace, CallState};

/// The calls that a server makes for each request, with their counters.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    steps: Box<[Step]>,
    /// Calls made.
    pub(super) made: u64,
    /// Calls that failed while the server waited for them, those that it gave up included.
    pub(super) failed: u64,
    /// Calls that the server gave up after their timeout.
    pub(super) timed_out: u64,
    /// How long the server waited for calls, until they came back or it gave them up.
    pub(super) time: Tally,
    /// Number of requests in slots that wait for calls, over time.
    pub(super) waiting: TimeWeighted,
}

/// A call that a server makes for each request.
#[derive(Clone, Debug)]
struct Step {
    to: Destinations,
    wait: bool,
    /// How long the server waits at most, or `None` without a limit.
    timeout: Option<SimDuration>,
    /// Whether a cancellation follows a call that was given up.
    cancel: bool,
}

impl Calls {
    /// The calls of each member of an entry, in order; empty if there are none.
    pub(super) fn build(specs: &[CallSpec], entry: &NamedGroup, builder: &mut Builder<'_>) -> Vec<Self> {
        if specs.is_empty() {
            return Vec::new();
        }
        let mut steps: Vec<Vec<Step>> = vec![Vec::new(); entry.members.len()];
        for spec in specs {
            let destinations = builder.destinations(entry, std::slice::from_ref(&spec.to));
            for (steps, to) in steps.iter_mut().zip(destinations) {
                steps.push(Step { to, wait: spec.wait, timeout: spec.timeout, cancel: spec.cancel });
            }
        }
        let calls = |steps: Vec<Step>| Self {
            steps: steps.into(),
            made: 0,
            failed: 0,
            timed_out: 0,
            time: Tally::default(),
            waiting: TimeWeighted::default(),
        };
        steps.into_iter().map(calls).collect()
    }

    /// Makes the calls for a request up to and including the next one to wait for. Returns `None` if there is none: all
    /// calls are made. Otherwise returns the event that follows in the same instant, if any.
    pub(super) fn proceed<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> Option<Option<PackedEvent>> {
        let node = Server::node(row);
        loop {
            let step = context.requests.call_step(request);
            let Some(&Step { ref to, wait, timeout, cancel }) = self.steps.get(usize::from(*step)) else {
                *step = 0;
                return None;
            };
            *step += 1;
            self.made += 1;
            let (call, sent) = context.call(node, request, to);
            if wait {
                let timeout = timeout.map_or(EventKey::NONE, |timeout| {
                    let event = Event::Timeout { request }.pack();
                    context.queue.schedule_cancellable(context.now + timeout, event)
                });
                context.requests.await_call(context.now, request, call, timeout, cancel);
                context.trace(request, || TraceEvent::Called { node, call });
                self.waiting.increment(context.now);
                return Some(sent);
            }
            context.follow_ups.extend(sent);
        }
    }

    /// Whether a server may give up calls.
    pub(super) fn have_timeouts(&self) -> bool {
        self.steps.iter().any(|step| step.timeout.is_some())
    }

    /// Ends the wait of a request for a call.
    fn end_wait(&mut self, now: SimTime, since: SimTime) {
        self.time.record(now.since(since).as_nanos());
        self.waiting.decrement(now);
    }

    /// Resets statistics at the end of the warm-up.
    pub(super) fn restart(&mut self, now: SimTime) {
        self.time.clear();
        self.waiting.restart(now);
    }
}

impl View<'_> {
    /// The calls of a server that makes calls.
    pub(super) fn calls(&mut self, row: Row<Server>) -> &mut Calls {
        self.service[row].calls.as_deref_mut().expect("the server makes calls")
    }

    /// Ends a call whose response has reached its caller. The request that waited for it goes on.
    #[cold]
    pub(super) fn end_call<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        call: RequestRow,
    ) -> Option<PackedEvent> {
        let outcome = if self.configs[row].is_down() {
            // Its response is lost.
            Outcome::Dropped
        } else {
            context.requests.get(call).outcome.expect("a call that gets a response has an outcome")
        };
        context.trace(call, || TraceEvent::Over { outcome });
        let request = context.requests.finish_call(context.now, call, outcome)?;
        context.cancel_pending(request);
        let calls = self.calls(row);
        calls.end_wait(context.now, context.requests.get(request).since);
        if outcome.is_failure() {
            return self.fail(context, row, request);
        }
        match calls.proceed(context, row, request) {
            Some(sent) => sent,
            None => self.leave(context, row, request, None),
        }
    }

    /// Answers a request with an error, because a call failed.
    fn fail<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        self.calls(row).failed += 1;
        *context.requests.call_step(request) = 0;
        context.requests.get_mut(request).outcome = Some(Outcome::Failed);
        self.leave(context, row, request, None)
    }

    /// Gives up the call that a request waits for, because of its timeout.
    #[cold]
    pub(super) fn give_up<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        context.requests.take_pending(request);
        context.trace(request, || TraceEvent::GaveUp { node: Server::node(row) });
        self.abandon_call(context, row, request);
        self.calls(row).timed_out += 1;
        self.fail(context, row, request)
    }

    /// Makes a request stop waiting for its call, and cancels that if it may be cancelled.
    fn abandon_call<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        let call = context.requests.abandon_call(context.now, request);
        self.calls(row).end_wait(context.now, context.requests.get(request).since);
        if let Some(call) = call.filter(|call| context.requests.place(*call) != CallPlace::Untracked) {
            context.cancel(call);
        }
    }

    /// Ends a call that is in the queue or in a slot, because it has been cancelled.
    #[cold]
    pub(super) fn end_cancelled<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        call: RequestRow,
    ) {
        let outcome = Outcome::TimedOut;
        self.configs[row].cancelled += 1;
        context.trace(call, || TraceEvent::Over { outcome });
        if context.requests.place(call) == CallPlace::Queued {
            self.queues[row].end_call(&mut context.requests, call, outcome, context.now);
        } else {
            self.end_in_slot(context, row, call, outcome);
        }
        if self.in_flight[row].is_draining {
            self.leave_if_empty(context, row);
        }
    }

    /// Ends a call in a slot, whose service or wait for a call of its own is not over.
    fn end_in_slot<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        call: RequestRow,
        outcome: Outcome,
    ) {
        context.cancel_pending(call);
        if context.requests.call_state(call).is_some_and(CallState::is_waiting) {
            self.abandon_call(context, row, call);
        } else {
            let served = context.requests.get_mut(call);
            served.service += context.now.since(served.since);
        }
        context.requests.finish_call(context.now, call, outcome);
        let server = (
            &mut self.in_flight[row],
            &mut self.queues[row],
            &mut self.counters[row],
            &mut self.service[row],
        );
        free_slot(context, row, server, &mut self.configs);
    }

    /// The requests that these servers hold while they wait for calls, in order of creation. They stop waiting: their
    /// calls end without effect on them.
    pub(super) fn take_waiting_for_calls<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        rows: &Range<u32>,
    ) -> Vec<RequestRow> {
        let is_here = |node: Node| node.kind() == Server::KIND && rows.contains(&node.row());
        let waiting = context.requests.waiting_for_calls(is_here);
        for &request in &waiting {
            let row = Row::new(context.requests.get(request).server.row());
            context.cancel_pending(request);
            // Nobody is left to cancel its call.
            context.requests.abandon_call(context.now, request);
            self.calls(row).waiting.decrement(context.now);
        }
        waiting
    }
}
