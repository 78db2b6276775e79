//! The request: its attributes, its timestamps, its return path, its outcome, and the flat record that it leaves. Where
//! requests live is in `pool`.
//!
//! Requests are entities that are spawned in batches and recycled: row n of their table is request n of the pool for
//! as long as the run lasts. A [`Request`] is one cache line, for it is what every event touches and what a large run
//! has most of. It is full: what only some scenarios need (a size, and to come a deadline, a parent, attempts) is a cold
//! component of its own beside it, in the same row, which only those pools have whose scenario asks for it:
//! [`RequestSize`] is the first.

mod outcome;
mod pool;
mod request_log;

use bevy_ecs::prelude::*;

use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Node, RequestRow};

pub use outcome::{Outcome, OutcomeCounts};
pub use pool::{RequestPool, Requests, RequestsView, grow_pool};
pub use request_log::{FrequentKey, RequestLog, Sample};

/// The load that a server reports, in billionths of its concurrency: 0 when idle, 10^9 when full.
///
/// Whole numbers, so that a mean of nine tenths is nine tenths, on which side of a threshold it lies included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportedLoad(u32);

impl ReportedLoad {
    /// A server that is full.
    pub const FULL: Self = Self(1_000_000_000);

    /// The load nearest to a share between 0 and 1.
    #[must_use]
    pub fn from_share(share: f64) -> Self {
        Self::from_billionths(share * Self::FULL.as_f64())
    }

    /// The load nearest to this many billionths.
    #[must_use]
    #[inline]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, as wanted")]
    pub fn from_billionths(billionths: f64) -> Self {
        Self((billionths + 0.5) as u32)
    }

    /// Billionths as a float.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0)
    }

    /// Billionths.
    #[must_use]
    pub const fn billionths(self) -> u64 {
        self.0 as u64
    }
}

/// A request, or a free place for one.
#[derive(Component, Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Request {
    /// When it was born.
    pub created: SimTime,
    /// When its present wait or service began.
    pub since: SimTime,
    /// Time spent waiting in queues so far.
    pub waiting: SimDuration,
    /// Time spent in service so far.
    pub service: SimDuration,
    /// The lower 32 bits of its number: it is request number n of the run. Tells requests in the same row apart.
    pub number: u32,
    /// What it asks for, or for whom: balancers and clients may route by it.
    pub key: u32,
    /// The node that served it last, has it in its queue, or turned it away; [`Node::NONE`] if there is none yet.
    pub server: Node,
    /// The request behind it in the queue, or [`RequestRow::NONE`].
    pub next: RequestRow,
    /// The load that its response reports.
    pub load: ReportedLoad,
    /// The first nodes that await its response behind its source: numbers of return hops.
    hops: [u32; INLINE_HOPS],
    /// Row of its source.
    pub source: u16,
    /// How many nodes await its response, its source not counted: the length of its return path.
    depth: u8,
    /// What becomes of it if nothing else happens to it; nothing where the place is free.
    pub outcome: Option<Outcome>,
}

/// Return hops that a request carries itself. Those of a longer path lie in the pool.
const INLINE_HOPS: usize = 2;

/// The size of a request in bytes; only where some source gives sizes.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct RequestSize(pub u32);

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

    /// Whether this place holds a request.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        self.outcome.is_some()
    }
}

/// What is left of a request when it is over, or when the run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// Number of the request in order of birth, from 0.
    pub id: u64,
    /// Row of its source.
    pub source: u16,
    /// Its key.
    pub key: u32,
    /// Its size in bytes; zero where its source gives none.
    pub size: u32,
    /// When it was born.
    pub created: SimTime,
    /// When it was over and what became of it; nothing if it was still in flight at the end.
    pub finished: Option<(SimTime, Outcome)>,
    /// The node that served it last, has it in its queue, or turned it away.
    pub server: Option<Node>,
    /// Time spent waiting in queues.
    pub waiting: SimDuration,
    /// Time spent in service.
    pub service: SimDuration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_cache_line() {
        assert_eq!(size_of::<Request>(), 64);
    }

    #[test]
    fn nine_tenths_are_nine_tenths() {
        let of_ten =
            |n: u32| ReportedLoad::from_billionths(f64::from(n) * (ReportedLoad::FULL.as_f64() / 10.0));
        assert_eq!(of_ten(9), ReportedLoad::from_share(0.9));
        assert_eq!(of_ten(10), ReportedLoad::FULL);
        assert_eq!(ReportedLoad::from_share(1.0 / 3.0).billionths(), 333_333_333);
    }
}
