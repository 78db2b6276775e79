//! The request: its attributes, timestamps, return path and outcome, and the [record](RequestRecord) that is kept of
//! it. `pool` stores requests, `request_log` keeps records.
//!
//! Requests are entities that are spawned in batches and recycled: row n of their table is row n of the pool throughout
//! the run. A [`Request`] fills exactly one cache line, as every event touches one and large runs hold many. Attributes
//! that only some scenarios need are separate components in the same row, present only if the scenario uses them: a
//! size ([`MessageSizes`]), the relation to calls ([`call`]), and the [`progress`] through the steps of a node. [`Extras`] are
//! a list beside them.

pub mod call;
mod extras;
mod outcome;
mod pool;
pub mod progress;
mod request_log;

use bevy_ecs::prelude::*;

use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Node, RequestRow};

pub use extras::Extras;
pub use outcome::{Outcome, OutcomeCounts};
pub use pool::{
    PoolNeeds, RequestAttributes, RequestPool, Requests, RequestsView, default_max_in_flight, grow_pool,
};
pub use request_log::{FrequentKey, LogLevel, RequestLog, Sample};

/// The load that a server reports, in billionths of its concurrency: 0 when idle, 10^9 when full.
///
/// An integer, so that a mean load of 0.9 compares equal to a threshold of 0.9, without rounding errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportedLoad(u32);

impl ReportedLoad {
    /// The load of a full server.
    pub const FULL: Self = Self(1_000_000_000);

    /// The load closest to a share between 0 and 1.
    #[must_use]
    pub fn from_share(share: f64) -> Self {
        Self::from_billionths(share * Self::FULL.as_f64())
    }

    /// The load closest to a number of billionths.
    #[must_use]
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, as intended"
    )]
    pub fn from_billionths(billionths: f64) -> Self {
        Self((billionths + 0.5) as u32)
    }

    /// The load in billionths, as a float.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0)
    }

    /// The load in billionths.
    #[must_use]
    pub const fn billionths(self) -> u64 {
        self.0 as u64
    }
}

/// A request, or a free row of the pool.
#[derive(Component, Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Request {
    /// When it was created.
    pub created: SimTime,
    /// When its current wait or service began.
    pub since: SimTime,
    /// Time spent waiting in queues so far.
    pub waiting: SimDuration,
    /// Time spent in service so far.
    pub service: SimDuration,
    /// The lower 32 bits of its number in the run. Distinguishes requests that use the same row one after the other.
    pub number: u32,
    /// The object or customer that it concerns: load balancers and clients may route by it.
    pub key: u32,
    /// The node that last served, queued or rejected it; [`Node::NONE`] if there is none yet.
    pub server: Node,
    /// The request behind it in the queue, or [`RequestRow::NONE`].
    pub next: RequestRow,
    /// The load that its response reports to the nodes on its return path.
    pub load: ReportedLoad,
    /// The first hops of its return path, without that of its source. Further hops are in the pool.
    hops: [u32; INLINE_HOPS],
    /// Row of its source. A call has the source of its parent.
    pub source: u16,
    /// Length of its return path, without the hop of its source. The return path of a call ends at its caller.
    depth: u8,
    /// Its provisional outcome, which is final once it ends. `None` in a free row.
    pub outcome: Option<Outcome>,
}

/// Number of return hops stored in the request itself. Those of a longer path are in the pool.
const INLINE_HOPS: usize = 2;

/// The sizes of the messages of a request in bytes; 0 for those without a size. Requests have this component only if a part
/// of the scenario gives messages a size.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageSizes {
    /// The size of the request itself.
    pub request: u32,
    /// The size of its response, once a server responds to it.
    pub response: u32,
}

impl Request {
    const FREE: Self = Self {
        created: SimTime::ZERO,
        since: SimTime::ZERO,
        waiting: SimDuration::ZERO,
        service: SimDuration::ZERO,
        number: 0,
        key: 0,
        server: Node::NONE,
        next: RequestRow::NONE,
        load: ReportedLoad(0),
        hops: [0; INLINE_HOPS],
        source: 0,
        depth: 0,
        outcome: None,
    };

    /// Whether this row holds a request, which is then in flight.
    #[must_use]
    pub const fn is_in_flight(&self) -> bool {
        self.outcome.is_some()
    }
}

/// The request that made a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its number.
    pub id: u64,
    /// Whether it waited until the call ended. The times of the call are then part of its times.
    pub waited: bool,
}

/// The record of a request, taken when the request or the run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// Number of the request in order of creation, from 0. Calls are numbered with requests of sources.
    pub id: u64,
    /// The request that made it if it is a call.
    pub parent: Option<Parent>,
    /// Row of its source.
    pub source: u16,
    /// Its key.
    pub key: u32,
    /// Its class: a number that its source has given; `None` if it has the class of its source.
    pub class: Option<u16>,
    /// The sizes of its messages.
    pub sizes: MessageSizes,
    /// When it was created.
    pub created: SimTime,
    /// When it ended, and its outcome; `None` if it was in flight at the end of the run.
    pub finished: Option<(SimTime, Outcome)>,
    /// The node that last served, queued or rejected it, or `None` if there was none.
    pub server: Option<Node>,
    /// Time spent waiting in queues.
    pub waiting: SimDuration,
    /// Time spent in service.
    pub service: SimDuration,
    /// Time spent on calls that were given up.
    pub retries: SimDuration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_cache_line() {
        assert_eq!(size_of::<Request>(), 64);
    }

    #[test]
    fn nine_slots_of_ten_are_a_load_of_exactly_nine_tenths() {
        let of_ten =
            |n: u32| ReportedLoad::from_billionths(f64::from(n) * (ReportedLoad::FULL.as_f64() / 10.0));
        assert_eq!(of_ten(9), ReportedLoad::from_share(0.9));
        assert_eq!(of_ten(10), ReportedLoad::FULL);
        assert_eq!(ReportedLoad::from_share(1.0 / 3.0).billionths(), 333_333_333);
    }
}
