//! Choosing one of several targets without knowing anything of their state: what balancers and clients share.
//!
//! Policies are pure: they see the request's key, the number of targets, and the random stream that is handed in.

mod key_hash;
mod random;
mod round_robin;

pub use key_hash::KeyHash;
pub use random::Random;
pub use round_robin::RoundRobin;

use crate::engine::random::RandomStream;

/// A policy as it runs.
#[derive(Clone, Debug)]
pub enum Policy {
    /// Any target, uniformly.
    Random(Random),
    /// Always the same target for the same key.
    KeyHash(KeyHash),
    /// Each target in turn.
    RoundRobin(RoundRobin),
}

impl Policy {
    /// The index of the target for a request with this key, among `targets` (at least one).
    #[inline(always)]
    pub fn choose(&mut self, key: u32, targets: usize, stream: &mut RandomStream) -> usize {
        match self {
            Self::Random(policy) => policy.choose(targets, stream),
            Self::KeyHash(policy) => policy.choose(key, targets),
            Self::RoundRobin(policy) => policy.choose(targets),
        }
    }
}
