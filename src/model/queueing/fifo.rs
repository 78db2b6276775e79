//! First in, first out.
//!
//! The queue is a linked list through the requests themselves ([`Request::next`](crate::request::Request)), so it needs
//! no memory of its own.

use super::{Discipline, Queue, Turn};
use crate::engine::random::RandomStream;
use crate::event::RequestRow;
use crate::request::RequestsView;

discipline! {
    /// The parameters of the discipline, as written in a scenario.
    #[derive(Default)]
    Fifo {}
}

impl Discipline for Fifo {
    type Queue = FifoQueue;

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

    /// Adds a request behind the others.
    #[inline(always)]
    pub(super) fn push_back(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        requests.get_mut(row).next = RequestRow::NONE;
        if self.head.is_none() {
            self.head = row;
        } else {
            requests.get_mut(self.tail).next = row;
        }
        self.tail = row;
    }

    /// Adds a request in front of the others.
    pub(super) fn push_front(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        requests.get_mut(row).next = self.head;
        if self.head.is_none() {
            self.tail = row;
        }
        self.head = row;
    }

    /// Removes and returns the first request.
    #[inline(always)]
    pub(super) fn pop_front(&mut self, requests: &RequestsView<'_>) -> Option<RequestRow> {
        if self.head.is_none() {
            return None;
        }
        let row = self.head;
        self.head = requests.get(row).next;
        Some(row)
    }
}

impl Queue for FifoQueue {
    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        self.push_back(requests, row);
    }

    fn pop(&mut self, requests: &mut RequestsView<'_>, _: &mut Turn<'_>) -> Option<RequestRow> {
        self.pop_front(requests)
    }

    fn remove_gone(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        let mut all = std::mem::replace(self, Self::EMPTY);
        let mut gone = Vec::new();
        while let Some(row) = all.pop_front(requests) {
            if requests.is_gone(row) {
                gone.push(row);
            } else {
                self.push_back(requests, row);
            }
        }
        gone
    }
}
