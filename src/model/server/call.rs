//! The calls that a server makes for a request, after its service and before it responds, in the order of the scenario.
//!
//! While a server waits for a call, it holds the slot of the request. If the call fails, the server answers the request
//! with an error ([`Outcome::Failed`]) and makes no further calls for it. A call that nobody waits for (`wait: false`)
//! has no effect on the request.
//!
//! A call that is lost fails at once: its caller learns it in the instant of the loss, as from a connection that is reset.
//! A server has no timeouts, and would otherwise hold the slot for ever.

use std::ops::Range;

use super::call_spec::CallSpec;
use super::{Server, View};
use crate::engine::row::Row;
use crate::engine::statistics::{Tally, TimeWeighted};
use crate::engine::time::SimTime;
use crate::event::{Node, PackedEvent, RequestRow};
use crate::model::build::Builder;
use crate::model::names::NamedGroup;
use crate::model::part::Part;
use crate::model::trace::TraceEvent;
use crate::model::{Context, Destinations};
use crate::request::Outcome;

/// The calls that a server makes for each request, with their counters.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    steps: Box<[Step]>,
    /// Calls made.
    pub(super) made: u64,
    /// Calls that failed while the server waited for them.
    pub(super) failed: u64,
    /// How long the server waited for calls that came back.
    pub(super) time: Tally,
    /// Number of requests in slots that wait for calls, over time.
    pub(super) waiting: TimeWeighted,
}

/// A call that a server makes for each request.
#[derive(Clone, Debug)]
struct Step {
    to: Destinations,
    wait: bool,
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
                steps.push(Step { to, wait: spec.wait });
            }
        }
        let calls = |steps: Vec<Step>| Self {
            steps: steps.into(),
            made: 0,
            failed: 0,
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
            let Some(Step { to, wait }) = self.steps.get(usize::from(*step)) else {
                *step = 0;
                return None;
            };
            *step += 1;
            self.made += 1;
            let (call, sent) = context.call(node, request, to);
            if *wait {
                context.requests.await_call(context.now, request, call);
                context.trace(request, || TraceEvent::Called { node, call });
                self.waiting.increment(context.now);
                return Some(sent);
            }
            context.follow_ups.extend(sent);
        }
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
        let calls = self.calls(row);
        let since = context.requests.get(request).since;
        calls.time.record(context.now.since(since).as_nanos());
        calls.waiting.decrement(context.now);
        if outcome.is_failure() {
            calls.failed += 1;
            *context.requests.call_step(request) = 0;
            context.requests.get_mut(request).outcome = Some(Outcome::Failed);
            return self.leave(context, row, request, None);
        }
        match calls.proceed(context, row, request) {
            Some(sent) => sent,
            None => self.leave(context, row, request, None),
        }
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
            context.requests.abandon_call(context.now, request);
            self.calls(row).waiting.decrement(context.now);
        }
        waiting
    }
}
