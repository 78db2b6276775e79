//! rushhour: a discrete-event simulator of request flow.
pub mod engine;
pub mod model;
