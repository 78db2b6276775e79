//! TEMP
use serde::{Deserialize, Serialize};
/// x
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateSpec(pub crate::engine::units::Rate);
