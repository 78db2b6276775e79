//! The integration tests, one file a promise.

#![expect(clippy::float_cmp, reason = "promises of equality are tested for equality")]
