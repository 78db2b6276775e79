//! Which keys requests carry: what a scenario writes ([`KeySpec`]) and what draws ([`KeySampler`]).

mod zipf;

use serde::{Deserialize, Serialize};

use self::zipf::Zipf;
use crate::engine::distribution::AliasTable;
use crate::engine::random::RandomStream;
use crate::engine::spec_error::{self, SpecError};

/// Keys as they are written in a scenario: 0 to 4294967295.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum KeySpec {
    /// Always the same key.
    Fixed(u64),
    /// Any key from the first to the second, both included, all equally often.
    Uniform(u64, u64),
    /// Popular keys and a long tail: key k comes in proportion to 1 / (k + 1)^exponent.
    Zipf {
        /// How many keys there are: 0, the most popular, to `keys` - 1.
        keys: u64,
        /// How unequal they are: above 0, at most 100; the web has about 0.8 to 1.
        exponent: f64,
    },
    /// These keys with these weights, which need not sum to anything.
    Weighted(Vec<(u64, f64)>),
}

impl Default for KeySpec {
    /// All requests share key 0.
    fn default() -> Self {
        Self::Fixed(0)
    }
}

impl KeySpec {
    /// Checks the parameters and works out what draws.
    ///
    /// # Errors
    /// Where the parameters make no choice of keys, with the field (`[2]` for an entry of a list, nothing for the whole)
    /// and the hint.
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

/// The key, if it is one.
fn checked(field: &str, key: u64) -> Result<u32, SpecError> {
    u32::try_from(key).map_err(|_| {
        SpecError::at(field, format!("key {key} is out of range: keys are from 0 to {}", u32::MAX))
    })
}

/// Draws keys.
#[derive(Clone, Debug, PartialEq)]
pub enum KeySampler {
    /// Always the same.
    Fixed(u32),
    /// `count` keys from `first` on.
    Uniform {
        /// The first key.
        first: u32,
        /// How many: 1 to 2^32.
        count: u64,
    },
    /// By popularity.
    Zipf(Box<Zipf>),
    /// By weight.
    Weighted(Box<Weighted>),
}

/// Keys and the table that chooses among them.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighted {
    keys: Vec<u32>,
    table: AliasTable,
}

impl KeySampler {
    /// One key.
    #[inline]
    #[must_use]
    pub fn sample(&self, stream: &mut RandomStream) -> u32 {
        match self {
            Self::Fixed(key) => *key,
            #[expect(clippy::cast_possible_truncation, reason = "below 2^32, as the last key is")]
            Self::Uniform { first, count } => first + stream.below(*count) as u32,
            Self::Zipf(zipf) => zipf.sample(stream),
            Self::Weighted(weighted) => weighted.keys[weighted.table.index(stream)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(spec: &KeySpec, count: usize) -> Vec<u32> {
        let (sampler, mut stream) = (spec.resolve().expect("a sampler"), RandomStream::from_seed(4));
        (0..count).map(|_| sampler.sample(&mut stream)).collect()
    }

    fn diagnostic(spec: &KeySpec) -> String {
        spec.resolve().expect_err("no keys").to_string()
    }

    #[test]
    fn a_fixed_key_is_always_the_same_and_draws_nothing() {
        let mut stream = RandomStream::from_seed(4);
        assert_eq!(KeySpec::Fixed(1001).resolve().expect("a sampler").sample(&mut stream), 1001);
        assert_eq!(stream.bits(), RandomStream::from_seed(4).bits());
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
    fn weighted_keys_come_as_often_as_they_should() {
        let keys = draws(&KeySpec::Weighted(vec![(7, 3.0), (1, 0.0), (900, 1.0)]), 100_000);
        let often = keys.iter().filter(|&&key| key == 7).count() as f64;
        // Binomial: sqrt(100,000 * 3/4 * 1/4) = 137.
        assert!((often - 75_000.0).abs() < 4.5 * 137.0, "{often}");
        assert!(keys.iter().all(|&key| key == 7 || key == 900));
    }

    #[test]
    fn what_makes_no_choice_is_refused() {
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
    fn the_values_never_change() {
        assert_eq!(draws(&KeySpec::Uniform(0, 999), 6), UNIFORM);
        assert_eq!(draws(&KeySpec::Zipf { keys: 1000, exponent: 0.9 }, 6), ZIPF);
        assert_eq!(draws(&KeySpec::Weighted(vec![(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]), 6), WEIGHTED);
    }

    const UNIFORM: [u32; 6] = [679, 606, 251, 725, 156, 762];
    const ZIPF: [u32; 6] = [11, 20, 240, 7, 421, 5];
    const WEIGHTED: [u32; 6] = [3, 3, 2, 3, 4, 4];
}
