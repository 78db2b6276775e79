//! The result of a run, and the figures and time series computed from it. Nothing here prints.

pub mod figures;
pub mod fleet;
pub mod result;
pub mod summary;
pub mod timeline;
