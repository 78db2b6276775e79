//! Printing, and no numbers: every figure that is shown here was made in [`metrics`](crate::metrics).
//!
//! [`terminal`] is for people, [`json`] for programs, [`csv`] for tables. [`page`] is a report to be looked at as plain
//! data, [`html`] and [`svg`] draw it. How numbers and findings are written is in [`format`](crate::format); here are
//! the colours ([`palette`]) and series as lines of blocks ([`sparkline`]).

pub mod csv;
pub mod html;
pub mod json;
pub mod page;
pub mod palette;
pub mod sparkline;
pub mod svg;
pub mod terminal;
