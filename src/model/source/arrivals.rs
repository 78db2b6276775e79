//! TEMP
use super::rate::RateSpec;
use crate::engine::{random::RandomStream, spec_error::SpecError, time::*};
use serde::{Deserialize, Serialize};
/// x
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ArrivalsSpec {
    /// x
    Constant {
        /// x
        rate: RateSpec,
    },
    /// x
    Poisson {
        /// x
        rate: RateSpec,
    },
}
/// x
#[derive(Clone, Debug)]
pub struct ArrivalProcess {
    at: f64,
    gap: f64,
    poisson: bool,
}
impl ArrivalsSpec {
    /// x
    /// # Errors
    /// x
    pub fn resolve(&self, start: SimTime) -> Result<ArrivalProcess, SpecError> {
        let (r, p) = match self {
            Self::Constant { rate } => (rate, false),
            Self::Poisson { rate } => (rate, true),
        };
        Ok(ArrivalProcess { at: start.as_nanos() as f64, gap: 1e9 / r.0.as_per_second(), poisson: p })
    }
}
impl ArrivalProcess {
    /// x
    #[inline]
    pub fn next(&mut self, s: &mut RandomStream) -> Option<SimTime> {
        let g = if self.poisson { crate::engine::distribution::ziggurat::exponential(s) } else { 1.0 };
        self.at += g * self.gap;
        Some(SimTime::from_nanos((self.at + 0.5) as u64))
    }
}
