//! Always the same target for the same key: what keeps a customer's data in one place, and makes a hot key hurt.
//!
//! Without a salt the target is the remainder of the key by the number of targets. That spreads consecutive keys
//! evenly, and two stages that do it agree with each other: a client that was chosen by the remainder of three sees
//! only every third key. A salt scrambles keys first, differently for each salt.

use crate::engine::hash::mix64;

/// The policy.
#[derive(Clone, Copy, Debug)]
pub struct KeyHash {
    salt: Option<u64>,
}

impl KeyHash {
    /// A policy with or without a salt.
    #[must_use]
    pub const fn new(salt: Option<u64>) -> Self {
        Self { salt }
    }

    #[inline]
    pub(crate) fn choose(self, key: u32, targets: usize) -> usize {
        let hash = match self.salt {
            None => u64::from(key),
            Some(salt) => mix64(mix64(salt) ^ u64::from(key)),
        };
        #[expect(clippy::cast_possible_truncation, reason = "a remainder is below the number of targets")]
        let index = (hash % targets as u64) as usize;
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customer_1001_belongs_to_server_2_of_3() {
        assert_eq!(KeyHash::new(None).choose(1001, 3), 2);
    }

    #[test]
    fn a_salt_spreads_keys_that_have_something_in_common() {
        // 3,000 multiples of 3: a share of a third is 1,000 with a standard error of 26.
        let salted = KeyHash::new(Some(7));
        let hits = |target| (0..3_000).filter(|key| salted.choose(key * 3, 3) == target).count();
        assert!((0..3).all(|target| hits(target).abs_diff(1_000) < 120));
        assert_eq!((0..3_000).filter(|key| KeyHash::new(None).choose(key * 3, 3) == 0).count(), 3_000);
    }
}
