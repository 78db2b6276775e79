//! Stable hashing: the same hash on every machine, in every version. It is used to derive random streams, to spread
//! keys and to fingerprint runs. It is fast and mixes well, and is not secure against an adversary.

/// The finaliser of `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014):
/// a bijection of 64 bits in which each input bit flips each output bit with probability one half.
#[must_use]
#[inline]
pub const fn mix64(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A hasher of 64-bit words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StableHasher(u64);

impl StableHasher {
    /// A hasher without input.
    #[must_use]
    pub const fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// Adds one word, by one rotation and one multiplication. The hash depends on the order and the number of words.
    #[inline]
    pub const fn absorb(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25);
    }

    /// Adds a text, including its length.
    pub fn absorb_text(&mut self, text: &str) {
        self.absorb(text.len() as u64);
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.absorb(u64::from_le_bytes(word));
        }
    }

    /// The hash of all input so far.
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

    fn hash(texts: &[&str]) -> u64 {
        let mut hasher = StableHasher::new();
        for text in texts {
            hasher.absorb_text(text);
        }
        hasher.finish()
    }

    #[test]
    fn hashes_never_change() {
        assert_eq!(mix64(1), 0x5692_161d_100b_05e5);
        assert_eq!(hash(&["server-0", "service"]), 17_552_301_252_998_515_089);
    }

    #[test]
    fn the_boundaries_of_texts_change_the_hash() {
        assert_ne!(hash(&["server-1", "1"]), hash(&["server-11", ""]));
        assert_ne!(hash(&["a", "b"]), hash(&["b", "a"]));
        assert_ne!(hash(&[""]), hash(&["", ""]));
    }
}
