//! A node that holds requests: who is served in which of its slots, and who waits.

use std::collections::VecDeque;

use crate::event::RequestRow;
use crate::model::trace::NodeCapacity;

/// Of a node with more slots it is known of only so many who is in each; of the others, how many are taken.
const MAX_SLOTS: u32 = 1_024;

/// A node that holds requests, as the live state knows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerState {
    /// Who waits, in order.
    pub line: VecDeque<RequestRow>,
    /// How many may wait; any number if there is no bound.
    pub may_wait: Option<u32>,
    /// Who is served, by slot. Slots beyond those that are active are still taken.
    pub slots: Vec<Option<RequestRow>>,
    /// How many slots the node has at the moment; none while it is down.
    pub active_slots: u32,
    /// How many are served.
    pub in_service: u32,
}

impl ServerState {
    /// An empty server state of a node that can hold as many.
    pub(super) fn new(holds: NodeCapacity) -> Self {
        let mut server_state = Self::default();
        server_state.hold(holds);
        server_state
    }

    /// Whether the node is down.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        self.active_slots == 0
    }

    /// Whether no slot is free.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.in_service >= self.active_slots
    }

    /// Whether nobody more may wait.
    #[must_use]
    pub fn has_full_line(&self) -> bool {
        self.may_wait.is_some_and(|bound| self.line.len() >= bound as usize)
    }

    /// Slots that are seen: those that are active, and those beyond them that are still taken.
    #[must_use]
    pub fn seen_slots(&self) -> usize {
        self.slots.len().max(self.active_slots.max(self.in_service) as usize)
    }

    /// The node can hold as many from now on.
    pub(super) fn hold(&mut self, NodeCapacity { slots, waiting }: NodeCapacity) {
        (self.active_slots, self.may_wait) = (slots, waiting);
        let shown = slots.min(MAX_SLOTS) as usize;
        if self.slots.len() < shown {
            self.slots.resize(shown, None);
        }
        self.take_away();
    }

    /// A request takes a slot; which one.
    pub(super) fn take(&mut self, row: RequestRow) -> usize {
        self.in_service += 1;
        let slot = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(row);
        }
        slot
    }

    /// A slot becomes free.
    pub(super) fn free(&mut self, slot: usize) {
        self.in_service -= 1;
        if let Some(place) = self.slots.get_mut(slot) {
            *place = None;
        }
        self.take_away();
    }

    /// A request leaves the line: the first one, nearly always.
    pub(super) fn leave_line(&mut self, row: RequestRow) {
        if self.line.front() == Some(&row) {
            self.line.pop_front();
        } else {
            self.line.retain(|other| *other != row);
        }
    }

    /// Free slots that are not active any more go, from the last one.
    fn take_away(&mut self) {
        while self.slots.len() > self.active_slots as usize && self.slots.last() == Some(&None) {
            self.slots.pop();
        }
    }
}
