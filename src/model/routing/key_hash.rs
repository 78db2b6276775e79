//! Always the same target for the same key: what keeps a customer's data in one place, and makes a hot key hurt.
//!
//! Without a salt the target is the remainder of the key by the number of targets. That spreads consecutive keys
//! evenly, and two stages that do it agree with each other: a client that was chosen by the remainder of three sees
//! only every third key. A salt scrambles keys first, differently for each salt.

use serde::{Deserialize, Serialize};

use super::{Choice, LoadWindow, Pick, RoutingQuery, Settings};
use crate::engine::hash::mix64;
use crate::engine::random::RandomStream;

/// The policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyHash {
    /// Scrambles keys; without it the target is the remainder of the key by the number of targets.
    #[serde(default)]
    pub salt: Option<u64>,
}

impl KeyHash {
    /// The index of the key's own target.
    #[inline]
    pub(super) fn of(self, key: u32, targets: usize) -> usize {
        let hash = match self.salt {
            None => u64::from(key),
            Some(salt) => mix64(mix64(salt) ^ u64::from(key)),
        };
        #[expect(clippy::cast_possible_truncation, reason = "a remainder is below the number of targets")]
        let index = (hash % targets as u64) as usize;
        index
    }
}

impl Settings for KeyHash {
    type Policy = Self;

    fn policy(&self, _: usize) -> Self {
        *self
    }
}

impl Pick for KeyHash {
    #[inline]
    fn pick(&mut self, ask: RoutingQuery<'_>, _: &mut LoadWindow, _: &mut RandomStream) -> Choice {
        Choice::of(self.of(ask.key, ask.targets.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customer_1001_belongs_to_server_2_of_3() {
        assert_eq!(KeyHash { salt: None }.of(1001, 3), 2);
    }

    #[test]
    fn a_salt_spreads_keys_that_have_something_in_common() {
        // 3,000 multiples of 3: a share of a third is 1,000 with a standard error of 26.
        let hits = |policy: KeyHash, target| (0..3_000).filter(|key| policy.of(key * 3, 3) == target).count();
        assert!((0..3).all(|target| hits(KeyHash { salt: Some(7) }, target).abs_diff(1_000) < 120));
        assert_eq!(hits(KeyHash { salt: None }, 0), 3_000);
    }
}
