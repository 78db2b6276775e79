//! The integration tests, one file a promise.

#![expect(clippy::float_cmp, reason = "promises of equality are tested for equality")]

mod ancestor;
mod architecture;
mod determinism;
mod harness;
mod introspect;
mod littles_law;
mod memory;
mod queueing_theory;
mod scenarios;
