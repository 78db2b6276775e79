//! Output of results. The figures are computed in [`metrics`](crate::metrics), never here.
//!
//! [`terminal`] writes the summary for people, [`json`] the summary for programs, [`csv`] tables. [`page`] holds the
//! content of a report as plain data; [`html`] and [`svg`] render it. [`palette`] defines the colours, [`sparkline`]
//! draws series with block characters. Numbers and findings are formatted by [`format`](crate::format).

pub mod csv;
pub mod html;
pub mod json;
pub mod page;
pub mod palette;
pub mod sparkline;
pub mod svg;
pub mod terminal;
