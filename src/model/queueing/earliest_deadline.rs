//! The earliest deadline first.
//!
//! The deadline of a request is its creation plus the `deadline` of its source, and that of its calls. A request that is late
//! when it is next is shed: nobody would use the response. Those without a deadline come last. Liu and Layland: "Scheduling
//! algorithms for multiprogramming in a hard-real-time environment", 1973.

use super::ordered::OrderedQueue;
use super::{Discipline, Queue, Turn};
use crate::engine::random::RandomStream;
use crate::engine::time::SimTime;
use crate::event::RequestRow;
use crate::request::RequestsView;

discipline! {
    /// The parameters of the discipline, as written in a scenario.
    EarliestDeadline {
        /// Whether requests that are late are served like all others. By default, they are shed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub keep_late: bool,
    }
}

impl Discipline for EarliestDeadline {
    type Queue = Box<DeadlineQueue>;

    const DEADLINE: bool = true;

    fn sheds(&self) -> bool {
        !self.keep_late
    }

    fn queue(&self, _: impl FnOnce() -> RandomStream) -> Box<DeadlineQueue> {
        Box::new(DeadlineQueue { waiting: OrderedQueue::default(), keep_late: self.keep_late })
    }

    fn adapt(&self, queue: &mut Box<DeadlineQueue>) {
        queue.keep_late = self.keep_late;
    }
}

/// The waiting requests by deadline.
#[derive(Clone, Debug)]
pub(super) struct DeadlineQueue {
    waiting: OrderedQueue<SimTime>,
    keep_late: bool,
}

impl Queue for Box<DeadlineQueue> {
    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        self.waiting.push(requests.deadline(row), row);
    }

    fn pop(&mut self, requests: &mut RequestsView<'_>, turn: &mut Turn<'_>) -> Option<RequestRow> {
        loop {
            let (deadline, row) = self.waiting.pop()?;
            if self.keep_late || deadline >= turn.now || requests.is_gone(row) {
                return Some(row);
            }
            turn.shed.push(row);
        }
    }

    fn remove_gone(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        self.waiting.remove_gone(requests)
    }
}
