//! The highest priority first; first in, first out among equals.
//!
//! The priority is that of the source of a request, and of its calls. If it is preemptive, a request that arrives interrupts
//! the service of one of a lower priority, which goes on later where it was interrupted. Mean waits by priority: Cobham:
//! "Priority assignment in waiting line problems", 1954; preemptive: Miller: "Priority queues", 1960.

use std::collections::BTreeMap;

use super::fifo::FifoQueue;
use super::{Discipline, Queue, Turn};
use crate::engine::random::RandomStream;
use crate::engine::time::SimTime;
use crate::event::RequestRow;
use crate::request::RequestsView;

discipline! {
    /// The parameters of the discipline, as written in a scenario.
    Priority {
        /// Whether a request interrupts the service of one of a lower priority. By default, it waits for its end.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub preemptive: bool,
    }
}

impl Discipline for Priority {
    type Queue = Box<PriorityQueue>;

    const PRIORITY: bool = true;

    fn is_preemptive(&self) -> bool {
        self.preemptive
    }

    fn queue(&self, _: impl FnOnce() -> RandomStream) -> Box<PriorityQueue> {
        Box::new(PriorityQueue::default())
    }
}

/// The waiting requests by priority; without priorities that nobody waits with.
#[derive(Clone, Debug, Default)]
pub(super) struct PriorityQueue(BTreeMap<i32, FifoQueue>);

impl PriorityQueue {
    fn of(&mut self, priority: i32) -> &mut FifoQueue {
        self.0.entry(priority).or_insert(FifoQueue::EMPTY)
    }
}

impl Queue for Box<PriorityQueue> {
    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        self.of(requests.priority(row)).push_back(requests, row);
    }

    fn put_back(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        self.of(requests.priority(row)).push_front(requests, row);
    }

    fn pop(&mut self, requests: &mut RequestsView<'_>, _: &mut Turn<'_>) -> Option<RequestRow> {
        let mut highest = self.0.last_entry()?;
        let row = highest.get_mut().pop_front(requests);
        if highest.get().is_empty() {
            highest.remove();
        }
        row
    }

    /// The request of the lowest priority; the one that began last among equals.
    fn preempted_by(
        &self,
        requests: &RequestsView<'_>,
        _: SimTime,
        row: RequestRow,
        in_service: &[RequestRow],
    ) -> Option<RequestRow> {
        let lowest = in_service.iter().rev().copied().min_by_key(|other| requests.priority(*other))?;
        (requests.priority(lowest) < requests.priority(row)).then_some(lowest)
    }

    fn remove_gone(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        let gone = self.0.values_mut().flat_map(|queue| queue.remove_gone(requests)).collect();
        self.0.retain(|_, queue| !queue.is_empty());
        gone
    }
}
