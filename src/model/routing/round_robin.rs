//! Round robin: each target in turn, starting with the first.

use super::{Choice, LoadWindow, Pick, RoutingQuery};
use crate::engine::random::RandomStream;

/// The policy.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundRobin {
    /// Index of the next target. It may exceed the last index, which means the first target.
    next: usize,
}

impl Pick for RoundRobin {
    #[inline]
    fn pick(&mut self, query: RoutingQuery<'_>, _: &mut LoadWindow, _: &mut RandomStream) -> Choice {
        let chosen = if self.next < query.targets.len() { self.next } else { 0 };
        self.next = chosen + 1;
        Choice::of(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::super::router::testing::pick_with;
    use super::*;

    #[test]
    fn the_first_target_follows_the_last() {
        let (mut policy, mut stream) = (RoundRobin::default(), RandomStream::from_seed(1));
        let mut pick = |targets| {
            pick_with(0, targets, |query| policy.pick(query, &mut LoadWindow::default(), &mut stream)).target
        };
        assert_eq!([0; 5].map(|_| pick(3)), [0, 1, 2, 0, 1]);
        assert_eq!(pick(1), 0, "the number of targets may decrease");
    }
}
