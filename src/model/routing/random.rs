//! Random routing: any target with the same probability, independently of earlier choices.

use super::{Choice, LoadWindow, Pick, RoutingQuery};
use crate::engine::random::{Draw, RandomStream};

/// The policy, which has no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Pick for Random {
    #[inline]
    fn pick(&mut self, query: RoutingQuery<'_>, _: &mut LoadWindow, stream: &mut RandomStream) -> Choice {
        Choice::of(stream.index(query.targets.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::router::testing::pick_with;
    use super::*;

    #[test]
    fn every_target_gets_an_equal_share() {
        // 40,000 draws over 4 targets: a count has a standard error of 87. The probability of a deviation of more than
        // 4.5 standard errors is 7 in a million.
        let mut stream = RandomStream::from_seed(1);
        let mut counts = [0_i64; 4];
        for _ in 0..40_000 {
            let choice = pick_with(0, 4, |query| Random.pick(query, &mut LoadWindow::default(), &mut stream));
            counts[choice.target] += 1;
        }
        assert!(counts.iter().all(|count| (count - 10_000).abs() < 390), "{counts:?}");
    }
}
