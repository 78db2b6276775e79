//! Each key has a share of the services by its weight.
//!
//! While requests of two keys wait, their services are in the proportion of the weights. Golestani: "A self-clocked fair
//! queueing scheme for broadband applications", 1994: a request gets the tag of the one of its key before it, or the current
//! tag if that is higher, plus one over its weight; the lowest tag is next and becomes the current one.

use std::collections::BTreeMap;

use super::ordered::OrderedQueue;
use super::{Discipline, Queue, Turn};
use crate::engine::random::RandomStream;
use crate::engine::spec_error::SpecError;
use crate::engine::total_order::TotalOrder;
use crate::event::RequestRow;
use crate::request::RequestsView;

discipline! {
    /// The parameters of the discipline, as written in a scenario.
    WeightedFair {
        /// The weights of keys: `{7: 3.0}`. A key that is not listed has a weight of 1.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub weights: BTreeMap<u32, f64>,
    }
}

/// The range of weights. Between these, the tags of requests have the precision that they need.
const MIN_WEIGHT: f64 = 1e-6;
const MAX_WEIGHT: f64 = 1e6;

impl Discipline for WeightedFair {
    type Queue = Box<WeightedQueue>;

    fn check(&self) -> Result<(), SpecError> {
        match self.weights.iter().find(|(_, weight)| !(MIN_WEIGHT..=MAX_WEIGHT).contains(*weight)) {
            None => Ok(()),
            Some((key, weight)) => {
                let message =
                    format!("the weight of the key {key} is {weight}: expected 0.000001 to 1000000");
                Err(SpecError::at("weights", message))
            }
        }
    }

    fn queue(&self, _: impl FnOnce() -> RandomStream) -> Box<WeightedQueue> {
        let weights = self.weights.clone();
        Box::new(WeightedQueue { weights, ..WeightedQueue::default() })
    }

    fn adapt(&self, queue: &mut Box<WeightedQueue>) {
        queue.weights.clone_from(&self.weights);
    }
}

/// The waiting requests by tag.
#[derive(Clone, Debug, Default)]
pub(super) struct WeightedQueue {
    weights: BTreeMap<u32, f64>,
    waiting: OrderedQueue<TotalOrder>,
    /// The tag of the request that was taken last.
    current: TotalOrder,
    /// The last tag of each key that has one above the current one.
    last: BTreeMap<u32, TotalOrder>,
    /// The number of last tags at which those that do not matter any more are removed.
    limit: usize,
}

/// Number of last tags that are kept in any case.
const MIN_LIMIT: usize = 64;

impl Queue for Box<WeightedQueue> {
    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        let WeightedQueue { weights, waiting, current, last, limit } = &mut **self;
        if waiting.is_empty() {
            last.clear();
            *current = TotalOrder::default();
        }
        let key = requests.get(row).key;
        let before = last.get(&key).copied().unwrap_or_default().max(*current);
        let tag = TotalOrder(before.0 + 1.0 / weights.get(&key).copied().unwrap_or(1.0));
        waiting.push(tag, row);
        last.insert(key, tag);
        if last.len() > (*limit).max(MIN_LIMIT) {
            last.retain(|_, tag| tag > current);
            *limit = 2 * last.len();
        }
    }

    fn pop(&mut self, _: &mut RequestsView<'_>, _: &mut Turn<'_>) -> Option<RequestRow> {
        let (tag, row) = self.waiting.pop()?;
        self.current = tag;
        Some(row)
    }

    fn remove_gone(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        self.waiting.remove_gone(requests)
    }
}
