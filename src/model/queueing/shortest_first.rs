//! The shortest service time first.
//!
//! The service time of a request is drawn when it begins to wait. No order has a lower mean wait among those that do not
//! interrupt services; if this one is preemptive, a request that arrives interrupts the service that has the most time left
//! if it needs less than that, and no order at all has a lower mean time. Schrage and Miller: "The queue M/G/1 with the
//! shortest remaining processing time discipline", 1966; Conway, Maxwell and Miller: "Theory of scheduling", 1967.

use super::ordered::OrderedQueue;
use super::{Discipline, Queue, Turn};
use crate::engine::random::RandomStream;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::RequestRow;
use crate::request::RequestsView;

discipline! {
    /// The parameters of the discipline, as written in a scenario.
    ShortestFirst {
        /// Whether a request interrupts the service that has the most time left, if it needs less. By default, it waits.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub preemptive: bool,
    }
}

impl Discipline for ShortestFirst {
    type Queue = Box<ShortestQueue>;

    const SERVICE_TIME: bool = true;

    fn is_preemptive(&self) -> bool {
        self.preemptive
    }

    fn queue(&self, _: impl FnOnce() -> RandomStream) -> Box<ShortestQueue> {
        Box::new(ShortestQueue::default())
    }
}

/// The waiting requests by the service time that they need.
#[derive(Clone, Debug, Default)]
pub(super) struct ShortestQueue(OrderedQueue<SimDuration>);

/// The service time that a request needs.
fn needed(requests: &RequestsView<'_>, row: RequestRow) -> SimDuration {
    requests.progress(row).left.unwrap_or(SimDuration::ZERO)
}

impl Queue for Box<ShortestQueue> {
    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        self.0.push(needed(requests, row), row);
    }

    fn pop(&mut self, _: &mut RequestsView<'_>, _: &mut Turn<'_>) -> Option<RequestRow> {
        self.0.pop().map(|(_, row)| row)
    }

    fn preempted_by(
        &self,
        requests: &RequestsView<'_>,
        now: SimTime,
        row: RequestRow,
        in_service: &[RequestRow],
    ) -> Option<RequestRow> {
        let left = |other: RequestRow| {
            let served = now.since(requests.get(other).since);
            needed(requests, other) - served
        };
        let longest = in_service.iter().copied().max_by_key(|other| left(*other))?;
        (left(longest) > needed(requests, row)).then_some(longest)
    }

    fn remove_gone(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        self.0.remove_gone(requests)
    }
}
