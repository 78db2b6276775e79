//! Any waiting request, with equal probability.
//!
//! The mean wait is that of first in, first out; its variance lies between that of first and of last in, first out.
//! Kingman: "On queues in which customers are served in random order", 1962.

use super::{Discipline, Queue, Turn};
use crate::engine::random::{Draw, RandomStream};
use crate::event::RequestRow;
use crate::request::RequestsView;

discipline! {
    /// The parameters of the discipline, as written in a scenario.
    RandomOrder {}
}

impl Discipline for RandomOrder {
    type Queue = Box<RandomQueue>;

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

    fn pop(&mut self, _: &mut RequestsView<'_>, _: &mut Turn<'_>) -> Option<RequestRow> {
        if self.waiting.is_empty() {
            return None;
        }
        let RandomQueue { waiting, stream } = &mut **self;
        Some(waiting.swap_remove(stream.index(waiting.len())))
    }

    fn remove_gone(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        self.waiting.extract_if(.., |row| requests.is_gone(*row)).collect()
    }
}
