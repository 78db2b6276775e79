//! What a system is made of. Each part's file holds what a person writes (its `Spec`), what runs (its components) and
//! what it does with a request (its handlers).
//!
//! A handler gets the [`Context`] of the moment and returns what happens to the request in the same instant, if
//! anything: a passage over a link without latency takes no time and needs no place in the queue.

pub mod change;
pub mod client;
pub mod link;
pub mod load_balancer;
pub mod measure;
pub mod probe;
pub mod references;
pub mod routing;
pub mod server;
pub mod source;
pub mod witness;

use std::sync::Arc;

use bevy_ecs::prelude::*;

use crate::engine::queue::EventQueue;
use crate::engine::time::SimTime;
use crate::event::{Event, Node, PackedEvent, RequestRow};
use crate::request::RequestsView;
use link::LinksView;
use witness::{What, Witness};

/// A node that a sender may send to, and the link to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The delivery of a request to the node, ready to be addressed to any request.
    delivery: PackedEvent,
    /// Row of the link on the way, or [`NO_LINK`].
    pub link: u32,
    /// Which of the sender's links that is: offset of its entry among the sender's [`WaysHome`].
    pub way: u32,
}

impl Target {
    /// The target that is reached over `link`.
    #[must_use]
    pub fn new(node: Node, link: u32, way: u32) -> Self {
        Self { delivery: Event::Deliver { to: node, request: 0 }.pack(), link, way }
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

/// Where a sender sends. Members of a group share the list of targets.
#[derive(Clone, Debug)]
pub struct Outlet {
    /// The nodes.
    pub targets: Arc<[Target]>,
    /// Number of the sender's first entry among the [`WaysHome`].
    pub ways_home: u32,
}

/// No link on the way: the passage takes no time and loses nothing.
pub const NO_LINK: u32 = u32::MAX;

/// All pairs of a sender and a link that it sends over: a return path is a list of numbers of such pairs. The first
/// ones are the sources in their order, each with its only link.
#[derive(Resource, Clone, Debug, Default)]
pub struct WaysHome(pub Vec<(Node, u32)>);

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
    /// The ways home.
    pub ways_home: &'a [(Node, u32)],
    /// Who writes down what happens, if anybody watches.
    pub witness: &'a mut Witness,
}

impl Context<'_> {
    /// Sends a request on to one of the targets; its response will come back to the sender.
    #[inline(always)]
    pub fn forward(&mut self, request: RequestRow, outlet: &Outlet, choice: usize) -> Option<PackedEvent> {
        let target = outlet.targets[choice];
        self.requests.push_way_home(request, outlet.ways_home + target.way);
        self.send(request, target)
    }

    /// Sends a request to a target without a trace on its return path: the source's way home is always at its end.
    #[inline(always)]
    pub fn send(&mut self, request: RequestRow, target: Target) -> Option<PackedEvent> {
        let delivery = target.delivery.of_request(request);
        if target.link == NO_LINK {
            self.witness
                .note(self.now, request, || What::Sent { to: target.node(), arrives: Some(self.now) });
            return Some(delivery);
        }
        let direction = &mut self.links.get_mut(target.link).out;
        let (arrives, lost) = direction.send(self.now, self.queue, delivery, request);
        self.witness.note(self.now, request, || What::Sent { to: target.node(), arrives });
        lost
    }

    /// Sends the response to a request to the node that awaits it next.
    #[inline(always)]
    pub fn reply(&mut self, request: RequestRow) -> Option<PackedEvent> {
        let way = self.requests.pop_way_home(request);
        let response = Event::Respond { way, request }.pack();
        let (to, link) = self.ways_home[way as usize];
        if link == NO_LINK {
            self.witness.note(self.now, request, || What::Answered { to, arrives: Some(self.now) });
            return Some(response);
        }
        let direction = &mut self.links.get_mut(link).back;
        let (arrives, lost) = direction.send(self.now, self.queue, response, request);
        self.witness.note(self.now, request, || What::Answered { to, arrives });
        lost
    }
}
