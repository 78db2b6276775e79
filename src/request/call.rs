//! Calls: requests that a node sends because of another request, their parent.
//!
//! A call has a row of the pool, and travels, waits and is served like any other request. What only calls need is in a
//! component of its own, [`CallState`], in the same row. Requests have it only if a node of the scenario makes calls.
//!
//! When a call ends, its parent goes on if it still waits for this call. A parent that has ended, or stopped waiting,
//! does not undo the work: the call stays where it is and ends like any other, without effect on its parent.

use bevy_ecs::prelude::*;

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
    /// The call whose end the request waits for, or [`RequestRow::NONE`].
    pub(super) awaited: RequestRow,
    /// Number of calls that the request has made at the node that it is at.
    pub step: u16,
    /// Time that the request, and the calls that it waited for, spent on calls that were given up.
    pub(super) given_up: SimDuration,
    /// Whether the parent waited for the end of this call. Set when it ends.
    pub(super) was_awaited: bool,
}

impl CallState {
    /// The state of a free row.
    pub(super) const FREE: Self = Self {
        parent: RequestRow::NONE,
        parent_number: 0,
        awaited: RequestRow::NONE,
        given_up: SimDuration::ZERO,
        step: 0,
        was_awaited: false,
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
