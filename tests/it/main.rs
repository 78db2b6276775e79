//! The integration tests, one file a promise.
