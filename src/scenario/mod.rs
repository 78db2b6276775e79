//! From file to world: the scenario as a person writes it, checked and explained before virtual time starts.
//!
//! [`text`] turns bytes into any type that serde can read, and complains with positions.

pub mod text;
