//! Conclusions from numbers: what a run says, with the evidence for it.
//!
//! `signal` judges bare series of numbers and knows nothing of servers.

pub mod signal;
