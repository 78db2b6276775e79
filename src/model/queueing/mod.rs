//! Queueing: the requests that wait for a node, and the order in which they are served.
//!
//! Each discipline is a file with its parameters and its behaviour. To add one, add a file, its name in the list below,
//! and an example in `scenarios/reference.ron`.

/// Declares the parameters of a discipline: its own, and the capacity, which all disciplines have.
macro_rules! discipline {
    ($(#[$attribute:meta])* $Name:ident { $($fields:tt)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $Name {
            $($fields)*
            /// Capacity of the queue; unbounded by default. With 0, a request that finds no free slot is rejected.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub capacity: Option<u32>,
        }

        impl super::Bounded for $Name {
            fn capacity(&self) -> Option<u32> {
                self.capacity
            }
        }
    };
}

mod adaptive_lifo;
mod codel;
mod earliest_deadline;
mod fair;
mod fifo;
mod joining;
mod lifo;
mod ordered;
mod priority;
mod random_order;
mod red;
mod shortest_first;
mod wait_queue;
mod weighted_fair;

use serde::{Deserialize, Serialize};

pub use adaptive_lifo::AdaptiveLifo;
pub use codel::CoDel;
pub use earliest_deadline::EarliestDeadline;
pub use fair::Fair;
pub use fifo::Fifo;
pub use joining::{BalkSpec, JoiningSpec};
pub use lifo::Lifo;
pub use priority::Priority;
pub use random_order::RandomOrder;
pub use red::Red;
pub use shortest_first::ShortestFirst;
pub use wait_queue::{WaitQueue, Waited};
pub use weighted_fair::WeightedFair;

use super::check::Checker;
use crate::engine::random::RandomStream;
use crate::engine::spec_error::SpecError;
use crate::engine::time::SimTime;
use crate::event::RequestRow;
use crate::request::RequestsView;
use crate::text::Path;

/// A queue that may have a capacity.
trait Bounded {
    /// Capacity of the queue, or `None` if it is unbounded.
    fn capacity(&self) -> Option<u32>;
}

/// The parameters of a discipline, as written in a scenario.
trait Discipline: Bounded {
    /// The queue of the discipline.
    type Queue: Queue;

    /// Whether it orders requests by their priority.
    const PRIORITY: bool = false;
    /// Whether it orders requests by their deadline.
    const DEADLINE: bool = false;
    /// Whether it orders requests by their service time, which is then drawn when they begin to wait.
    const SERVICE_TIME: bool = false;

    /// Reports an error in its own parameters.
    fn check(&self) -> Result<(), SpecError> {
        Ok(())
    }

    /// Whether it may shed requests.
    fn sheds(&self) -> bool {
        false
    }

    /// Whether a request may interrupt the service of another.
    fn is_preemptive(&self) -> bool {
        false
    }

    /// An empty queue. A discipline that needs random numbers draws them from the stream that `stream` makes.
    fn queue(&self, stream: impl FnOnce() -> RandomStream) -> Self::Queue;

    /// Gives a queue of this discipline these parameters, which have changed. The capacity is set elsewhere.
    fn adapt(&self, _: &mut Self::Queue) {}
}

/// The circumstances in which the next request is taken.
#[derive(Debug)]
struct Turn<'a> {
    now: SimTime,
    /// Number of requests that wait.
    waiting: u32,
    /// Gets the requests that are shed before it.
    shed: &'a mut Vec<RequestRow>,
}

/// The waiting requests, in the order of a discipline. Those that have left it may still have
/// their places among them.
trait Queue {
    /// Whether a request that arrives while this number of requests wait may join. Otherwise it is shed.
    fn admits(&mut self, _now: SimTime, _waiting: u32) -> bool {
        true
    }

    /// Adds a request that begins to wait now.
    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow);

    /// Adds a request whose service has been interrupted.
    fn put_back(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        self.push(requests, row);
    }

    /// Removes and returns the next request, or `None` if the queue is empty.
    fn pop(&mut self, requests: &mut RequestsView<'_>, turn: &mut Turn<'_>) -> Option<RequestRow>;

    /// The request in service that a request which arrives interrupts, if any. Those in service are in the order in which
    /// they began.
    fn preempted_by(
        &self,
        _requests: &RequestsView<'_>,
        _now: SimTime,
        _row: RequestRow,
        _in_service: &[RequestRow],
    ) -> Option<RequestRow> {
        None
    }

    /// Removes the requests that have left, and returns them. The others keep their order.
    fn remove_gone(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow>;
}

/// Generates the enums over all disciplines from the list of their names.
macro_rules! disciplines {
    ($($(#[$doc:meta])* $Name:ident,)*) => {
        /// A queue as written in a scenario: its discipline and capacity.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

            fn check_discipline(&self) -> Result<(), SpecError> {
                match self {
                    $(Self::$Name(discipline) => discipline.check(),)*
                }
            }

            /// Whether it may shed requests.
            #[must_use]
            pub fn sheds(&self) -> bool {
                match self {
                    $(Self::$Name(discipline) => discipline.sheds(),)*
                }
            }

            /// Whether a request may interrupt the service of another.
            #[must_use]
            pub fn is_preemptive(&self) -> bool {
                match self {
                    $(Self::$Name(discipline) => discipline.is_preemptive(),)*
                }
            }

            /// Whether it orders requests by their priority.
            #[must_use]
            pub const fn uses_priority(&self) -> bool {
                match self {
                    $(Self::$Name(_) => $Name::PRIORITY,)*
                }
            }

            /// Whether it orders requests by their deadline.
            #[must_use]
            pub const fn uses_deadline(&self) -> bool {
                match self {
                    $(Self::$Name(_) => $Name::DEADLINE,)*
                }
            }

            /// Whether it orders requests by their service time, which is then drawn when they begin to wait.
            #[must_use]
            pub const fn uses_service_time(&self) -> bool {
                match self {
                    $(Self::$Name(_) => $Name::SERVICE_TIME,)*
                }
            }
        }

        impl Queue for AnyQueue {
            fn admits(&mut self, now: SimTime, waiting: u32) -> bool {
                match self {
                    $(Self::$Name(queue) => queue.admits(now, waiting),)*
                }
            }

            fn put_back(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
                match self {
                    $(Self::$Name(queue) => queue.put_back(requests, row),)*
                }
            }

            fn preempted_by(
                &self,
                requests: &RequestsView<'_>,
                now: SimTime,
                row: RequestRow,
                in_service: &[RequestRow],
            ) -> Option<RequestRow> {
                match self {
                    $(Self::$Name(queue) => queue.preempted_by(requests, now, row, in_service),)*
                }
            }

            #[inline(never)]
            fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
                match self {
                    $(Self::$Name(queue) => queue.push(requests, row),)*
                }
            }

            fn pop(&mut self, requests: &mut RequestsView<'_>, turn: &mut Turn<'_>) -> Option<RequestRow> {
                match self {
                    $(Self::$Name(queue) => queue.pop(requests, turn),)*
                }
            }

            fn remove_gone(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
                match self {
                    $(Self::$Name(queue) => queue.remove_gone(requests),)*
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
    /// Services of each key in the proportion of its weight.
    WeightedFair,
    /// The shortest service time first.
    ShortestFirst,
    /// The earliest deadline first.
    EarliestDeadline,
    /// First in, first out; requests are shed while all of them wait too long.
    CoDel,
    /// First in, first out; requests that arrive are shed with a probability that grows with the queue.
    Red,
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

    /// Whether its discipline only decides who comes next, and this without knowing service times.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.sheds() && !self.is_preemptive() && !self.uses_service_time()
    }

    /// Reports errors in the parameters.
    pub(super) fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        checker.resolved(path.clone(), self.check_discipline());
    }
}
