//! Calls: requests that a node sends because of another request, their parent.
//!
//! A call has a row of the pool, and travels, waits and is served like any other request. What only calls need is in a
//! component of its own, [`CallState`], in the same row. Requests have it only if a node of the scenario makes calls.
//!
//! When a call ends, its parent goes on if it still waits for this call. A parent that has ended, or stopped waiting,
//! does not undo the work: the call stays where it is and ends like any other, without effect on its parent. Unless a
//! [cancellation](Cancellation) follows it: that takes the same links, and so may come too late.

use bevy_ecs::prelude::*;

use crate::engine::queue::EventKey;
use crate::engine::time::SimDuration;
use crate::event::RequestRow;

/// The relation of a request to calls: its parent if it is a call, and the call that it waits for.
#[derive(Component, Clone, Copy, Debug)]
pub struct CallState {
    /// The request that made this call, or [`RequestRow::NONE`] if this is a request of a source. Another request may
    /// use the row by now: only a parent that awaits this call is known to be there.
    pub(super) parent: RequestRow,
    /// The lower 32 bits of the number of the parent.
    pub(super) parent_number: u32,
    /// The call whose end the request waits for, or [`RequestRow::NONE`], or [`LOST`].
    pub(super) awaited: RequestRow,
    /// Number of calls that the request has made at the node that it is at.
    pub step: u16,
    /// Whether the parent waited for the end of this call. Set when it ends.
    pub(super) was_awaited: bool,
    /// Where it is, if a cancellation may follow it.
    pub(super) place: CallPlace,
    /// Time that the request, and the calls that it waited for, spent on calls that were given up.
    pub(super) given_up: SimDuration,
    /// The timeout of its wait for a call, or the end of its service if it may be cancelled; [`EventKey::NONE`] if there
    /// is none.
    pub(super) pending: EventKey,
}

/// In place of the call that a request waits for: a call that was lost, of which its caller does not know.
pub(super) const LOST: RequestRow = RequestRow::new(u32::MAX - 1);

/// Where a call is that a cancellation may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallPlace {
    /// No cancellation follows it.
    Untracked,
    /// On its way, or passed on.
    Between,
    /// In the queue of a node.
    Queued,
    /// In a slot of a node.
    InSlot,
    /// On its way, but the next node discards it.
    Cancelled,
}

impl CallState {
    /// The state of a free row.
    pub(super) const FREE: Self = Self {
        parent: RequestRow::NONE,
        parent_number: 0,
        awaited: RequestRow::NONE,
        step: 0,
        was_awaited: false,
        place: CallPlace::Untracked,
        given_up: SimDuration::ZERO,
        pending: EventKey::NONE,
    };

    /// Whether the request is a call.
    #[must_use]
    #[inline]
    pub const fn is_call(&self) -> bool {
        !self.parent.is_none()
    }

    /// Whether the request waits for a call.
    #[must_use]
    #[inline]
    pub const fn is_waiting(&self) -> bool {
        !self.awaited.is_none()
    }
}

/// A cancellation on its way: a message that follows a call over the links that it took.
#[derive(Clone, Copy, Debug)]
pub struct Cancellation {
    /// The call.
    pub call: RequestRow,
    /// The lower 32 bits of its number: another request may use its row by now.
    pub(super) number: u32,
    /// Number of links that it has passed.
    pub(super) passed: u8,
}

/// The cancellations on their way. Events refer to them by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Cancellations {
    all: Vec<Cancellation>,
    free: Vec<u32>,
}

impl Cancellations {
    /// Adds a cancellation. Returns its number.
    pub(super) fn add(&mut self, cancellation: Cancellation) -> u32 {
        if let Some(number) = self.free.pop() {
            self.all[number as usize] = cancellation;
            return number;
        }
        self.all.push(cancellation);
        u32::try_from(self.all.len() - 1).expect("there are fewer cancellations than requests")
    }

    /// Removes the cancellation with a number.
    pub(super) fn remove(&mut self, number: u32) -> Cancellation {
        self.free.push(number);
        self.all[number as usize]
    }
}
