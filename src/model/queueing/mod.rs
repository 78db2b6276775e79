//! Queueing: the requests that wait for a node, and the order in which they are served.
//!
//! Each discipline is a file with its parameters and its behaviour. To add one, add a file, its name in the list below,
//! and an example in `scenarios/reference.ron`.

mod adaptive_lifo;
mod fair;
mod fifo;
mod lifo;
mod priority;
mod random_order;

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

pub use adaptive_lifo::AdaptiveLifo;
pub use fair::Fair;
pub use fifo::Fifo;
pub use lifo::Lifo;
pub use priority::Priority;
pub use random_order::RandomOrder;

use crate::engine::random::RandomStream;
use crate::engine::statistics::TimeWeighted;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::RequestRow;
use crate::request::{Outcome, RequestsView};

/// The parameters of a discipline, as written in a scenario.
trait Discipline {
    /// The queue of the discipline.
    type Queue: Queue;

    /// Capacity of the queue, or `None` if it is unbounded.
    fn capacity(&self) -> Option<u32>;

    /// An empty queue. A discipline that needs random numbers draws them from the stream that `stream` makes.
    fn queue(&self, stream: impl FnOnce() -> RandomStream) -> Self::Queue;

    /// Gives a queue of this discipline these parameters, which have changed. The capacity is set elsewhere.
    fn adapt(&self, _: &mut Self::Queue) {}
}

/// The waiting requests, in the order of a discipline.
trait Queue {
    /// Adds a request.
    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow);

    /// Removes and returns the next request, or `None` if the queue is empty.
    fn pop(&mut self, requests: &mut RequestsView<'_>) -> Option<RequestRow>;

    /// Removes the requests that have ended, and returns them. The others keep their order.
    fn remove_ended(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow>;
}

/// Generates the enums over all disciplines from the list of their names.
macro_rules! disciplines {
    ($($(#[$doc:meta])* $Name:ident,)*) => {
        /// A queue as written in a scenario: its discipline and capacity.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum QueueSpec {
            $($(#[$doc])* $Name($Name),)*
        }

        /// A queue of any discipline.
        #[derive(Clone, Debug)]
        enum AnyQueue {
            $($Name(<$Name as Discipline>::Queue),)*
        }

        impl QueueSpec {
            fn queue(&self, stream: impl FnOnce() -> RandomStream) -> AnyQueue {
                match self {
                    $(Self::$Name(discipline) => AnyQueue::$Name(discipline.queue(stream)),)*
                }
            }

            /// Gives a queue of the same discipline these parameters. No effect on one of another discipline.
            fn adapt(&self, queue: &mut AnyQueue) {
                match (self, queue) {
                    $((Self::$Name(discipline), AnyQueue::$Name(queue)) => discipline.adapt(queue),)*
                    _ => {}
                }
            }

            /// The name of the discipline.
            #[must_use]
            pub const fn discipline(&self) -> &'static str {
                match self {
                    $(Self::$Name(_) => stringify!($Name),)*
                }
            }

            /// Capacity of the queue, or `None` if it is unbounded.
            #[must_use]
            pub fn bound(&self) -> Option<u32> {
                match self {
                    $(Self::$Name(discipline) => discipline.capacity(),)*
                }
            }
        }

        impl Queue for AnyQueue {
            #[inline(never)]
            fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
                match self {
                    $(Self::$Name(queue) => queue.push(requests, row),)*
                }
            }

            #[inline(never)]
            fn pop(&mut self, requests: &mut RequestsView<'_>) -> Option<RequestRow> {
                match self {
                    $(Self::$Name(queue) => queue.pop(requests),)*
                }
            }

            fn remove_ended(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
                match self {
                    $(Self::$Name(queue) => queue.remove_ended(requests),)*
                }
            }
        }
    };
}

disciplines! {
    /// First in, first out.
    Fifo,
    /// Last in, first out.
    Lifo,
    /// The highest priority first.
    Priority,
    /// Any waiting request, with equal probability.
    RandomOrder,
    /// First in, first out while few requests wait, and last in, first out while many do.
    AdaptiveLifo,
    /// One request of each key in turn.
    Fair,
}

impl Default for QueueSpec {
    fn default() -> Self {
        Self::Fifo(Fifo::default())
    }
}

/// The capacity of an unbounded queue.
const UNBOUNDED: u32 = u32::MAX;

impl QueueSpec {
    /// Capacity of the queue; [`u32::MAX`] if it is unbounded.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.bound().unwrap_or(UNBOUNDED)
    }
}

/// Number of requests that may have ended in a queue before all of them are removed.
const MIN_ENDED: u32 = 16;

/// The queue of a node.
#[derive(Component, Clone, Debug)]
pub struct WaitQueue {
    /// Number of waiting requests, over time.
    pub depth: TimeWeighted,
    capacity: u32,
    /// Number of requests that have left it because they ended, but are still in their places: no discipline finds one
    /// in its middle quickly. They are removed when they are next, or when they outnumber the others.
    ended: u32,
    queue: AnyQueue,
}

impl WaitQueue {
    /// An empty queue. A discipline that needs random numbers draws them from the stream that `stream` makes.
    #[must_use]
    pub fn new(spec: &QueueSpec, stream: impl FnOnce() -> RandomStream) -> Self {
        Self {
            depth: TimeWeighted::default(),
            capacity: spec.capacity(),
            ended: 0,
            queue: spec.queue(stream),
        }
    }

    /// Capacity of the queue; [`u32::MAX`] if it is unbounded.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Capacity of the queue, or `None` if it is unbounded.
    #[must_use]
    pub fn bound(&self) -> Option<u32> {
        (self.capacity < UNBOUNDED).then_some(self.capacity)
    }

    /// Sets the capacity. Requests that wait already stay, even if there are more of them.
    pub const fn set_capacity(&mut self, capacity: u32) {
        self.capacity = capacity;
    }

    /// Changes the parameters of its discipline, except for the capacity.
    pub fn adapt(&mut self, spec: &QueueSpec) {
        spec.adapt(&mut self.queue);
    }

    /// Whether the queue has a free place.
    #[must_use]
    #[inline]
    pub const fn has_room(&self) -> bool {
        self.depth.level() < self.capacity
    }

    /// Adds a request.
    #[inline]
    pub fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow, now: SimTime) {
        requests.get_mut(row).since = now;
        // Nearly every queue is of this discipline: the others are kept out of the hot path.
        if let AnyQueue::Fifo(queue) = &mut self.queue {
            queue.push(requests, row);
        } else {
            self.queue.push(requests, row);
        }
        self.depth.increment(now);
    }

    /// Removes the next request. Returns it with its waiting time, or `None` if the queue is empty.
    #[inline]
    pub fn pop(
        &mut self,
        requests: &mut RequestsView<'_>,
        now: SimTime,
    ) -> Option<(RequestRow, SimDuration)> {
        let next = if let AnyQueue::Fifo(queue) = &mut self.queue {
            queue.pop(requests)
        } else {
            self.queue.pop(requests)
        };
        let mut row = next?;
        if self.ended > 0 {
            row = self.skip_ended(requests, row)?;
        }
        self.depth.decrement(now);
        let request = requests.get_mut(row);
        let wait = now.since(request.since);
        request.waiting += wait;
        request.since = now;
        Some((row, wait))
    }

    /// The first request that has not ended, from `row` on, which has been removed. Frees those that have ended.
    #[cold]
    #[inline(never)]
    fn skip_ended(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) -> Option<RequestRow> {
        let mut row = row;
        while !requests.get(row).is_in_flight() {
            self.ended -= 1;
            requests.free(row);
            row = self.queue.pop(requests)?;
        }
        Some(row)
    }

    /// Lets a call leave the queue, which ends with this outcome. Its row is freed later.
    pub fn end_call(
        &mut self,
        requests: &mut RequestsView<'_>,
        call: RequestRow,
        outcome: Outcome,
        now: SimTime,
    ) {
        let waiting = requests.get_mut(call);
        waiting.waiting += now.since(waiting.since);
        requests.close_call(now, call, outcome);
        self.depth.decrement(now);
        self.ended += 1;
        if self.ended > self.depth.level().max(MIN_ENDED) {
            self.ended = 0;
            self.queue.remove_ended(requests).into_iter().for_each(|row| requests.free(row));
        }
    }
}
