//! Least connections: the target with the fewest requests that this node has sent there and that have not come back.
//!
//! A request counts from the moment it is sent until its response passes the node again, or until it is known to be lost,
//! cancelled or given up. Among targets with the same number, they are taken in turn, starting after the last one that was
//! picked: an idle system is used evenly. Requests that were sent before a change to this policy do not count.
//!
//! Each node counts its own requests only, as a balancer does; several balancers know nothing of each other. Picking looks
//! at all targets.

use indexmap::IndexMap;

use super::{Choice, LoadWindow, Pick, RoutingQuery};
use crate::engine::random::RandomStream;
use crate::event::RequestRow;

/// The policy.
#[derive(Clone, Debug, Default)]
pub struct LeastConnections {
    /// Number of outstanding requests of each target.
    outstanding: Vec<u32>,
    /// The targets of the outstanding requests.
    sent: IndexMap<RequestRow, usize>,
    /// Index of the target after the last one that was picked.
    next: usize,
}

impl Pick for LeastConnections {
    fn pick(&mut self, query: RoutingQuery<'_>, _: &mut LoadWindow, _: &mut RandomStream) -> Choice {
        let targets = query.targets.len();
        let first = if self.next < targets { self.next } else { 0 };
        let in_turn = (first..targets).chain(0..first);
        let outstanding = |target: &usize| self.outstanding.get(query.index(*target)).copied().unwrap_or(0);
        let chosen = in_turn.min_by_key(outstanding).unwrap_or(first);
        self.next = chosen + 1;
        self.count(query.request, query.index(chosen));
        Choice::of(chosen)
    }

    fn counts_requests(&self) -> bool {
        true
    }

    fn ended(&mut self, request: RequestRow) {
        if let Some(target) = self.sent.swap_remove(&request) {
            self.outstanding[target] -= 1;
        }
    }

    fn outstanding(&self) -> u64 {
        debug_assert_eq!(
            self.outstanding.iter().copied().map(u64::from).sum::<u64>(),
            self.sent.len() as u64,
            "each outstanding request counts once"
        );
        self.sent.len() as u64
    }
}

impl LeastConnections {
    /// Counts a request that is sent to the target with this index among all targets.
    fn count(&mut self, request: RequestRow, target: usize) {
        self.ended(request);
        if self.outstanding.len() <= target {
            self.outstanding.resize(target + 1, 0);
        }
        self.outstanding[target] += 1;
        self.sent.insert(request, target);
    }
}

#[cfg(test)]
mod tests {
    use super::super::router::testing::pick_with_request;
    use super::*;

    /// Picks one of these numbers of targets for a request.
    fn pick(policy: &mut LeastConnections, request: u32, targets: u32) -> usize {
        let mut stream = RandomStream::from_seed(1);
        let row = RequestRow::new(request);
        pick_with_request(row, targets, |query| policy.pick(query, &mut LoadWindow::default(), &mut stream))
            .target
    }

    #[test]
    fn the_target_with_the_fewest_outstanding_requests_is_next() {
        let mut policy = LeastConnections::default();
        let picked: Vec<usize> = (0..6).map(|request| pick(&mut policy, request, 3)).collect();
        assert_eq!(picked, [0, 1, 2, 0, 1, 2], "in turn, as all have equally many");
        policy.ended(RequestRow::new(4));
        assert_eq!(pick(&mut policy, 6, 3), 1);
        policy.ended(RequestRow::new(2));
        policy.ended(RequestRow::new(5));
        assert_eq!([pick(&mut policy, 7, 3), pick(&mut policy, 8, 3)], [2, 2]);
        assert_eq!(policy.outstanding(), 6);
    }

    #[test]
    fn a_request_that_ends_twice_or_was_not_counted_changes_nothing() {
        let mut policy = LeastConnections::default();
        pick(&mut policy, 1, 2);
        policy.ended(RequestRow::new(7));
        policy.ended(RequestRow::new(1));
        policy.ended(RequestRow::new(1));
        assert_eq!(policy.outstanding(), 0);
        pick(&mut policy, 1, 2);
        pick(&mut policy, 1, 2);
        assert_eq!(policy.outstanding(), 1, "a row that is used again");
    }
}
