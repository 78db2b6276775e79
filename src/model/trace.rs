//! The tracer: records every step of every request, for the live view of a run.
//!
//! If tracing is disabled, each step costs one test of an `Option`. A record contains everything needed to draw the
//! request from that time on, such as the arrival time of a message on a link or the end of a service. So the state
//! drawn for a moment of virtual time is exact and independent of later records.

use bevy_ecs::prelude::*;

use crate::engine::time::SimTime;
use crate::event::{Node, RequestRow};
use crate::model::node_state::NodeState;
use crate::request::Outcome;

/// One step of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRecord {
    /// Time of the step.
    pub at: SimTime,
    /// Row of the request in the pool, or [`RequestRow::NONE`] if no request is concerned. Requests in flight at the
    /// same time have different rows.
    pub request: RequestRow,
    /// The step.
    pub event: TraceEvent,
}

/// The state of a node, and the number of requests that it can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeCapacity {
    /// Its state.
    pub state: NodeState,
    /// Number of slots; 0 while it does not serve or is paused.
    pub slots: u32,
    /// Capacity of the queue, or `None` if it is unbounded; 0 while it does not serve.
    pub waiting: Option<u32>,
}

/// What becomes of a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It arrives at this time.
    Arrives(SimTime),
    /// It is being transferred: it shares the bandwidth of a link with other messages, so that the time is not known. When
    /// the transfer ends, the step is recorded again, with the time at which the message arrives.
    Transferred,
    /// A link loses it.
    Lost,
}

/// A step of a request. Any kind of node can record any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceEvent {
    /// A source creates the request.
    Created {
        /// The source.
        source: Node,
        /// The key of the request.
        key: u32,
    },
    /// A node makes a call.
    CallCreated {
        /// The node.
        caller: Node,
        /// The request for which it makes the call.
        parent: RequestRow,
        /// The key of the call, which is that of the request.
        key: u32,
    },
    /// The request is sent to a node.
    Sent {
        /// The node.
        to: Node,
        /// What becomes of it on its way.
        passage: Passage,
    },
    /// The response is sent to a node.
    ResponseSent {
        /// The node.
        to: Node,
        /// What becomes of it on its way.
        passage: Passage,
    },
    /// The request joins the queue of a node.
    Queued {
        /// The node.
        node: Node,
    },
    /// The request takes slots of a node: several, or one in which it takes several steps. One that takes a slot for a
    /// service only [starts](Self::Started) at once.
    Entered {
        /// The node.
        node: Node,
        /// Number of slots.
        slots: u32,
    },
    /// The request waits, in its slot, for a resource of the node.
    Waits {
        /// The node.
        node: Node,
        /// Index of the resource, in the order of [`Names::resources`](super::names::Names::resources).
        resource: u16,
    },
    /// The service of the request, or a step that takes time, starts.
    Started {
        /// The node.
        node: Node,
        /// When it ends.
        done: SimTime,
    },
    /// The request waits, in its slot, for a call or a branch.
    Called {
        /// The node.
        node: Node,
        /// The call.
        call: RequestRow,
    },
    /// The request no longer waits for its call, which took longer than its timeout.
    GaveUp {
        /// The node that made the call.
        node: Node,
    },
    /// The request leaves its slot: its service is over, and its calls have returned.
    Served {
        /// The node.
        node: Node,
    },
    /// A node rejects or sheds the request. Its response carries this outcome to the source.
    Rejected {
        /// The node.
        node: Node,
    },
    /// The state or the capacity of a node changes. No request is concerned, so the record has [`RequestRow::NONE`].
    ///
    /// If more slots are busy than the node has now, the surplus slots are removed as their services end. A node that
    /// goes down has no slots; its requests in service and in the queue end in the same instant.
    NodeCapacity {
        /// The node.
        node: Node,
        /// Its new capacity.
        holds: NodeCapacity,
    },
    /// The request ends and leaves its current place, which may be a queue or a slot.
    Over {
        /// The outcome of the request.
        outcome: Outcome,
    },
}

/// Records steps if tracing is enabled.
#[derive(Resource, Clone, Debug, Default)]
pub struct Tracer {
    /// The records since the last [`take`](Self::take), in order, or `None` if tracing is disabled.
    records: Option<Vec<TraceRecord>>,
}

impl Tracer {
    /// Whether tracing is enabled.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.records.is_some()
    }

    /// Enables tracing.
    pub fn enable(&mut self) {
        self.records.get_or_insert_default();
    }

    /// Returns and removes the records so far. Tracing continues.
    pub fn take(&mut self) -> Vec<TraceRecord> {
        self.records.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Records a step if tracing is enabled.
    #[inline(always)]
    pub fn record(&mut self, at: SimTime, request: RequestRow, event: impl FnOnce() -> TraceEvent) {
        if let Some(records) = &mut self.records {
            records.push(TraceRecord { at, request, event: event() });
        }
    }
}
