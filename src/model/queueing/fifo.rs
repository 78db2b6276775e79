//! First in, first out: the queue of every textbook.
//!
//! It is a list through the requests themselves, so it takes no memory of its own however long it grows.

use serde::{Deserialize, Serialize};

use super::{Discipline, Queue};
use crate::event::RequestRow;
use crate::request::RequestsView;

/// The discipline as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fifo {
    /// How many may wait; any number if it is not given. With 0 whoever finds no free slot is rejected.
    #[serde(default)]
    pub capacity: Option<u32>,
}

impl Discipline for Fifo {
    type Queue = FifoQueue;

    fn capacity(&self) -> Option<u32> {
        self.capacity
    }

    fn line(&self) -> FifoQueue {
        FifoQueue { head: RequestRow::NONE, tail: RequestRow::NONE }
    }
}

/// Those who wait: each request names the one behind it.
#[derive(Clone, Debug)]
pub(super) struct FifoQueue {
    head: RequestRow,
    tail: RequestRow,
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
}
