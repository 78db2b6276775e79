//! Numbers, and no printing: what a run leaves behind, and the figures that are made of it.

pub mod figures;
pub mod fleet;
pub mod result;
pub mod summary;
pub mod timeline;
