//! Any target, uniformly and independently of all that went before.

use crate::engine::random::RandomStream;

/// The policy has no state.
#[derive(Clone, Copy, Debug)]
pub struct Random;

impl Random {
    #[inline]
    pub(super) fn choose(self, targets: usize, stream: &mut RandomStream) -> usize {
        stream.index(targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_gets_its_share() {
        // 40,000 draws over 4 targets: a count has a standard error of 87, and 4.5 of them are exceeded in 7 of a
        // million.
        let mut stream = RandomStream::from_seed(1);
        let mut counts = [0_i64; 4];
        for _ in 0..40_000 {
            counts[Random.choose(4, &mut stream)] += 1;
        }
        assert!(counts.iter().all(|count| (count - 10_000).abs() < 390), "{counts:?}");
    }
}
