//! First in, first out while few requests wait, and last in, first out while many do.
//!
//! In an overload, some requests wait in vain anyway. Then it is better to serve new requests at once than all of them too
//! late. Maurer: "Fail at scale", ACM Queue, 2015.

use std::collections::VecDeque;

use super::{Discipline, Queue, Turn};
use crate::engine::random::RandomStream;
use crate::event::RequestRow;
use crate::request::RequestsView;

discipline! {
    /// The parameters of the discipline, as written in a scenario.
    AdaptiveLifo {
        /// The newest request comes first while more than this number of requests wait.
        pub above: u32,
    }
}

impl Discipline for AdaptiveLifo {
    type Queue = Box<AdaptiveQueue>;

    fn queue(&self, _: impl FnOnce() -> RandomStream) -> Box<AdaptiveQueue> {
        Box::new(AdaptiveQueue { waiting: VecDeque::new(), above: self.above })
    }

    fn adapt(&self, queue: &mut Box<AdaptiveQueue>) {
        queue.above = self.above;
    }
}

/// The waiting requests in order of arrival.
#[derive(Clone, Debug)]
pub(super) struct AdaptiveQueue {
    waiting: VecDeque<RequestRow>,
    above: u32,
}

impl Queue for Box<AdaptiveQueue> {
    fn push(&mut self, _: &mut RequestsView<'_>, row: RequestRow) {
        self.waiting.push_back(row);
    }

    fn pop(&mut self, _: &mut RequestsView<'_>, turn: &mut Turn<'_>) -> Option<RequestRow> {
        if turn.waiting > self.above { self.waiting.pop_back() } else { self.waiting.pop_front() }
    }

    fn remove_gone(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        let is_gone = |row: &RequestRow| requests.is_gone(*row);
        let gone = self.waiting.iter().copied().filter(is_gone).collect();
        self.waiting.retain(|row| !is_gone(row));
        gone
    }
}
