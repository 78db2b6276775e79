//! How things are written for people, wherever they are shown: in the terminal, in the report, in the window.
//!
//! [`numbers`] writes numbers and times, [`figures`] what a table of nodes shows of each, [`findings`] puts conclusions into
//! words, [`columns`] makes tables that fit a terminal. Whoever shows something imports from here, and never from another
//! place that shows things.

pub mod columns;
pub mod figures;
pub mod findings;
pub mod numbers;
