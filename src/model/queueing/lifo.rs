//! Last in, first out.
//!
//! The mean wait is that of first in, first out, but its variance is larger: under load, the newest requests are served at
//! once, and the oldest wait until the queue is empty. Kleinrock: "Queueing systems", volume 1, 1975.
//!
//! The queue is a linked list through the requests themselves ([`Request::next`](crate::request::Request)).

use super::{Discipline, Queue, Turn};
use crate::engine::random::RandomStream;
use crate::event::RequestRow;
use crate::request::RequestsView;

discipline! {
    /// The parameters of the discipline, as written in a scenario.
    Lifo {}
}

impl Discipline for Lifo {
    type Queue = LifoQueue;

    fn queue(&self, _: impl FnOnce() -> RandomStream) -> LifoQueue {
        LifoQueue { top: RequestRow::NONE }
    }
}

/// The waiting requests: the newest. Each request stores the row of the one before it.
#[derive(Clone, Debug)]
pub(super) struct LifoQueue {
    top: RequestRow,
}

impl LifoQueue {
    fn pop_top(&mut self, requests: &RequestsView<'_>) -> Option<RequestRow> {
        let row = self.top;
        (!row.is_none()).then(|| {
            self.top = requests.get(row).next;
            row
        })
    }
}

impl Queue for LifoQueue {
    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        requests.get_mut(row).next = std::mem::replace(&mut self.top, row);
    }

    fn pop(&mut self, requests: &mut RequestsView<'_>, _: &mut Turn<'_>) -> Option<RequestRow> {
        self.pop_top(requests)
    }

    fn remove_gone(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        let (mut kept, mut gone) = (Vec::new(), Vec::new());
        while let Some(row) = self.pop_top(requests) {
            if requests.is_gone(row) { gone.push(row) } else { kept.push(row) }
        }
        kept.into_iter().rev().for_each(|row| self.push(requests, row));
        gone
    }
}
