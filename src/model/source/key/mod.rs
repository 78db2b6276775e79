//! Keys of requests: the scenario format ([`KeySpec`]) and the sampler that draws them ([`KeySampler`]).

mod zipf;

use rand_distr::Distribution;
use serde::{Deserialize, Serialize};

use self::zipf::Zipf;
use crate::engine::distribution::AliasTable;
use crate::engine::random::{Draw, RandomStream};
use crate::engine::spec_error::{self, SpecError};

/// Keys as written in a scenario: 0 to 4294967295.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum KeySpec {
    /// The same key for all requests.
    Fixed(u64),
    /// Uniform from the first key to the second, both included.
    Uniform(u64, u64),
    /// Popular keys and a long tail: the probability of key k is proportional to 1 / (k + 1)^exponent.
    Zipf {
        /// Number of keys: from 0, the most popular, to `keys` - 1.
        keys: u64,
        /// Skew of the popularity: above 0, at most 100; about 0.8 to 1 for web traffic.
        exponent: f64,
    },
    /// Pairs of a key and its weight. The weights need not sum to 1.
    Weighted(Vec<(u64, f64)>),
}

impl Default for KeySpec {
    /// Key 0 for all requests.
    fn default() -> Self {
        Self::Fixed(0)
    }
}

impl KeySpec {
    /// Checks the parameters and builds the sampler.
    ///
    /// # Errors
    /// If the parameters are invalid, with the field (`[2]` for an entry of a list, empty for the value as a whole) and
    /// a hint.
    pub fn resolve(&self) -> Result<KeySampler, SpecError> {
        match self {
            Self::Fixed(key) => Ok(KeySampler::Fixed(checked("", *key)?)),
            Self::Uniform(first, last) => {
                if first > last {
                    return Err(SpecError::at(
                        "",
                        format!("Uniform({first}, {last}) is empty: swap the bounds"),
                    ));
                }
                let (first, last) = (checked("", *first)?, checked("", *last)?);
                Ok(KeySampler::Uniform { first, count: u64::from(last - first) + 1 })
            }
            Self::Zipf { keys, exponent } => zipf::resolve(*keys, *exponent),
            Self::Weighted(entries) => resolve_weighted(entries),
        }
    }
}

fn resolve_weighted(entries: &[(u64, f64)]) -> Result<KeySampler, SpecError> {
    if entries.is_empty() {
        return Err(SpecError::at("", "Weighted is empty: give at least one (key, weight)"));
    }
    let weights: Vec<f64> = entries.iter().map(|(_, weight)| *weight).collect();
    spec_error::weights("", weights.iter().copied())?;
    let mut keys = Vec::with_capacity(entries.len());
    let mut seen = std::collections::BTreeSet::new();
    for (i, &(key, _)) in entries.iter().enumerate() {
        if !seen.insert(key) {
            return Err(SpecError::at(
                format!("[{i}]"),
                format!("key {key} is listed twice: add up its weights"),
            ));
        }
        keys.push(checked(&format!("[{i}]"), key)?);
    }
    Ok(KeySampler::Weighted(Box::new(Weighted { keys, table: AliasTable::new(&weights) })))
}

/// Converts a key to its type, or returns an error if it is out of range.
fn checked(field: &str, key: u64) -> Result<u32, SpecError> {
    u32::try_from(key).map_err(|_| {
        SpecError::at(field, format!("key {key} is out of range: keys are from 0 to {}", u32::MAX))
    })
}

/// Draws keys.
#[derive(Clone, Debug, PartialEq)]
pub enum KeySampler {
    /// The same key each time.
    Fixed(u32),
    /// Uniform over `count` keys from `first` on.
    Uniform {
        /// The first key.
        first: u32,
        /// Number of keys, 1 to 2^32.
        count: u64,
    },
    /// By Zipf's law.
    Zipf(Box<Zipf>),
    /// By weight.
    Weighted(Box<Weighted>),
}

/// Keys, and the table that draws one of them by weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighted {
    keys: Vec<u32>,
    table: AliasTable,
}

impl KeySampler {
    /// Draws a key.
    #[inline(always)]
    #[must_use]
    pub fn sample(&self, stream: &mut RandomStream) -> u32 {
        if let Self::Fixed(key) = self { *key } else { self.draw(stream) }
    }

    fn draw(&self, stream: &mut RandomStream) -> u32 {
        match self {
            Self::Fixed(key) => *key,
            #[expect(clippy::cast_possible_truncation, reason = "below `count`, which is at most 2^32")]
            Self::Uniform { first, count } => first + stream.below(*count) as u32,
            Self::Zipf(zipf) => zipf.sample(stream),
            Self::Weighted(weighted) => weighted.keys[weighted.table.sample(stream)],
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    fn draws(spec: &KeySpec, count: usize) -> Vec<u32> {
        let (sampler, mut stream) = (spec.resolve().expect("a sampler"), RandomStream::from_seed(4));
        (0..count).map(|_| sampler.sample(&mut stream)).collect()
    }

    fn diagnostic(spec: &KeySpec) -> String {
        spec.resolve().expect_err("the parameters are invalid").to_string()
    }

    #[test]
    fn a_fixed_key_is_always_the_same_and_uses_no_random_numbers() {
        let mut stream = RandomStream::from_seed(4);
        assert_eq!(KeySpec::Fixed(1001).resolve().expect("a sampler").sample(&mut stream), 1001);
        assert_eq!(stream.next_u64(), RandomStream::from_seed(4).next_u64());
    }

    #[test]
    fn uniform_keys_include_both_ends() {
        let keys = draws(&KeySpec::Uniform(5, 7), 1000);
        assert_eq!((keys.iter().min(), keys.iter().max()), (Some(&5), Some(&7)));
        let all = draws(&KeySpec::Uniform(0, u64::from(u32::MAX)), 1000);
        assert!(all.iter().any(|&key| key > 1 << 31));
        assert_eq!(draws(&KeySpec::Uniform(9, 9), 3), [9, 9, 9]);
    }

    #[test]
    fn weighted_keys_follow_their_weights() {
        let keys = draws(&KeySpec::Weighted(vec![(7, 3.0), (1, 0.0), (900, 1.0)]), 100_000);
        let hits = keys.iter().filter(|&&key| key == 7).count() as f64;
        // Binomial: sqrt(100,000 * 3/4 * 1/4) = 137.
        assert!((hits - 75_000.0).abs() < 4.5 * 137.0, "{hits}");
        assert!(keys.iter().all(|&key| key == 7 || key == 900));
    }

    #[test]
    fn invalid_parameters_are_rejected() {
        assert!(diagnostic(&KeySpec::Fixed(1 << 32)).contains("4294967296 is out of range"));
        assert!(diagnostic(&KeySpec::Uniform(2, 1)).contains("swap"));
        assert!(diagnostic(&KeySpec::Uniform(2, 1 << 40)).contains("out of range"));
        assert!(diagnostic(&KeySpec::Weighted(vec![])).contains("empty"));
        assert!(diagnostic(&KeySpec::Weighted(vec![(1, 0.0)])).contains("sum to 0"));
        assert!(diagnostic(&KeySpec::Weighted(vec![(1, 1.0), (2, f64::NAN)])).starts_with("[1]: NaN"));
        assert!(
            diagnostic(&KeySpec::Weighted(vec![(1, 1.0), (1, 2.0)]))
                .starts_with("[1]: key 1 is listed twice")
        );
        assert!(diagnostic(&KeySpec::Weighted(vec![(1, 1.0), (1 << 33, 2.0)])).starts_with("[1]: key"));
    }

    #[test]
    fn the_keys_drawn_for_a_seed_never_change() {
        assert_eq!(draws(&KeySpec::Uniform(0, 999), 6), UNIFORM);
        assert_eq!(draws(&KeySpec::Zipf { keys: 1000, exponent: 0.9 }, 6), ZIPF);
        assert_eq!(draws(&KeySpec::Weighted(vec![(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]), 6), WEIGHTED);
    }

    const UNIFORM: [u32; 6] = [679, 606, 251, 725, 156, 762];
    const ZIPF: [u32; 6] = [11, 20, 240, 7, 421, 5];
    const WEIGHTED: [u32; 6] = [3, 3, 2, 3, 4, 4];
}
