//! First in, first out.
//!
//! The queue is a linked list through the requests themselves ([`Request::next`](crate::request::Request)), so it needs
//! no memory of its own.

use serde::{Deserialize, Serialize};

use super::{Discipline, Queue};
use crate::engine::random::RandomStream;
use crate::event::RequestRow;
use crate::request::RequestsView;

/// The parameters of the discipline, as written in a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fifo {
    /// Capacity of the queue; unbounded by default. With 0, a request that finds no free slot is rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}

impl Discipline for Fifo {
    type Queue = FifoQueue;

    fn capacity(&self) -> Option<u32> {
        self.capacity
    }

    fn queue(&self, _: impl FnOnce() -> RandomStream) -> FifoQueue {
        FifoQueue::EMPTY
    }
}

/// The waiting requests: the first, and the last. Each request stores the row of the one behind it.
#[derive(Clone, Debug)]
pub(super) struct FifoQueue {
    head: RequestRow,
    tail: RequestRow,
}

impl FifoQueue {
    /// Without requests.
    pub(super) const EMPTY: Self = Self { head: RequestRow::NONE, tail: RequestRow::NONE };

    /// Whether nobody waits.
    pub(super) const fn is_empty(&self) -> bool {
        self.head.is_none()
    }
}

impl Queue for FifoQueue {
    #[inline(always)]
    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        requests.get_mut(row).next = RequestRow::NONE;
        if self.head.is_none() {
            self.head = row;
        } else {
            requests.get_mut(self.tail).next = row;
        }
        self.tail = row;
    }

    #[inline(always)]
    fn pop(&mut self, requests: &mut RequestsView<'_>) -> Option<RequestRow> {
        if self.head.is_none() {
            return None;
        }
        let row = self.head;
        self.head = requests.get(row).next;
        Some(row)
    }

    fn remove_ended(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        let mut all = std::mem::replace(self, Self::EMPTY);
        let mut ended = Vec::new();
        while let Some(row) = all.pop(requests) {
            if requests.get(row).is_in_flight() {
                self.push(requests, row);
            } else {
                ended.push(row);
            }
        }
        ended
    }
}
