//! The witness: writes down every step of every request, for those who watch a run or ask where a request was when.
//!
//! Without one a run pays a look at an empty option for each step. A step tells all that a picture needs when it is
//! taken: a message on a link when it will arrive, a service when it will be over. So what is drawn at a moment of
//! virtual time is exact, whatever comes later.

use bevy_ecs::prelude::*;

use crate::engine::time::SimTime;
use crate::event::{Node, RequestRow};
use crate::request::Outcome;

/// One step of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When it was taken.
    pub at: SimTime,
    /// The place of the request in the pool, if it is about one: requests that are under way at the same time have different ones.
    pub request: RequestRow,
    /// What happened.
    pub what: What,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It is born at a source.
    Born {
        /// Row of the source.
        source: u32,
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
    Answered {
        /// The node.
        to: Node,
        /// When it arrives; nothing if it is lost on the way.
        arrives: Option<SimTime>,
    },
    /// It waits at a server.
    Queued {
        /// Row of the server.
        server: u32,
    },
    /// A server begins to serve it.
    Started {
        /// Row of the server.
        server: u32,
        /// When it is done.
        done: SimTime,
    },
    /// A server has done its work on it: a slot is free.
    Served {
        /// Row of the server.
        server: u32,
    },
    /// A server has no room for it: its response will say so.
    Rejected {
        /// Row of the server.
        server: u32,
    },
    /// A server offers another number of slots from now on. This is no step of a request: it names [`NO_REQUEST`]. Where
    /// they are fewer than are taken, each goes when it becomes free. A server that goes down offers none; those in service
    /// and those that wait are over in the same instant.
    ///
    /// [`NO_REQUEST`]: crate::request::NO_REQUEST
    Slots {
        /// Row of the server.
        server: u32,
        /// How many; none if it is down.
        slots: u32,
    },
    /// It is over: wherever it was, it is there no longer. It may be lost while it waits or is served.
    Over {
        /// What became of it.
        outcome: Outcome,
    },
}

/// The steps that were taken since somebody asked.
#[derive(Resource, Clone, Debug, Default)]
pub struct Witness {
    /// Steps, in the order in which they happened; nothing if nobody watches.
    steps: Option<Vec<Step>>,
}

impl Witness {
    /// Begins to write down steps.
    pub fn watch(&mut self) {
        self.steps.get_or_insert_default();
    }

    /// Takes the steps that were written down, and goes on.
    pub fn take(&mut self) -> Vec<Step> {
        self.steps.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Writes down a step, if anybody watches.
    #[inline(always)]
    pub fn note(&mut self, at: SimTime, request: RequestRow, what: impl FnOnce() -> What) {
        if let Some(steps) = &mut self.steps {
            steps.push(Step { at, request, what: what() });
        }
    }
}
