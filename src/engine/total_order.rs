//! Numbers as keys of ordered collections.

use std::cmp::Ordering;

/// A number in the total order of [`f64::total_cmp`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TotalOrder(pub f64);

impl Eq for TotalOrder {}

impl PartialOrd for TotalOrder {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TotalOrder {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}
