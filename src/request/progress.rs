//! The progress of a request through the steps of the node that it is at.
//!
//! A component of its own, in the same row as the request. Requests have it only if a node of the scenario runs steps.

use std::ops::{AddAssign, Index, IndexMut};

use bevy_ecs::prelude::*;

use super::RequestsView;
use super::call::CallPlace;
use crate::engine::time::SimDuration;
use crate::event::RequestRow;

/// Maximum depth of nested loops in the steps of a node.
pub const MAX_LOOPS: usize = 4;

/// Maximum number of places of pools that a request holds at the same time.
pub const MAX_PLACES: usize = 4;

/// The places of pools that a request holds, in the order in which it took them: the indices of the pools.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeldPlaces {
    pools: [u8; MAX_PLACES],
    count: u8,
}

impl HeldPlaces {
    /// Whether it holds none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a place of the pool with this index.
    pub fn push(&mut self, pool: u8) {
        self.pools[usize::from(self.count)] = pool;
        self.count += 1;
    }

    /// Removes the last place. Returns the index of its pool.
    pub fn pop(&mut self) -> Option<u8> {
        self.count = self.count.checked_sub(1)?;
        Some(self.pools[usize::from(self.count)])
    }
}

/// The progress of a request.
///
/// Every step needs what fits into the first cache line. Few need the second one.
#[derive(Component, Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Progress {
    /// How it has spent its time at its node.
    pub spent: Breakdown,
    /// Index of its current step.
    pub step: u16,
    /// Index of the endpoint that runs for it, among those of its node.
    pub endpoint: u16,
    /// What it does.
    pub phase: Phase,
    /// Where it is, if it is a call that a cancellation may follow.
    pub place: CallPlace,
    /// Whether it holds a core.
    pub holds_core: bool,
    /// Whether it is a branch of another request at the same node. It then has no slot of its own.
    pub is_branch: bool,
    /// How long its service or its current step still takes, if this is known before it goes on.
    pub left: Option<SimDuration>,
    /// The memory that it holds, in bytes.
    pub memory: u64,
    /// Rounds that are left of each loop that it is in.
    pub rounds: [u32; MAX_LOOPS],
    /// The places of pools that it holds.
    pub places: HeldPlaces,
    /// Number of the endpoint that the request asks for, or [`Progress::ANY`].
    pub asked: u16,
    /// Whether its service has been interrupted, and goes on when it is its turn again.
    pub is_interrupted: bool,
}

/// What a request does at a node that runs steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is not there, or waits for a slot.
    Outside,
    /// Its next step is due in this instant.
    Runnable,
    /// It computes, or is served.
    Working,
    /// It waits for I/O, or sleeps.
    InIo,
    /// It waits for what its current step needs: a core, memory, or a place in a pool.
    Waiting,
    /// It waits for calls or branches.
    Joining,
}

/// What a request spends its time on at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Waiting for a slot.
    SlotWait,
    /// Waiting for a core.
    CoreWait,
    /// Waiting for memory.
    MemoryWait,
    /// Waiting for a place in a pool.
    PoolWait,
    /// Computing.
    Cpu,
    /// Waiting for I/O, or sleeping.
    Io,
    /// Waiting for calls.
    Calls,
}

impl Activity {
    /// All activities.
    pub const ALL: [Self; 7] =
        [Self::SlotWait, Self::CoreWait, Self::MemoryWait, Self::PoolWait, Self::Cpu, Self::Io, Self::Calls];
}

/// The time that a request has spent at a node, by activity. For a request that waited for one of several branches, the
/// activities of the branch that it went on with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breakdown([SimDuration; Activity::ALL.len()]);

impl Breakdown {
    /// Nothing yet.
    pub const ZERO: Self = Self([SimDuration::ZERO; Activity::ALL.len()]);

    /// The sum over all activities.
    #[must_use]
    pub fn total(&self) -> SimDuration {
        self.0.iter().fold(SimDuration::ZERO, |sum, time| sum + *time)
    }

    /// The time spent in service: computing, and waiting for I/O.
    #[must_use]
    pub fn service(&self) -> SimDuration {
        self[Activity::Cpu] + self[Activity::Io]
    }

    /// The time spent waiting for a slot, a core, memory or a place in a pool.
    #[must_use]
    pub fn waiting(&self) -> SimDuration {
        use Activity::{CoreWait, MemoryWait, PoolWait, SlotWait};
        self[SlotWait] + self[CoreWait] + self[MemoryWait] + self[PoolWait]
    }
}

impl Index<Activity> for Breakdown {
    type Output = SimDuration;

    fn index(&self, activity: Activity) -> &SimDuration {
        &self.0[activity as usize]
    }
}

impl IndexMut<Activity> for Breakdown {
    fn index_mut(&mut self, activity: Activity) -> &mut SimDuration {
        &mut self.0[activity as usize]
    }
}

impl AddAssign for Breakdown {
    fn add_assign(&mut self, other: Self) {
        for (time, other) in self.0.iter_mut().zip(other.0) {
            *time += other;
        }
    }
}

impl Progress {
    /// The progress of the request before it has taken a step at a node.
    #[must_use]
    pub fn at_start(&self) -> Self {
        Self { asked: self.asked, place: self.place, ..Self::NONE }
    }

    /// In place of an endpoint: the request asks for none.
    pub const ANY: u16 = u16::MAX;

    /// The progress of a request that is at no node yet, and of a free row.
    pub const NONE: Self = Self {
        asked: Self::ANY,
        endpoint: 0,
        step: 0,
        phase: Phase::Outside,
        place: CallPlace::Untracked,
        holds_core: false,
        is_interrupted: false,
        is_branch: false,
        rounds: [0; MAX_LOOPS],
        places: HeldPlaces { pools: [0; MAX_PLACES], count: 0 },
        memory: 0,
        spent: Breakdown::ZERO,
        left: None,
    };
}

impl RequestsView<'_> {
    /// The progress of a request. Only if a node runs steps.
    #[inline]
    #[must_use]
    pub fn progress(&self, row: RequestRow) -> &Progress {
        &self.progress[row]
    }

    /// The progress of a request, mutably. Only if a node runs steps.
    #[inline]
    pub fn progress_mut(&mut self, row: RequestRow) -> &mut Progress {
        &mut self.progress[row]
    }

    /// The index of the endpoint that runs for a request, among those of its node; 0 if no node runs steps.
    #[must_use]
    pub fn endpoint_of(&self, row: RequestRow) -> usize {
        self.progress.get(row).map_or(0, |progress| usize::from(progress.endpoint))
    }
}
