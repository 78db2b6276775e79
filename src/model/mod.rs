//! What a system is made of. Each part's file holds what a person writes (its `Spec`), what runs (its components) and
//! what it does with a request (its handlers).
//!
//! A handler gets the [`Context`] of the moment and returns what happens to the request in the same instant, if
//! anything: a passage over a link without latency takes no time and needs no place in the queue.

pub mod client;
pub mod link;
pub mod load_balancer;
pub mod probe;
pub mod references;
pub mod routing;
pub mod server;
pub mod source;

use std::sync::Arc;

use bevy_ecs::prelude::*;

use crate::engine::queue::EventQueue;
use crate::engine::time::SimTime;
use crate::event::{Event, Node, PackedEvent, RequestRow};
use crate::request::RequestsView;
use link::LinksView;

/// A node that a sender may send to, and the link to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The node.
    pub node: Node,
    /// Row of the link on the way, or [`NO_LINK`].
    pub link: u32,
    /// Which of the sender's links that is: offset of its entry among the sender's [`WaysHome`].
    pub way: u32,
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

/// All pairs of a sender and a link that it sends over: a return path is a list of numbers of such pairs.
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
}

impl Context<'_> {
    /// Sends a request on to one of the targets; its response will come back to the sender.
    #[inline]
    pub fn forward(&mut self, request: RequestRow, outlet: &Outlet, choice: usize) -> Option<Event> {
        let target = outlet.targets[choice];
        self.requests.push_way_home(request, outlet.ways_home + target.way);
        let delivery = Event::Deliver { to: target.node, request };
        if target.link == NO_LINK {
            return Some(delivery);
        }
        self.links.get_mut(target.link).out.send(self.now, self.queue, delivery, request)
    }

    /// Sends the response to a request to the node that awaits it next.
    #[inline]
    pub fn reply(&mut self, request: RequestRow) -> Option<Event> {
        let (_, link) = self.ways_home[self.requests.way_home(request) as usize];
        let response = Event::Respond { request };
        if link == NO_LINK {
            return Some(response);
        }
        self.links.get_mut(link).back.send(self.now, self.queue, response, request)
    }
}
