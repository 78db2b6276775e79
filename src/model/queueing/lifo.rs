//! Last in, first out.
//!
//! The mean wait is that of first in, first out, but its variance is larger: under load, the newest requests are served at
//! once, and the oldest wait until the queue is empty. Kleinrock: "Queueing systems", volume 1, 1975.
//!
//! The queue is a linked list through the requests themselves ([`Request::next`](crate::request::Request)).

use serde::{Deserialize, Serialize};

use super::{Discipline, Queue};
use crate::engine::random::RandomStream;
use crate::event::RequestRow;
use crate::request::RequestsView;

/// The parameters of the discipline, as written in a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifo {
    /// Capacity of the queue; unbounded by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}

impl Discipline for Lifo {
    type Queue = LifoQueue;

    fn capacity(&self) -> Option<u32> {
        self.capacity
    }

    fn queue(&self, _: impl FnOnce() -> RandomStream) -> LifoQueue {
        LifoQueue { top: RequestRow::NONE }
    }
}

/// The waiting requests: the newest. Each request stores the row of the one before it.
#[derive(Clone, Debug)]
pub(super) struct LifoQueue {
    top: RequestRow,
}

impl Queue for LifoQueue {
    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        requests.get_mut(row).next = std::mem::replace(&mut self.top, row);
    }

    fn pop(&mut self, requests: &mut RequestsView<'_>) -> Option<RequestRow> {
        let row = self.top;
        (!row.is_none()).then(|| {
            self.top = requests.get(row).next;
            row
        })
    }

    fn remove_ended(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        let (mut kept, mut ended) = (Vec::new(), Vec::new());
        while let Some(row) = self.pop(requests) {
            if requests.get(row).is_in_flight() { kept.push(row) } else { ended.push(row) }
        }
        kept.into_iter().rev().for_each(|row| self.push(requests, row));
        ended
    }
}
