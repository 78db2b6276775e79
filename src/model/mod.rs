//! What a system is made of.

pub mod source;
