//! Statistics that are updated in place, in memory that does not grow with the number of samples: tallies of values
//! ([`Tally`]) and averages over time ([`TimeWeighted`]).

mod histogram;
mod tally;
mod time_weighted;

pub use histogram::Histogram;
pub use tally::{SampleSummary, Tally};
pub use time_weighted::TimeWeighted;
