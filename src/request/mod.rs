//! The request: its attributes, its timestamps, its return path, its outcome, and the flat record that it leaves. Where
//! requests live is in `pool`.
//!
//! Requests are entities that are spawned in batches and recycled: row n of their table is request n of the pool for
//! as long as the run lasts. A request is one cache line, for it is what every event touches and what a large run
//! has most of.

mod journal;
mod pool;

use bevy_ecs::prelude::*;

use crate::engine::time::{SimDuration, SimTime};
use crate::event::RequestRow;

pub use journal::{FrequentKey, Journal, Sample};
pub use pool::{RequestPool, Requests, RequestsView, grow_pool};

/// No request: the end of a queue.
pub const NO_REQUEST: RequestRow = u32::MAX;
/// No server: the request has not reached one.
pub const NO_SERVER: u32 = u32::MAX;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// It was served and its response came back.
    Completed,
    /// A server had no room for it.
    Rejected,
    /// Its client waited no longer.
    TimedOut,
    /// A link lost it or its response, or a server that went down did.
    Dropped,
    /// It was turned away on purpose, to protect the rest.
    Shed,
}

impl Outcome {
    /// All outcomes, in the order in which they are reported.
    pub const ALL: [Self; 5] = [Self::Completed, Self::Rejected, Self::TimedOut, Self::Dropped, Self::Shed];

    /// The name in files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::TimedOut => "timed_out",
            Self::Dropped => "dropped",
            Self::Shed => "shed",
        }
    }
}

/// The load that a server reports, in billionths of its concurrency: 0 when idle, 10^9 when full.
///
/// Whole numbers, so that a mean of nine tenths is nine tenths, on which side of a threshold it lies included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Load(u32);

impl Load {
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
    /// Row of the server that it reached last, or [`NO_SERVER`].
    pub server: u32,
    /// The request behind it in the queue, or [`NO_REQUEST`].
    pub next: RequestRow,
    /// The load that its response reports.
    pub load: Load,
    /// The first nodes that await its response behind its source: numbers among the ways home.
    path: [u32; NEAR_WAYS],
    /// Row of its source.
    pub source: u16,
    /// How many nodes await its response, its source not counted: the length of its return path.
    depth: u8,
    /// What becomes of it, as things stand; nothing where the place is free.
    pub outcome: Option<Outcome>,
}

/// Ways home that a request carries itself. Those of a longer path lie in the pool.
const NEAR_WAYS: usize = 2;

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
        server: NO_SERVER,
        next: NO_REQUEST,
        load: Load(0),
        path: [0; NEAR_WAYS],
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
    /// Row of the last server that it reached.
    pub server: Option<u32>,
    /// How often it was tried.
    pub attempts: u16,
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
        let of_ten = |n: u32| Load::from_billionths(f64::from(n) * (Load::FULL.as_f64() / 10.0));
        assert_eq!(of_ten(9), Load::from_share(0.9));
        assert_eq!(of_ten(10), Load::FULL);
        assert_eq!(Load::from_share(1.0 / 3.0).billionths(), 333_333_333);
    }
}
