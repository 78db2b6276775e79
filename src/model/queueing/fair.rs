//! One request of each key in turn.
//!
//! A customer who sends many requests waits for their own requests, and not in front of those of others. Nagle: "On packet
//! switches with infinite storage", 1987.

use std::collections::{BTreeMap, VecDeque};

use super::fifo::FifoQueue;
use super::{Discipline, Queue, Turn};
use crate::engine::random::RandomStream;
use crate::event::RequestRow;
use crate::request::RequestsView;

discipline! {
    /// The parameters of the discipline, as written in a scenario.
    Fair {}
}

impl Discipline for Fair {
    type Queue = Box<FairQueue>;

    fn queue(&self, _: impl FnOnce() -> RandomStream) -> Box<FairQueue> {
        Box::new(FairQueue::default())
    }
}

/// The waiting requests by key, and the keys that have any in the order of their turns.
#[derive(Clone, Debug, Default)]
pub(super) struct FairQueue {
    by_key: BTreeMap<u32, FifoQueue>,
    turns: VecDeque<u32>,
}

impl Queue for Box<FairQueue> {
    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        let FairQueue { by_key, turns } = &mut **self;
        let key = requests.get(row).key;
        let own = by_key.entry(key).or_insert_with(|| {
            turns.push_back(key);
            FifoQueue::EMPTY
        });
        own.push_back(requests, row);
    }

    fn pop(&mut self, requests: &mut RequestsView<'_>, _: &mut Turn<'_>) -> Option<RequestRow> {
        let key = self.turns.pop_front()?;
        let own = self.by_key.get_mut(&key)?;
        let row = own.pop_front(requests);
        if own.is_empty() {
            self.by_key.remove(&key);
        } else {
            self.turns.push_back(key);
        }
        row
    }

    fn remove_gone(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        let gone = self.by_key.values_mut().flat_map(|queue| queue.remove_gone(requests)).collect();
        self.by_key.retain(|_, queue| !queue.is_empty());
        let FairQueue { by_key, turns } = &mut **self;
        turns.retain(|key| by_key.contains_key(key));
        gone
    }
}
