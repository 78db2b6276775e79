//! Stub: phase.
