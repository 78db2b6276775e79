//! Each target in turn, from the first.

use super::{Choice, LoadWindow, Pick, RoutingQuery};
use crate::engine::random::RandomStream;

/// The policy and whose turn it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundRobin {
    next: usize,
}

impl Pick for RoundRobin {
    #[inline]
    fn pick(&mut self, ask: RoutingQuery<'_>, _: &mut LoadWindow, _: &mut RandomStream) -> Choice {
        let chosen = if self.next < ask.targets.len() { self.next } else { 0 };
        self.next = chosen + 1;
        Choice::of(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::super::router::testing::ask;
    use super::*;

    #[test]
    fn the_first_follows_the_last() {
        let (mut policy, mut stream) = (RoundRobin::default(), RandomStream::from_seed(1));
        let mut pick =
            |targets| ask(0, targets, |ask| policy.pick(ask, &mut LoadWindow::default(), &mut stream)).target;
        assert_eq!([0; 5].map(|_| pick(3)), [0, 1, 2, 0, 1]);
        assert_eq!(pick(1), 0, "targets may become fewer");
    }
}
