//! How things are written for people, wherever they are shown: in the terminal, in the report, in the window.
//!
//! [`numbers`] writes numbers and times, [`findings`] puts conclusions into words, [`columns`] makes tables that fit a
//! terminal. Whoever shows something imports from here, and never from another place that shows things.

pub mod columns;
pub mod findings;
pub mod numbers;
