//! Queueing: those who wait for a node, and in which order they are taken.
//!
//! Each discipline is a file with what is written of it, its source and its tests. A new one is a file, its name below, and
//! its words in `scenarios/reference.ron`.

mod fifo;

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

pub use fifo::Fifo;

use crate::engine::statistics::TimeWeighted;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::RequestRow;
use crate::request::RequestsView;

/// What is written of a discipline.
trait Discipline {
    /// The line that it makes of those who wait.
    type Queue: Queue;

    /// How many may wait; any number if it is not given.
    fn capacity(&self) -> Option<u32>;

    /// An empty line.
    fn line(&self) -> Self::Queue;
}

/// Those who wait, in the order of a discipline.
trait Queue {
    /// A request begins to wait.
    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow);

    /// Takes the request whose turn it is.
    fn pop(&mut self, requests: &mut RequestsView<'_>) -> Option<RequestRow>;
}

/// Makes the enums over disciplines of the list of them.
macro_rules! disciplines {
    ($($(#[$doc:meta])* $Name:ident,)*) => {
        /// A queue as it is written.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum QueueSpec {
            $($(#[$doc])* $Name($Name),)*
        }

        /// Those who wait.
        #[derive(Clone, Debug)]
        enum AnyQueue {
            $($Name(<$Name as Discipline>::Queue),)*
        }

        impl QueueSpec {
            fn line(&self) -> AnyQueue {
                match self {
                    $(Self::$Name(discipline) => AnyQueue::$Name(discipline.line()),)*
                }
            }

            /// How many may wait; any number if there is no bound.
            #[must_use]
            pub fn bound(&self) -> Option<u32> {
                match self {
                    $(Self::$Name(discipline) => discipline.capacity(),)*
                }
            }
        }

        impl Queue for AnyQueue {
            #[inline(always)]
            fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
                match self {
                    $(Self::$Name(line) => line.push(requests, row),)*
                }
            }

            #[inline(always)]
            fn pop(&mut self, requests: &mut RequestsView<'_>) -> Option<RequestRow> {
                match self {
                    $(Self::$Name(line) => line.pop(requests),)*
                }
            }
        }
    };
}

disciplines! {
    /// First in, first out.
    Fifo,
}

impl Default for QueueSpec {
    fn default() -> Self {
        Self::Fifo(Fifo::default())
    }
}

/// The capacity of a queue without a bound.
const ANY_NUMBER: u32 = u32::MAX;

impl QueueSpec {
    /// How many may wait, as a number.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.bound().unwrap_or(ANY_NUMBER)
    }
}

/// The requests that wait for a node.
#[derive(Component, Clone, Debug)]
pub struct WaitQueue {
    /// How many wait, over time.
    pub depth: TimeWeighted,
    capacity: u32,
    line: AnyQueue,
}

impl WaitQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(spec: &QueueSpec) -> Self {
        Self { depth: TimeWeighted::default(), capacity: spec.capacity(), line: spec.line() }
    }

    /// How many may wait.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// How many may wait, if there is a bound.
    #[must_use]
    pub fn bound(&self) -> Option<u32> {
        (self.capacity < ANY_NUMBER).then_some(self.capacity)
    }

    /// From now on one more may wait if fewer than so many do.
    pub const fn set_capacity(&mut self, capacity: u32) {
        self.capacity = capacity;
    }

    /// Whether one more may wait.
    #[must_use]
    #[inline]
    pub const fn has_room(&self) -> bool {
        self.depth.level() < self.capacity
    }

    /// A request begins to wait.
    #[inline]
    pub fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow, now: SimTime) {
        requests.get_mut(row).since = now;
        self.line.push(requests, row);
        self.depth.increment(now);
    }

    /// Takes the request whose turn it is and whose wait is over, and returns how long it was.
    #[inline]
    pub fn pop(
        &mut self,
        requests: &mut RequestsView<'_>,
        now: SimTime,
    ) -> Option<(RequestRow, SimDuration)> {
        let row = self.line.pop(requests)?;
        self.depth.decrement(now);
        let request = requests.get_mut(row);
        let wait = now.since(request.since);
        request.waiting += wait;
        request.since = now;
        Some((row, wait))
    }
}
