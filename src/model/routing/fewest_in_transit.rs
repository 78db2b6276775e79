//! Fewest in transit: the target to which the fewest requests of this node are on their way; the first of them if there are
//! several.
//!
//! A request that has arrived does not count any more, so that a slow server gets as many requests as a fast one, and at a low
//! load nearly all go to the first target. AsyncFlow 0.1.1 calls this least connections. Requests that links lose do not count,
//! and neither do those over links with a bandwidth, where it is not known in advance when they arrive.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Choice, LoadWindow, Pick, RoutingQuery};
use crate::engine::random::RandomStream;
use crate::engine::time::SimTime;

/// The policy.
#[derive(Clone, Debug, Default)]
pub struct FewestInTransit {
    /// For each target, when the requests arrive that are on their way.
    arrivals: Vec<BinaryHeap<Reverse<SimTime>>>,
}

impl Pick for FewestInTransit {
    fn pick(&mut self, query: RoutingQuery<'_>, _: &mut LoadWindow, _: &mut RandomStream) -> Choice {
        let in_transit = |target: &usize| self.in_transit(query.index(*target), query.now);
        Choice::of((0..query.targets.len()).min_by_key(in_transit).unwrap_or(0))
    }

    fn notes_arrivals(&self) -> bool {
        true
    }

    fn sent(&mut self, target: usize, arrives: SimTime) {
        if self.arrivals.len() <= target {
            self.arrivals.resize(target + 1, BinaryHeap::new());
        }
        self.arrivals[target].push(Reverse(arrives));
    }
}

impl FewestInTransit {
    /// Number of requests that are on their way to the target with this index among all targets.
    fn in_transit(&mut self, target: usize, now: SimTime) -> usize {
        let Some(arrivals) = self.arrivals.get_mut(target) else { return 0 };
        while arrivals.peek().is_some_and(|Reverse(at)| *at <= now) {
            arrivals.pop();
        }
        arrivals.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::router::testing::pick_with;
    use super::*;

    #[test]
    fn requests_count_until_they_arrive() {
        let (mut policy, mut stream) = (FewestInTransit::default(), RandomStream::from_seed(1));
        let mut pick = |policy: &mut FewestInTransit, at: u64| {
            let now = SimTime::from_nanos(at);
            pick_with(0, 3, |query| {
                policy.pick(RoutingQuery { now, ..query }, &mut LoadWindow::default(), &mut stream)
            })
            .target
        };
        assert_eq!(pick(&mut policy, 1), 0, "the first of equals");
        policy.sent(0, SimTime::from_nanos(10));
        policy.sent(1, SimTime::from_nanos(5));
        assert_eq!(pick(&mut policy, 4), 2);
        policy.sent(2, SimTime::from_nanos(20));
        assert_eq!(pick(&mut policy, 5), 1, "what arrives now has arrived");
        assert_eq!(pick(&mut policy, 10), 0);
    }
}
