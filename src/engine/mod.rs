//! The discrete-event kernel: virtual time, the event queue, random streams, distributions and statistics.
//!
//! It knows nothing of requests: what an event means is decided in [`simulation`](crate::simulation).

pub mod distribution;
pub mod hash;
pub mod queue;
pub mod random;
pub mod row;
pub mod spec_error;
pub mod statistics;
pub mod time;
pub mod units;

/// A number that is meant as a count or a position, cut to a whole one; below zero, or if it is none, it is zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, as is wanted"
)]
pub(crate) const fn floor_to_usize(x: f64) -> usize {
    x as usize
}
