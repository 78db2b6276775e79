//! The line in front of a server: first in, first out, with or without a bound.
//!
//! It is a list through the requests themselves, so it takes no memory of its own however long it grows.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use crate::engine::statistics::TimeWeighted;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::RequestRow;
use crate::request::{NO_REQUEST, RequestsView};

/// A queue as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum QueueSpec {
    /// First in, first out.
    Fifo {
        /// How many may wait; any number if it is not given. With 0 whoever finds no free slot is rejected.
        #[serde(default)]
        capacity: Option<u32>,
    },
}

impl Default for QueueSpec {
    fn default() -> Self {
        Self::Fifo { capacity: None }
    }
}

/// The requests that wait for a server.
#[derive(Component, Clone, Debug)]
pub struct WaitQueue {
    /// How many wait, over time.
    pub depth: TimeWeighted,
    capacity: u32,
    head: RequestRow,
    tail: RequestRow,
}

impl WaitQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(spec: &QueueSpec) -> Self {
        let QueueSpec::Fifo { capacity } = spec;
        Self {
            depth: TimeWeighted::default(),
            capacity: capacity.unwrap_or(u32::MAX),
            head: NO_REQUEST,
            tail: NO_REQUEST,
        }
    }

    /// Whether one more may wait.
    #[must_use]
    #[inline]
    pub const fn has_room(&self) -> bool {
        self.depth.level() < self.capacity
    }

    /// Puts a request at the end of the line.
    #[inline]
    pub fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow, now: SimTime) {
        let request = requests.get_mut(row);
        request.since = now;
        request.next = NO_REQUEST;
        if self.head == NO_REQUEST {
            self.head = row;
        } else {
            requests.get_mut(self.tail).next = row;
        }
        self.tail = row;
        self.depth.increment(now);
    }

    /// Takes the request at the head of the line, whose wait is over, and tells how long it was.
    #[inline]
    pub fn pop(
        &mut self,
        requests: &mut RequestsView<'_>,
        now: SimTime,
    ) -> Option<(RequestRow, SimDuration)> {
        if self.head == NO_REQUEST {
            return None;
        }
        let row = self.head;
        let request = requests.get_mut(row);
        self.head = request.next;
        self.depth.decrement(now);
        let wait = now.since(request.since);
        request.waiting += wait;
        request.since = now;
        Some((row, wait))
    }
}
