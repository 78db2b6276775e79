//! Routing by key: all requests with the same key go to the same target, so that a hot key overloads a single target.
//!
//! Without a salt, the target is the key modulo the number of targets. This spreads consecutive keys evenly. But two
//! stages that use it are correlated: behind a stage with three targets, each target receives only every third key. A
//! salt hashes the keys first, differently for each salt.

use serde::{Deserialize, Serialize};

use super::{Choice, LoadWindow, Parameters, Pick, RoutingQuery};
use crate::engine::hash::mix64;
use crate::engine::random::RandomStream;
use crate::model::check::Checker;
use crate::text::Path;

/// The policy and its parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyHash {
    /// Seed of a hash that is applied to keys. By default, the target is the key modulo the number of targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<u64>,
}

impl KeyHash {
    /// The index of the target that a key selects.
    #[inline]
    pub(super) fn target(self, key: u32, targets: usize) -> usize {
        let hash = match self.salt {
            None => u64::from(key),
            Some(salt) => mix64(mix64(salt) ^ u64::from(key)),
        };
        #[expect(clippy::cast_possible_truncation, reason = "a remainder is below the number of targets")]
        let index = (hash % targets as u64) as usize;
        index
    }
}

impl Parameters for KeyHash {
    type Policy = Self;

    fn policy(&self) -> Self {
        *self
    }

    fn check(&self, path: &Path, to: &[String], checker: &mut Checker<'_>) {
        check_salt(self.salt, path, to, checker);
    }
}

/// Warns of a salt that has no effect.
pub(super) fn check_salt(salt: Option<u64>, path: &Path, to: &[String], checker: &mut Checker<'_>) {
    if salt.is_some() && checker.is_single(to) {
        let message = "there is a single target: the salt has no effect";
        checker.warn(path.clone().name("salt"), message, "leave it out");
    }
}

impl Pick for KeyHash {
    #[inline]
    fn pick(&mut self, query: RoutingQuery<'_>, _: &mut LoadWindow, _: &mut RandomStream) -> Choice {
        Choice::of(self.target(query.key, query.targets.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_salt_the_target_is_the_key_modulo_the_number_of_targets() {
        assert_eq!(KeyHash { salt: None }.target(1001, 3), 2);
    }

    #[test]
    fn a_salt_spreads_keys_with_a_common_divisor() {
        // 3,000 multiples of 3 over 3 targets: 1,000 per target, with a standard error of 26.
        let hits =
            |policy: KeyHash, target| (0..3_000).filter(|key| policy.target(key * 3, 3) == target).count();
        assert!((0..3).all(|target| hits(KeyHash { salt: Some(7) }, target).abs_diff(1_000) < 120));
        assert_eq!(hits(KeyHash { salt: None }, 0), 3_000);
    }
}
