//! A queue in the order of a key that a request has when it begins to wait.

use std::collections::BTreeMap;

use crate::event::RequestRow;
use crate::request::RequestsView;

/// The waiting requests, the one with the least key first, in order of arrival among equals.
#[derive(Clone, Debug)]
pub(super) struct OrderedQueue<K> {
    waiting: BTreeMap<(K, u64), RequestRow>,
    /// Number of requests that were added so far.
    added: u64,
}

impl<K> Default for OrderedQueue<K> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), added: 0 }
    }
}

impl<K: Ord + Copy> OrderedQueue<K> {
    /// Adds a request with its key.
    pub(super) fn push(&mut self, key: K, row: RequestRow) {
        self.waiting.insert((key, self.added), row);
        self.added += 1;
    }

    /// Removes the request with the least key, and returns both.
    pub(super) fn pop(&mut self) -> Option<(K, RequestRow)> {
        self.waiting.pop_first().map(|((key, _), row)| (key, row))
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Removes the requests that have left, and returns them.
    pub(super) fn remove_gone(&mut self, requests: &RequestsView<'_>) -> Vec<RequestRow> {
        self.waiting.extract_if(.., |_, row| requests.is_gone(*row)).map(|(_, row)| row).collect()
    }
}
