//! Text formatting shared by the terminal, the report and the window.
//!
//! [`numbers`] formats numbers and times, [`figures`] the cells of node tables, [`findings`] the texts of findings, and
//! [`columns`] tables that fit a terminal, [`stopped`] the text about a run that stopped early. The front ends import their formatting from here, never from each other.

pub mod columns;
pub mod figures;
pub mod findings;
pub mod numbers;
pub mod stopped;
