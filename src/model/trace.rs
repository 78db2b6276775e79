//! The tracer: records every step of every request, for those who watch a run or ask where a request was when.
//!
//! Without one a run pays a look at an empty option for each step. A record tells all that a picture needs when it is
//! made: a message on a link when it will arrive, a service when it will be over. So what is drawn at a moment of
//! virtual time is exact, whatever comes later.

use bevy_ecs::prelude::*;

use crate::engine::time::SimTime;
use crate::event::{Node, RequestRow};
use crate::request::Outcome;

/// One step of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRecord {
    /// When it was taken.
    pub at: SimTime,
    /// The place of the request in the pool, if it is about one: requests that are under way at the same time have different ones.
    pub request: RequestRow,
    /// What happened.
    pub event: TraceEvent,
}

/// How many requests a node can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeCapacity {
    /// How many it works on at the same time.
    pub slots: u32,
    /// How many may wait; any number if there is no bound.
    pub waiting: Option<u32>,
}

/// What happens to a request. Any kind of node may do any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceEvent {
    /// It is created at a source.
    Created {
        /// The source.
        source: Node,
        /// Its key.
        key: u32,
    },
    /// It leaves for a node.
    Sent {
        /// The node.
        to: Node,
        /// When it arrives; nothing if it is lost on the way.
        arrives: Option<SimTime>,
    },
    /// Its response leaves for a node.
    ResponseSent {
        /// The node.
        to: Node,
        /// When it arrives; nothing if it is lost on the way.
        arrives: Option<SimTime>,
    },
    /// It waits in the queue of a node.
    Queued {
        /// The node.
        node: Node,
    },
    /// A node begins to serve it.
    Started {
        /// The node.
        node: Node,
        /// When it is done.
        done: SimTime,
    },
    /// A node has done its work on it: a slot is free.
    Served {
        /// The node.
        node: Node,
    },
    /// A node turned it away: its response will say so.
    Rejected {
        /// The node.
        node: Node,
    },
    /// A node can hold another number of requests from now on. This is no step of a request: it names [`RequestRow::NONE`].
    /// Where there are fewer slots than are taken, each goes when it becomes free. A node that goes down has none; those in
    /// service and those that wait are over in the same instant.
    NodeCapacity {
        /// The node.
        node: Node,
        /// How many; no slot if it is down.
        holds: NodeCapacity,
    },
    /// It is over: wherever it was, it is there no longer. It may be lost while it waits or is served.
    Over {
        /// What became of it.
        outcome: Outcome,
    },
}

/// The steps that were recorded since somebody asked.
#[derive(Resource, Clone, Debug, Default)]
pub struct Tracer {
    /// Records, in the order in which things happened; nothing if nobody watches.
    records: Option<Vec<TraceRecord>>,
}

impl Tracer {
    /// Begins to record.
    pub fn enable(&mut self) {
        self.records.get_or_insert_default();
    }

    /// Takes what was recorded, and goes on.
    pub fn take(&mut self) -> Vec<TraceRecord> {
        self.records.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Records a step, if anybody watches.
    #[inline(always)]
    pub fn record(&mut self, at: SimTime, request: RequestRow, event: impl FnOnce() -> TraceEvent) {
        if let Some(records) = &mut self.records {
            records.push(TraceRecord { at, request, event: event() });
        }
    }
}
