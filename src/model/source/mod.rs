//! Sources: when requests arrive, and which keys they carry.

pub mod arrivals;
pub mod key;
pub mod rate;
