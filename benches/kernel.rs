//! The kernel against plain loops.
fn main() {}
