//! First in, first out while few requests wait, and last in, first out while many do.
//!
//! In an overload, some requests wait in vain anyway. Then it is better to serve new requests at once than all of them too
//! late. Maurer: "Fail at scale", ACM Queue, 2015.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Discipline, Queue};
use crate::engine::random::RandomStream;
use crate::event::RequestRow;
use crate::request::RequestsView;

/// The parameters of the discipline, as written in a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveLifo {
    /// The newest request comes first while more than this number of requests wait.
    pub above: u32,
    /// Capacity of the queue; unbounded by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}

impl Discipline for AdaptiveLifo {
    type Queue = Box<AdaptiveQueue>;

    fn capacity(&self) -> Option<u32> {
        self.capacity
    }

    fn queue(&self, _: impl FnOnce() -> RandomStream) -> Box<AdaptiveQueue> {
        Box::new(AdaptiveQueue { waiting: VecDeque::new(), above: self.above as usize })
    }

    fn adapt(&self, queue: &mut Box<AdaptiveQueue>) {
        queue.above = self.above as usize;
    }
}

/// The waiting requests in order of arrival.
#[derive(Clone, Debug)]
pub(super) struct AdaptiveQueue {
    waiting: VecDeque<RequestRow>,
    above: usize,
}

impl Queue for Box<AdaptiveQueue> {
    fn push(&mut self, _: &mut RequestsView<'_>, row: RequestRow) {
        self.waiting.push_back(row);
    }

    fn pop(&mut self, _: &mut RequestsView<'_>) -> Option<RequestRow> {
        if self.waiting.len() > self.above { self.waiting.pop_back() } else { self.waiting.pop_front() }
    }

    fn remove_ended(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        let is_ended = |row: &RequestRow| !requests.get(*row).is_in_flight();
        let ended = self.waiting.iter().copied().filter(is_ended).collect();
        self.waiting.retain(|row| !is_ended(row));
        ended
    }
}
