//! Stable hashing: the same bits on every machine, in every version. Random streams are derived, keys are spread and
//! runs are fingerprinted with it. It is fast and well mixed, and no defence against an adversary.

/// The finaliser of `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014):
/// a bijection of 64 bits in which each input bit flips each output bit with probability one half.
#[must_use]
#[inline]
pub const fn mix64(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A running hash over words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StableHasher(u64);

impl StableHasher {
    /// A hasher that has seen nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// Takes in one word. One rotation, one multiplication: the order of words matters, and their number.
    #[inline]
    pub const fn absorb(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25);
    }

    /// Takes in a text, its length included.
    pub fn absorb_text(&mut self, text: &str) {
        self.absorb(text.len() as u64);
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.absorb(u64::from_le_bytes(word));
        }
    }

    /// The hash of all that was taken in so far.
    #[must_use]
    pub const fn finish(self) -> u64 {
        mix64(self.0)
    }
}

impl Default for StableHasher {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> u64 {
        let mut hasher = StableHasher::new();
        for text in texts {
            hasher.absorb_text(text);
        }
        hasher.finish()
    }

    #[test]
    fn the_values_never_change() {
        assert_eq!(mix64(1), 0x5692_161d_100b_05e5);
        assert_eq!(of(&["server-0", "service"]), of(&["server-0", "service"]));
    }

    #[test]
    fn where_a_text_ends_matters() {
        assert_ne!(of(&["server-1", "1"]), of(&["server-11", ""]));
        assert_ne!(of(&["a", "b"]), of(&["b", "a"]));
        assert_ne!(of(&[""]), of(&["", ""]));
    }
}
