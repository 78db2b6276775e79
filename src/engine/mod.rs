//! The discrete-event kernel: virtual time, the event queue, random streams, distributions and statistics.
//!
//! It does not depend on requests: [`simulation`](crate::simulation) gives events their meaning.

pub mod distribution;
pub mod hash;
pub mod queue;
pub mod random;
pub mod row;
pub mod shared_work;
pub mod spec_error;
pub mod statistics;
pub mod time;
pub mod total_order;
pub mod units;

/// Whether a value is the default of its type, which files leave out.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Rounds a number down to a count or an index. Negative numbers and NaN become 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, as intended"
)]
pub(crate) const fn floor_to_usize(x: f64) -> usize {
    x as usize
}
