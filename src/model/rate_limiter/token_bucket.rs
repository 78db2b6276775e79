//! The token bucket: tokens are added to a bucket at a fixed rate, up to its capacity. A request that finds a token
//! takes it and passes; a request that finds none is above the limit. So `burst` requests can pass at once, and `rate`
//! in the long run (Turner 1986, "New directions in communications"; ITU-T I.371 defines the same as the generic cell
//! rate algorithm).
//!
//! With Poisson arrivals, exactly the requests pass that an M/D/1/K queue with K = burst accepts: the missing tokens
//! are the work in that queue.

use crate::engine::time::SimTime;
use crate::engine::units::Rate;

/// Rounding error allowed in a token, so that requests that arrive exactly at the token rate all pass.
const TOKEN_TOLERANCE: f64 = 1e-9;

/// The rate and the capacity of a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BucketLimits {
    tokens_per_nano: f64,
    burst: f64,
}

impl BucketLimits {
    /// Limits with `rate` tokens added per second and a capacity of `burst` tokens.
    pub(super) fn new(rate: Rate, burst: u32) -> Self {
        Self { tokens_per_nano: rate.as_per_second() / 1e9, burst: f64::from(burst) }
    }
}

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TokenBucket {
    /// Number of tokens at the last update.
    tokens: f64,
    /// Time of the last update.
    at: SimTime,
}

impl TokenBucket {
    /// A full bucket.
    pub(super) const fn full(limits: BucketLimits, now: SimTime) -> Self {
        Self { tokens: limits.burst, at: now }
    }

    /// Number of tokens at `now`.
    pub(super) fn tokens(&self, limits: BucketLimits, now: SimTime) -> f64 {
        let added = now.since(self.at).as_nanos_f64() * limits.tokens_per_nano;
        (self.tokens + added).min(limits.burst)
    }

    /// Adds the tokens since the last update.
    pub(super) fn refill(&mut self, limits: BucketLimits, now: SimTime) {
        (self.tokens, self.at) = (self.tokens(limits, now), now);
    }

    /// Takes a token, and returns whether there was one.
    pub(super) fn take(&mut self, limits: BucketLimits, now: SimTime) -> bool {
        self.refill(limits, now);
        let has_token = self.tokens >= 1.0 - TOKEN_TOLERANCE;
        if has_token {
            self.tokens = (self.tokens - 1.0).max(0.0);
        }
        has_token
    }

    /// Whether the bucket is full, and so the same as a new one.
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
    fn a_burst_passes_at_once_and_later_requests_pass_at_the_token_rate() {
        assert_eq!(passed(limits(10.0, 5), std::iter::repeat_n(0, 100)), 5);
        // 100/s for 10 s: a burst of 5, then 10/s.
        assert_eq!(passed(limits(10.0, 5), (0..1_000).map(|i| i * 10_000_000)), 5 + 99);
    }

    #[test]
    fn arrivals_at_the_token_rate_always_pass() {
        for (per_second, nanos) in [(3.0, 333_333_334), (7.0, 142_857_143), (1000.0, 1_000_000)] {
            assert_eq!(
                passed(limits(per_second, 1), (0..100_000).map(|i| i * nanos)),
                100_000,
                "{per_second}/s"
            );
        }
    }

    #[test]
    fn an_idle_bucket_fills_up_to_its_capacity() {
        let limits = limits(2.0, 3);
        let mut bucket = TokenBucket::full(limits, SimTime::ZERO);
        assert!(bucket.take(limits, SimTime::ZERO) && !bucket.is_full(limits, SimTime::ZERO));
        let later = SimTime::from_nanos(500_000_000);
        assert!(bucket.is_full(limits, later));
        assert!((bucket.tokens(limits, SimTime::from_nanos(u64::MAX)) - 3.0).abs() < 1e-12);
    }
}
