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

/// The capacity of a queue without a bound.
const ANY_NUMBER: u32 = u32::MAX;

impl QueueSpec {
    /// How many may wait.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        let Self::Fifo { capacity } = self;
        capacity.unwrap_or(ANY_NUMBER)
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
        Self { depth: TimeWeighted::default(), capacity: spec.capacity(), head: NO_REQUEST, tail: NO_REQUEST }
    }

    /// How many may wait.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// From now on one more may wait if fewer than so many do.
    pub(super) const fn set_capacity(&mut self, capacity: u32) {
        self.capacity = capacity;
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
