//! rushhour: a discrete-event simulator of request flow.

pub mod cli;
pub mod engine;
pub mod event;
pub mod metrics;
pub mod model;
pub mod report;
pub mod request;
pub mod scenario;
pub mod simulation;
