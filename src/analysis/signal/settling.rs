//! Stub: settling.
