//! A request or a call that the live state tracks: its location, its path, and the calls that were made for it.

use crate::engine::time::SimTime;
use crate::event::{Node, RequestRow};
use crate::model::trace::Passage;
use crate::request::Outcome;

/// A request in flight.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackedRequest {
    /// Its row in the pool.
    pub row: RequestRow,
    /// Its source.
    pub source: Node,
    /// Its key.
    pub key: u32,
    /// When it was created.
    pub created: SimTime,
    /// How many slots it has if it is in a slot.
    pub slots: u32,
    /// Its location.
    pub location: RequestLocation,
    /// Whether a node rejected it. The request stays in flight until its response has arrived.
    pub rejected: bool,
    /// The time of its last instant hop, and the number of its hops at that time.
    pub(super) hops: (SimTime, u32),
    /// Its path so far: nodes, with the times at which it reached them.
    pub path: Vec<(SimTime, Node)>,
    /// The request that made it if it is a call.
    pub parent: Option<RequestRow>,
    /// The calls that were made for it, in order.
    pub calls: Vec<TrackedCall>,
}

/// A call that was made for a request.
#[derive(Clone, Debug, PartialEq)]
pub enum TrackedCall {
    /// It is in flight, in this row.
    InFlight(RequestRow),
    /// It has ended.
    Over(Box<EndedCall>),
}

/// A call that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct EndedCall {
    /// When it ended, and its outcome.
    pub ended: (SimTime, Outcome),
    /// The call as it was.
    pub call: TrackedRequest,
}

/// The location of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RequestLocation {
    /// At a node, neither waiting nor in service.
    At(Node),
    /// On a link.
    Between {
        /// The sender.
        from: Node,
        /// The receiver.
        to: Node,
        /// When it left.
        left: SimTime,
        /// What becomes of it.
        passage: Passage,
        /// Whether it is a response.
        is_response: bool,
    },
    /// In the queue of a node.
    Waiting(Node),
    /// In service.
    Served {
        /// The node.
        node: Node,
        /// Index of the slot.
        slot: usize,
        /// When the service started.
        since: SimTime,
        /// When the service ends.
        done: SimTime,
    },
    /// In a slot, where it waits for a resource, or takes its next step in this instant.
    Blocked {
        /// The node.
        node: Node,
        /// Index of the slot.
        slot: usize,
        /// The resource, by index; `None` if it does not wait for one.
        resource: Option<u16>,
        /// Since when.
        since: SimTime,
    },
    /// In a slot, until a call or a branch ends.
    Calling {
        /// The node.
        node: Node,
        /// Index of the slot.
        slot: usize,
        /// Since when.
        since: SimTime,
    },
}

impl TrackedRequest {
    /// Whether it is a branch of its parent at the same node, which takes no slot of its own.
    pub(super) fn is_branch(&self) -> bool {
        self.parent.is_some() && matches!(self.path.as_slice(), [(_, caller)] if *caller == self.node())
    }

    /// Its node; on a link, the receiver.
    #[must_use]
    pub const fn node(&self) -> Node {
        match self.location {
            RequestLocation::At(node)
            | RequestLocation::Between { to: node, .. }
            | RequestLocation::Waiting(node)
            | RequestLocation::Served { node, .. }
            | RequestLocation::Blocked { node, .. }
            | RequestLocation::Calling { node, .. } => node,
        }
    }
}

impl RequestLocation {
    /// The index of its slot, or `None` if it is not in one.
    pub(super) const fn slot(self) -> Option<usize> {
        match self {
            Self::Served { slot, .. } | Self::Blocked { slot, .. } | Self::Calling { slot, .. } => Some(slot),
            Self::At(_) | Self::Between { .. } | Self::Waiting(_) => None,
        }
    }
}
