//! Printing, and no numbers: every figure that is shown here was made in [`metrics`](crate::metrics).
//!
//! [`terminal`] is for people, [`json`] for programs, [`csv`] for tables; [`files`] puts them onto the disk, whole or
//! not at all. [`page`] is a report to be looked at as plain data, [`html`] and [`svg`] draw it. The rest are small things
//! that they share: how numbers and findings are written ([`figures`], [`findings`]), how columns are aligned
//! ([`columns`]), which colours there are ([`palette`]), and how a course of time becomes a line of blocks
//! ([`sparkline`]).

pub mod columns;
pub mod csv;
pub mod figures;
pub mod files;
pub mod findings;
pub mod html;
pub mod json;
pub mod page;
pub mod palette;
pub mod sparkline;
pub mod svg;
pub mod terminal;
