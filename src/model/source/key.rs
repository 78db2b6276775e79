//! TEMP
use crate::engine::{random::RandomStream, spec_error::SpecError};
use serde::{Deserialize, Serialize};
/// x
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum KeySpec {
    /// x
    Fixed(u64),
    /// x
    Uniform(u64, u64),
}
impl Default for KeySpec {
    fn default() -> Self {
        Self::Fixed(0)
    }
}
/// x
#[derive(Clone, Debug)]
pub enum KeySampler {
    /// x
    Fixed(u32),
    /// x
    Uniform(u32, u64),
}
impl KeySpec {
    /// x
    /// # Errors
    /// x
    pub fn resolve(&self) -> Result<KeySampler, SpecError> {
        Ok(match *self {
            Self::Fixed(k) => KeySampler::Fixed(k as u32),
            Self::Uniform(a, b) => KeySampler::Uniform(a as u32, b - a + 1),
        })
    }
}
impl KeySampler {
    /// x
    #[inline]
    pub fn sample(&self, s: &mut RandomStream) -> u32 {
        match self {
            Self::Fixed(k) => *k,
            Self::Uniform(a, n) => a + s.below(*n) as u32,
        }
    }
}
