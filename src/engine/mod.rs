//! The discrete-event kernel: virtual time, the event queue, random streams, distributions and statistics.
//!
//! It knows nothing of requests: what an event means is decided in [`simulation`](crate::simulation).

pub mod distribution;
pub mod hash;
pub mod queue;
pub mod random;
pub mod spec_error;
pub mod statistics;
pub mod time;
pub mod units;
