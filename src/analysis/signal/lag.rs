//! Stub: lag.
