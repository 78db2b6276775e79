//! Any waiting request, with equal probability.
//!
//! The mean wait is that of first in, first out; its variance lies between that of first and of last in, first out.
//! Kingman: "On queues in which customers are served in random order", 1962.

use serde::{Deserialize, Serialize};

use super::{Discipline, Queue};
use crate::engine::random::{Draw, RandomStream};
use crate::event::RequestRow;
use crate::request::RequestsView;

/// The parameters of the discipline, as written in a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomOrder {
    /// Capacity of the queue; unbounded by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}

impl Discipline for RandomOrder {
    type Queue = Box<RandomQueue>;

    fn capacity(&self) -> Option<u32> {
        self.capacity
    }

    fn queue(&self, stream: impl FnOnce() -> RandomStream) -> Box<RandomQueue> {
        Box::new(RandomQueue { waiting: Vec::new(), stream: stream() })
    }
}

/// The waiting requests, in no particular order.
#[derive(Clone, Debug)]
pub(super) struct RandomQueue {
    waiting: Vec<RequestRow>,
    stream: RandomStream,
}

impl Queue for Box<RandomQueue> {
    fn push(&mut self, _: &mut RequestsView<'_>, row: RequestRow) {
        self.waiting.push(row);
    }

    fn pop(&mut self, _: &mut RequestsView<'_>) -> Option<RequestRow> {
        if self.waiting.is_empty() {
            return None;
        }
        let RandomQueue { waiting, stream } = &mut **self;
        Some(waiting.swap_remove(stream.index(waiting.len())))
    }

    fn remove_ended(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        self.waiting.extract_if(.., |row| !requests.get(*row).is_in_flight()).collect()
    }
}
