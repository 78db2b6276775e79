//! The token bucket: tokens drip into a bucket at a rate, up to as many as it holds; a request that finds one takes it, and
//! who finds none is over the limit. So `burst` requests may come at once, and `rate` of them in the long run (Turner 1986,
//! "New directions in communications"; ITU-T I.371 defines the same as the generic cell rate algorithm).
//!
//! With Poisson arrivals it lets pass just what a queue M/D/1/K with K = burst takes in: the tokens that are missing are the
//! work in that queue.

use crate::engine::time::SimTime;
use crate::engine::units::Rate;

/// What is missing to a whole token by rounding alone: so that requests which come exactly as often as tokens do all pass.
const ROUNDING: f64 = 1e-9;

/// What buckets go by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BucketLimits {
    tokens_per_nano: f64,
    burst: f64,
}

impl BucketLimits {
    /// Tokens come at this rate, into a bucket that holds so many.
    pub(super) fn new(rate: Rate, burst: u32) -> Self {
        Self { tokens_per_nano: rate.as_per_second() / 1e9, burst: f64::from(burst) }
    }
}

/// A bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TokenBucket {
    tokens: f64,
    /// When it was looked at last.
    at: SimTime,
}

impl TokenBucket {
    /// A full bucket.
    pub(super) const fn full(limits: BucketLimits, now: SimTime) -> Self {
        Self { tokens: limits.burst, at: now }
    }

    /// The tokens in it.
    pub(super) fn tokens(&self, limits: BucketLimits, now: SimTime) -> f64 {
        let dripped = now.since(self.at).as_nanos_f64() * limits.tokens_per_nano;
        (self.tokens + dripped).min(limits.burst)
    }

    /// Lets the time up to now pass.
    pub(super) fn refill(&mut self, limits: BucketLimits, now: SimTime) {
        (self.tokens, self.at) = (self.tokens(limits, now), now);
    }

    /// Takes a token if there is one.
    pub(super) fn take(&mut self, limits: BucketLimits, now: SimTime) -> bool {
        self.refill(limits, now);
        let there_is = self.tokens >= 1.0 - ROUNDING;
        if there_is {
            self.tokens = (self.tokens - 1.0).max(0.0);
        }
        there_is
    }

    /// Whether it is full, and so like one that nobody has ever taken from.
    pub(super) fn is_full(&self, limits: BucketLimits, now: SimTime) -> bool {
        self.tokens(limits, now) >= limits.burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_second: f64, burst: u32) -> BucketLimits {
        BucketLimits::new(Rate::per_second(per_second).expect("a rate"), burst)
    }

    fn passed(limits: BucketLimits, at: impl Iterator<Item = u64>) -> usize {
        let mut bucket = TokenBucket::full(limits, SimTime::ZERO);
        at.filter(|&nanos| bucket.take(limits, SimTime::from_nanos(nanos))).count()
    }

    #[test]
    fn a_burst_passes_at_once_and_then_as_many_as_tokens_come() {
        assert_eq!(passed(limits(10.0, 5), std::iter::repeat_n(0, 100)), 5);
        // A hundred a second for ten seconds: five at once, then ten a second.
        assert_eq!(passed(limits(10.0, 5), (0..1_000).map(|i| i * 10_000_000)), 5 + 99);
    }

    #[test]
    fn who_comes_as_often_as_tokens_do_always_passes() {
        for (per_second, nanos) in [(3.0, 333_333_334), (7.0, 142_857_143), (1000.0, 1_000_000)] {
            assert_eq!(
                passed(limits(per_second, 1), (0..100_000).map(|i| i * nanos)),
                100_000,
                "{per_second}/s"
            );
        }
    }

    #[test]
    fn a_bucket_that_rests_is_full_and_no_more_than_that() {
        let limits = limits(2.0, 3);
        let mut bucket = TokenBucket::full(limits, SimTime::ZERO);
        assert!(bucket.take(limits, SimTime::ZERO) && !bucket.is_full(limits, SimTime::ZERO));
        let later = SimTime::from_nanos(500_000_000);
        assert!(bucket.is_full(limits, later));
        assert!((bucket.tokens(limits, SimTime::from_nanos(u64::MAX)) - 3.0).abs() < 1e-12);
    }
}
