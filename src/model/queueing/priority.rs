//! The highest priority first; first in, first out among equals. A service that has begun is not interrupted.
//!
//! The priority is that of the source of a request, and of its calls. Mean waits by priority: Cobham: "Priority assignment in
//! waiting line problems", 1954.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fifo::FifoQueue;
use super::{Discipline, Queue};
use crate::engine::random::RandomStream;
use crate::event::RequestRow;
use crate::request::RequestsView;

/// The parameters of the discipline, as written in a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Priority {
    /// Capacity of the queue, whatever the priorities are; unbounded by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}

impl Discipline for Priority {
    type Queue = Box<PriorityQueue>;

    fn capacity(&self) -> Option<u32> {
        self.capacity
    }

    fn queue(&self, _: impl FnOnce() -> RandomStream) -> Box<PriorityQueue> {
        Box::new(PriorityQueue::default())
    }
}

/// The waiting requests by priority; without priorities that nobody waits with.
#[derive(Clone, Debug, Default)]
pub(super) struct PriorityQueue(BTreeMap<i32, FifoQueue>);

impl Queue for Box<PriorityQueue> {
    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        let priority = requests.priority(row);
        self.0.entry(priority).or_insert(FifoQueue::EMPTY).push(requests, row);
    }

    fn pop(&mut self, requests: &mut RequestsView<'_>) -> Option<RequestRow> {
        let mut highest = self.0.last_entry()?;
        let row = highest.get_mut().pop(requests);
        if highest.get().is_empty() {
            highest.remove();
        }
        row
    }

    fn remove_ended(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        let ended = self.0.values_mut().flat_map(|queue| queue.remove_ended(requests)).collect();
        self.0.retain(|_, queue| !queue.is_empty());
        ended
    }
}
