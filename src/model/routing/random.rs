//! Any target, uniformly and independently of all that went before.

use super::{Choice, LoadWindow, Pick, RoutingQuery};
use crate::engine::random::RandomStream;

/// The policy has no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Pick for Random {
    #[inline]
    fn pick(&mut self, ask: RoutingQuery<'_>, _: &mut LoadWindow, stream: &mut RandomStream) -> Choice {
        Choice::of(stream.index(ask.targets.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::router::testing::ask;
    use super::*;

    #[test]
    fn every_target_gets_its_share() {
        // 40,000 draws over 4 targets: a count has a standard error of 87, and 4.5 of them are exceeded in 7 of a
        // million.
        let mut stream = RandomStream::from_seed(1);
        let mut counts = [0_i64; 4];
        for _ in 0..40_000 {
            let choice = ask(0, 4, |ask| Random.pick(ask, &mut LoadWindow::default(), &mut stream));
            counts[choice.target] += 1;
        }
        assert!(counts.iter().all(|count| (count - 10_000).abs() < 390), "{counts:?}");
    }
}
