//! What a system is made of: a room for each part, and what the rooms share.
//!
//! **The parts.** [`source`], [`load_balancer`], [`client`], [`rate_limiter`], [`server`] are nodes that requests pass;
//! [`link`] is the network between them. All that is known of a part stands in its room: what a person writes (its `Spec`)
//! and the checks of it, how it is set up, what runs (its components) and what it does with a request, what it measures,
//! counts and shows, and what can change. [`part::Part`] is what a room has to answer, [`parts`] the one list of rooms.
//!
//! **What they share.** [`routing`] picks targets, [`queueing`] orders those who wait, [`capacity`] tells what can be
//! served. [`metric`] and [`figure`] describe what is measured. [`names`] knows who is who, [`check`] and [`build`] are the
//! tools that rooms check and build with. [`probe`], [`change`] and [`trace`] look on, intervene and record.
//!
//! A handler gets the [`Context`] of the moment and returns what happens to the request in the same instant, if anything:
//! a link without latency takes no time and needs no place in the queue.

pub mod build;
pub mod capacity;
pub mod change;
pub mod check;
pub mod client;
pub mod figure;
pub mod link;
pub mod load_balancer;
pub mod metric;
pub mod names;
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

use std::sync::Arc;

use bevy_ecs::prelude::*;

use crate::engine::queue::EventQueue;
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::event::{Event, Node, PackedEvent, RequestRow};
use crate::request::RequestsView;
use link::{Link, LinksView};
use part::Part;
use routing::{Choice, RoutersView};
use trace::{TraceEvent, Tracer};

/// A node that a sender may send to, and the link to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The delivery of a request to the node, ready to be addressed to any request.
    delivery: PackedEvent,
    /// The link on the way, or [`Row::NONE`]: then the passage takes no time and loses nothing.
    pub link: Row<Link>,
    /// Which of the sender's links that is: offset of its entry among the sender's [`ReturnHops`].
    pub hop: u32,
}

impl Target {
    /// The target that is reached over `link`.
    #[must_use]
    pub fn new(node: Node, link: Row<Link>, hop: u32) -> Self {
        Self { delivery: Event::Deliver { to: node, request: RequestRow::new(0) }.pack(), link, hop }
    }

    /// The node.
    ///
    /// # Panics
    /// Never: a target holds a delivery.
    #[must_use]
    pub fn node(&self) -> Node {
        let Event::Deliver { to, .. } = self.delivery.unpack() else {
            unreachable!("a target holds a delivery")
        };
        to
    }
}

/// Where a node sends. Members of a group share the list of targets.
#[derive(Clone, Debug)]
pub struct Destinations {
    /// The nodes.
    pub targets: Arc<[Target]>,
    /// Number of the sender's first entry among the [`ReturnHops`].
    pub first_hop: u32,
}

/// A hop of the way back: the node that awaits the response, and the link that leads there ([`Row::NONE`] if it takes no
/// time).
pub type ReturnHop = (Node, Row<Link>);

/// All pairs of a sender and a link that it sends over: a return path is a list of numbers of such pairs. That of a source
/// is its own row, for a request carries that anyway.
#[derive(Resource, Clone, Debug, Default)]
pub struct ReturnHops(pub Vec<ReturnHop>);

/// What a handler needs besides the components of its own part.
#[derive(Debug)]
pub struct Context<'a> {
    /// The time of the event.
    pub now: SimTime,
    /// All that is to come.
    pub queue: &'a mut EventQueue<PackedEvent>,
    /// The requests.
    pub requests: RequestsView<'a>,
    /// The network.
    pub links: LinksView<'a>,
    /// How nodes pick their targets.
    pub routers: RoutersView<'a>,
    /// The hops of all ways back.
    pub return_hops: &'a [ReturnHop],
    /// Who records what happens, if anybody watches.
    pub tracer: &'a mut Tracer,
}

impl Context<'_> {
    /// A node that routes picks the target of a request and sends it on. Returns what was picked and what follows.
    #[inline(always)]
    pub fn route<P: Part>(&mut self, row: Row<P>, request: RequestRow) -> (Choice, Option<PackedEvent>) {
        let key = self.requests.get(request).key;
        let (choice, target, first_hop) = self.routers.choose(row, key, self.now);
        self.requests.push_hop(request, first_hop + target.hop);
        (choice, self.send_from_source(request, target))
    }

    /// The response to a request tells a node that routes what the load of the node is that answered.
    #[inline(always)]
    pub fn learn<P: Part>(&mut self, row: Row<P>, request: RequestRow) {
        let response = self.requests.get(request);
        self.routers.report(row, response.server, response.load, self.now);
    }

    /// Sends a request on to one of the targets; its response will come back to the sender.
    #[inline(always)]
    pub fn forward(&mut self, request: RequestRow, to: &Destinations, choice: usize) -> Option<PackedEvent> {
        let target = to.targets[choice];
        self.requests.push_hop(request, to.first_hop + target.hop);
        self.send_from_source(request, target)
    }

    /// Sends a request to a target without a trace on its return path: that always ends at its source.
    #[inline(always)]
    pub fn send_from_source(&mut self, request: RequestRow, target: Target) -> Option<PackedEvent> {
        let delivery = target.delivery.of_request(request);
        if target.link.is_none() {
            self.tracer.record(self.now, request, || TraceEvent::Sent {
                to: target.node(),
                arrives: Some(self.now),
            });
            return Some(delivery);
        }
        let half = &mut self.links[target.link].request;
        let (arrives, lost) = half.send(self.now, self.queue, delivery, request);
        self.tracer.record(self.now, request, || TraceEvent::Sent { to: target.node(), arrives });
        lost
    }

    /// Sends the response to a request to the node that awaits it next.
    #[inline(always)]
    pub fn reply(&mut self, request: RequestRow) -> Option<PackedEvent> {
        let hop = self.requests.pop_hop(request);
        let response = Event::Respond { hop, request }.pack();
        let (to, link) = self.return_hops[hop as usize];
        if link.is_none() {
            self.tracer
                .record(self.now, request, || TraceEvent::ResponseSent { to, arrives: Some(self.now) });
            return Some(response);
        }
        let half = &mut self.links[link].response;
        let (arrives, lost) = half.send(self.now, self.queue, response, request);
        self.tracer.record(self.now, request, || TraceEvent::ResponseSent { to, arrives });
        lost
    }
}
