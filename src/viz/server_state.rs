//! The state of a node that holds requests: the requests in its slots, and its queue.

use std::collections::VecDeque;

use crate::event::RequestRow;
use crate::model::node_state::NodeState;
use crate::model::trace::NodeCapacity;

/// Maximum number of slots per node whose requests are known. Of further slots only the number of busy ones is known.
const MAX_SLOTS: u32 = 1_024;

/// The state of a node that holds requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerState {
    /// The waiting requests, in order.
    pub queue: VecDeque<RequestRow>,
    /// Capacity of the queue, or `None` if it is unlimited.
    pub queue_capacity: Option<u32>,
    /// The requests in service, by slot. Slots beyond the active ones were removed, but are still busy.
    pub slots: Vec<Option<RequestRow>>,
    /// Whether the node is there, and serves.
    pub state: NodeState,
    /// Number of slots that the node has now; 0 while it does not serve or is paused.
    pub active_slots: u32,
    /// Number of slots that are in use.
    pub in_service: u32,
}

impl ServerState {
    /// The state of an empty node.
    pub(super) fn new(capacity: NodeCapacity) -> Self {
        let mut server_state = Self::default();
        server_state.set_capacity(capacity);
        server_state
    }

    /// Whether the node is down.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.state == NodeState::Down
    }

    /// Whether no slot is free.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.in_service >= self.active_slots
    }

    /// Whether the queue has no free place.
    #[must_use]
    pub fn is_queue_full(&self) -> bool {
        self.queue_capacity.is_some_and(|capacity| self.queue.len() >= capacity as usize)
    }

    /// Whether it has as many slots as it needs.
    #[must_use]
    pub const fn is_unlimited(&self) -> bool {
        self.active_slots == u32::MAX
    }

    /// The number of slots in use, and that of all slots if it is limited.
    #[must_use]
    pub fn in_slots(&self) -> String {
        if self.is_unlimited() {
            return self.in_service.to_string();
        }
        format!("{} of {}", self.in_service, self.active_slots)
    }

    /// Number of slots to show: the active ones, and removed ones that are still busy. The busy ones if there is no limit.
    #[must_use]
    pub fn shown_slots(&self) -> usize {
        if self.is_unlimited() {
            return self.in_service as usize;
        }
        self.slots.len().max(self.active_slots.max(self.in_service) as usize)
    }

    /// Sets the state, the number of slots and the capacity of the queue.
    pub(super) fn set_capacity(&mut self, NodeCapacity { state, slots, waiting }: NodeCapacity) {
        (self.state, self.active_slots, self.queue_capacity) = (state, slots, waiting);
        let known_slots = if self.is_unlimited() { 0 } else { slots.min(MAX_SLOTS) as usize };
        if self.slots.len() < known_slots {
            self.slots.resize(known_slots, None);
        }
        self.remove_inactive_slots();
    }

    /// Lets a request take this number of slots, the first free ones. Returns the index of the first of them.
    pub(super) fn occupy_slots(&mut self, row: RequestRow, number: u32) -> usize {
        self.in_service += number;
        let first = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        if self.is_unlimited() && first == self.slots.len() && first < MAX_SLOTS as usize {
            self.slots.push(None);
        }
        let free = self.slots.iter_mut().skip(first).filter(|slot| slot.is_none());
        free.take(number as usize).for_each(|slot| *slot = Some(row));
        first
    }

    /// Frees the slots of a request, this number, of which this one is the first.
    pub(super) fn free_slots(&mut self, row: RequestRow, number: u32, first: usize) {
        self.in_service -= number;
        let of_request = self.slots.iter_mut().skip(first).filter(|slot| **slot == Some(row));
        of_request.take(number as usize).for_each(|slot| *slot = None);
        self.remove_inactive_slots();
    }

    /// Removes a request from the queue. Nearly always it is the first one.
    pub(super) fn leave_queue(&mut self, row: RequestRow) {
        if self.queue.front() == Some(&row) {
            self.queue.pop_front();
        } else {
            self.queue.retain(|other| *other != row);
        }
    }

    /// Removes free slots that are no longer active, from the end.
    fn remove_inactive_slots(&mut self) {
        let active = if self.is_unlimited() { 0 } else { self.active_slots as usize };
        while self.slots.len() > active && self.slots.last() == Some(&None) {
            self.slots.pop();
        }
    }
}
