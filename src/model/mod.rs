//! The model: the parts of a simulated system, each in its own module, and the code they share.
//!
//! **Parts.** The node kinds [`source`], [`load_balancer`], [`client`], [`rate_limiter`] and [`server`] handle
//! requests; [`link`] is the network between nodes. The module of a part contains everything about it: its `Spec` (the
//! fields in a scenario) and its checks, how it is built, its components and event handlers, its metrics and figures,
//! and its settings. [`part::Part`] is the trait that each node kind implements, [`parts`] the list of node kinds.
//!
//! **Shared code.** [`routing`] picks targets, [`queueing`] orders waiting requests, [`capacity`] records how many
//! requests a node can serve, and [`node_state`] says whether it is there. [`metric`] and [`figure`] describe
//! measurements. [`names`] resolves names to nodes, [`check`] and [`build`] help parts to check specs and to build nodes.
//! [`probe`] samples metrics, [`change`] schedules changes of settings, [`fault`] decides when faults happen, [`autoscaler`]
//! makes groups grow and shrink, [`trace`] records the path of requests.
//!
//! A handler gets the [`Context`] of the current event. It returns the event that follows in the same instant, if any,
//! such as a delivery over a link without latency; such an event bypasses the queue.

pub mod autoscaler;
pub mod build;
pub mod capacity;
pub mod change;
pub mod check;
pub mod client;
pub mod fault;
pub mod figure;
pub mod link;
pub mod load_balancer;
pub mod metric;
pub mod names;
pub mod node_state;
pub mod part;
pub mod parts;
pub mod probe;
pub mod problem;
pub mod queueing;
pub mod rate_limiter;
pub mod references;
pub mod routing;
pub mod server;
pub mod source;
pub mod trace;
mod variants;

use std::collections::VecDeque;
use std::sync::Arc;

use bevy_ecs::prelude::*;

use crate::engine::queue::{EventKey, EventQueue};
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::event::{Event, Node, PackedEvent, RequestRow};
use crate::request::call::Cancellation;
use crate::request::{Outcome, ReportedLoad, RequestsView};
use link::{LineId, Link, LinksView};
use part::Part;
use routing::{Choice, RoutersView};
use trace::{Passage, TraceEvent, Tracer};

/// A node that a sender can send to, and the link to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The event that delivers a request to the node. The request is filled in when it is sent.
    delivery: PackedEvent,
    /// The link to the node, or [`Row::NONE`]: then messages take no time and are never lost.
    pub link: Row<Link>,
    /// Index of the link among the sender's links: an offset from the sender's first entry in [`ReturnHops`].
    pub hop: u32,
}

impl Target {
    /// The target `node`, reached over `link`.
    #[must_use]
    pub fn new(node: Node, link: Row<Link>, hop: u32) -> Self {
        Self { delivery: Event::Deliver { to: node, request: RequestRow::new(0) }.pack(), link, hop }
    }

    /// The node.
    ///
    /// # Panics
    /// Never: `delivery` is always a delivery event.
    #[must_use]
    pub fn node(&self) -> Node {
        let Event::Deliver { to, .. } = self.delivery.unpack() else {
            unreachable!("`delivery` is always a delivery event")
        };
        to
    }
}

/// The targets of a node. Members of a group share the list of targets.
#[derive(Clone, Debug)]
pub struct Destinations {
    /// The targets, in the order of the scenario.
    pub targets: Arc<[Target]>,
    /// Index of the sender's first entry in [`ReturnHops`].
    pub first_hop: u32,
}

/// A hop of a return path: the node that the response is sent to, and the link to it ([`Row::NONE`] if there is none).
pub type ReturnHop = (Node, Row<Link>);

/// All pairs of a sender and a link that it sends over. A return path is a list of indices into this table. The hop of
/// a source has the row of the source as its index, since a request stores that row anyway.
#[derive(Resource, Clone, Debug, Default)]
pub struct ReturnHops(pub Vec<ReturnHop>);

/// Events that follow in the instant of the last event, see [`Context::follow_ups`].
#[derive(Resource, Clone, Debug, Default)]
pub struct FollowUps(pub VecDeque<PackedEvent>);

/// The data that a handler accesses besides the components of its own part.
///
/// Handlers are compiled twice: once in full, and once, with `FULL` being false, for runs without tracing and calls, which
/// then cost nothing.
#[derive(Debug)]
pub struct Context<'a, const FULL: bool> {
    /// The time of the event.
    pub now: SimTime,
    /// The queue of future events.
    pub queue: &'a mut EventQueue<PackedEvent>,
    /// The pool of requests.
    pub requests: RequestsView<'a>,
    /// All links.
    pub links: LinksView<'a>,
    /// The routers of all nodes that route.
    pub routers: RoutersView<'a>,
    /// The hops of all return paths.
    pub return_hops: &'a [ReturnHop],
    /// Events that follow in the instant of the event that is being handled, in order, besides the one that its handler
    /// returns.
    pub follow_ups: &'a mut VecDeque<PackedEvent>,
    /// The tracer, which records steps of requests if tracing is enabled.
    pub tracer: &'a mut Tracer,
}

impl<const FULL: bool> Context<'_, FULL> {
    /// Records a step of a request, or [`RequestRow::NONE`], if tracing is enabled.
    #[inline(always)]
    pub fn trace(&mut self, request: RequestRow, event: impl FnOnce() -> TraceEvent) {
        if FULL {
            self.tracer.record(self.now, request, event);
        }
    }

    /// Whether a response that has reached a node is that to a call of the node.
    #[inline(always)]
    #[must_use]
    pub fn is_back_from_call(&self, request: RequestRow) -> bool {
        FULL && self.requests.is_back_from_call(request)
    }

    /// Picks a target for a request with the router of a node, and sends the request there. If no target is there, the
    /// request is rejected. Returns the choice, and the event that follows in the same instant, if any.
    #[inline(always)]
    pub fn route<P: Part>(
        &mut self,
        row: Row<P>,
        request: RequestRow,
    ) -> (Option<Choice>, Option<PackedEvent>) {
        let key = self.requests.get(request).key;
        let Some((choice, target, first_hop, is_noted)) = self.routers.choose(row, request, key, self.now)
        else {
            return (None, self.reject(P::node(row), request));
        };
        self.requests.push_hop(request, first_hop + target.hop);
        let (passage, next) = self.send(request, target);
        if is_noted {
            self.routers.sent(row, choice.target, passage);
        }
        (Some(choice), next)
    }

    /// Rejects a request that has reached a node: sends a response back. Returns the event that follows in the same
    /// instant, if any.
    pub fn reject(&mut self, node: Node, request: RequestRow) -> Option<PackedEvent> {
        self.refuse(node, request, Outcome::Rejected)
    }

    /// Refuses a request at a node that is full, with this outcome: sends a response back. Returns the event that follows in
    /// the same instant, if any.
    #[cold]
    pub fn refuse(&mut self, node: Node, request: RequestRow, outcome: Outcome) -> Option<PackedEvent> {
        self.trace(request, || TraceEvent::Rejected { node });
        let rejected = self.requests.get_mut(request);
        rejected.server = node;
        rejected.outcome = Some(outcome);
        rejected.load = ReportedLoad::FULL;
        self.reply(request)
    }

    /// Ends a request whose client leaves, wherever the request is. Returns the event by which its source or its caller learns
    /// it, without delay.
    pub fn end_at_once(&mut self, request: RequestRow, outcome: Outcome) -> PackedEvent {
        self.leave_path(request);
        let hop = self.requests.fail(request, outcome);
        let (to, _) = self.return_hops[hop as usize];
        Event::Respond { to, request }.pack()
    }

    /// Lets the routers of all nodes on the return path of a request know that it does not come back.
    pub fn leave_path(&mut self, request: RequestRow) {
        for hop in self.requests.path(request) {
            let (node, _) = self.return_hops[hop as usize];
            self.routers.end(node, request);
        }
    }

    /// Lets the router of a node know that a response has come back, and the load that it reports.
    #[inline(always)]
    pub fn learn<P: Part>(&mut self, row: Row<P>, request: RequestRow) {
        let response = self.requests.get(request);
        self.routers.learn(row, request, (response.server, response.load), self.now);
    }

    /// Sends a request to one of the targets, and adds the sender to its return path. Returns the event that follows in
    /// the same instant, if any.
    #[inline(always)]
    pub fn forward(&mut self, request: RequestRow, to: &Destinations, choice: usize) -> Option<PackedEvent> {
        let target = to.targets[choice];
        self.requests.push_hop(request, to.first_hop + target.hop);
        self.send_from_source(request, target)
    }

    /// Makes a call for a request, of a size in bytes: creates it and sends it to the first of the targets. Returns the call,
    /// and the event that follows in the same instant, if any.
    pub fn call(
        &mut self,
        caller: Node,
        parent: RequestRow,
        to: &Destinations,
        size: u32,
    ) -> (RequestRow, Option<PackedEvent>) {
        let call = self.requests.create_call(self.now, parent);
        if size > 0 {
            self.requests.sizes_mut(call).request = size;
        }
        let key = self.requests.get(call).key;
        self.trace(call, || TraceEvent::CallCreated { caller, parent, key });
        (call, self.forward(call, to, 0))
    }

    /// Creates a branch of a request at a node: a call of the node to itself.
    pub fn branch(&mut self, node: Node, parent: RequestRow) -> RequestRow {
        let branch = self.requests.create_call(self.now, parent);
        let of_branch = self.requests.get_mut(branch);
        of_branch.server = node;
        let key = of_branch.key;
        self.trace(branch, || TraceEvent::CallCreated { caller: node, parent, key });
        branch
    }

    /// Makes a request stop waiting for its calls. A cancellation follows each that may be cancelled, over the links that it
    /// took, to where it is.
    pub fn abandon_calls(&mut self, request: RequestRow) {
        let follow_ups = &mut *self.follow_ups;
        self.requests.abandon_calls(request, |requests, call| {
            let cancellation = requests.begin_cancellation(call);
            follow_ups.push_back(Event::Cancel { cancellation }.pack());
        });
    }

    /// Cancels what is pending for a request: the timeout of its wait, or the end of its service if that may be cancelled.
    pub fn cancel_pending(&mut self, request: RequestRow) {
        let pending = self.requests.take_pending(request);
        if pending != EventKey::NONE {
            self.queue.cancel(pending);
        }
    }

    /// Sends a cancellation that has reached a node on, over the link that its call took from there. Returns whether it did:
    /// if not, the node is the last one that the call was sent to.
    pub fn pass_on(&mut self, cancellation: Cancellation) -> bool {
        let Some((hop, number)) = self.requests.pass_on(cancellation) else { return false };
        let (_, link) = self.return_hops[hop as usize];
        let message = Event::Cancel { cancellation: number }.pack();
        if link.is_none() {
            self.follow_ups.push_back(message);
        } else {
            let half = &mut self.links[link].request;
            match half.send(self.now, self.queue, message, cancellation.call, || 0) {
                (Passage::Lost, _) => self.requests.lose_cancellation(number),
                (_, arrives_now) => self.follow_ups.extend(arrives_now),
            }
        }
        true
    }

    /// Sends a request to a target without adding a hop to its return path. Sources call it directly, as their hop is
    /// implied. Returns the event that follows in the same instant, if any.
    #[inline(always)]
    pub fn send_from_source(&mut self, request: RequestRow, target: Target) -> Option<PackedEvent> {
        self.send(request, target).1
    }

    /// Sends a request to a target. Returns what becomes of it on its way, and the event that follows in the same instant, if
    /// any.
    #[inline(always)]
    fn send(&mut self, request: RequestRow, target: Target) -> (Passage, Option<PackedEvent>) {
        if FULL { self.send_shared(request, target) } else { self.send_inline(request, target) }
    }

    /// [`send`](Self::send) as one function for all parts: inlined into each, the handlers in full would not fit the
    /// instruction cache.
    #[inline(never)]
    fn send_shared(&mut self, request: RequestRow, target: Target) -> (Passage, Option<PackedEvent>) {
        self.send_inline(request, target)
    }

    #[inline(always)]
    fn send_inline(&mut self, request: RequestRow, target: Target) -> (Passage, Option<PackedEvent>) {
        let delivery = target.delivery.of_request(request);
        if target.link.is_none() {
            let passage = Passage::Arrives(self.now);
            self.trace(request, || TraceEvent::Sent { to: target.node(), passage });
            return (passage, Some(delivery));
        }
        let half = &mut self.links[target.link].request;
        let size = || self.requests.sizes(request).request;
        let (passage, next) = half.send(self.now, self.queue, delivery, request, size);
        self.trace(request, || TraceEvent::Sent { to: target.node(), passage });
        (passage, next)
    }

    /// Sends the response to a request to the next node of its return path. Returns the event that follows in the same
    /// instant, if any.
    #[inline(always)]
    pub fn reply(&mut self, request: RequestRow) -> Option<PackedEvent> {
        if FULL { self.reply_shared(request) } else { self.reply_inline(request) }
    }

    /// [`reply`](Self::reply) as one function for all parts, as [`send_shared`](Self::send_shared).
    #[inline(never)]
    fn reply_shared(&mut self, request: RequestRow) -> Option<PackedEvent> {
        self.reply_inline(request)
    }

    #[inline(always)]
    fn reply_inline(&mut self, request: RequestRow) -> Option<PackedEvent> {
        let hop = self.requests.pop_hop(request);
        let (to, link) = self.return_hops[hop as usize];
        let response = Event::Respond { to, request }.pack();
        if link.is_none() {
            let passage = Passage::Arrives(self.now);
            self.trace(request, || TraceEvent::ResponseSent { to, passage });
            return Some(response);
        }
        let half = &mut self.links[link].response;
        let size = || self.requests.sizes(request).response;
        let (passage, next) = half.send(self.now, self.queue, response, request, size);
        if passage == Passage::Lost {
            self.routers.end(to, request);
        }
        self.trace(request, || TraceEvent::ResponseSent { to, passage });
        next
    }

    /// Ends a transfer over a link. Returns the request that the message is about, or `None` if it is a cancellation; and the
    /// event that follows in the same instant, if any: the message arrives at once if the link has no latency.
    pub fn end_transfer(&mut self, line: LineId) -> (Option<RequestRow>, Option<PackedEvent>) {
        let half = self.links[line.link()].half_mut(line.is_response());
        let Some((message, arrives)) = half.end_transfer(self.now, self.queue) else { return (None, None) };
        let passage = Passage::Arrives(arrives);
        let request = match message.unpack() {
            Event::Deliver { to, request } => {
                self.trace(request, || TraceEvent::Sent { to, passage });
                Some(request)
            }
            Event::Respond { to, request } => {
                self.trace(request, || TraceEvent::ResponseSent { to, passage });
                Some(request)
            }
            Event::Cancel { .. }
            | Event::Wake { .. }
            | Event::Timer { .. }
            | Event::Timeout { .. }
            | Event::Transferred { .. }
            | Event::Lost { .. }
            | Event::WarmedUp
            | Event::Sample { .. }
            | Event::Record
            | Event::Change { .. }
            | Event::Fault { .. }
            | Event::Scale { .. } => None,
        };
        if arrives > self.now {
            self.queue.schedule(arrives, message);
            return (request, None);
        }
        (request, Some(message))
    }
}
