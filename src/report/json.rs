//! The summary for programs: the names and rules are those of [`metrics::summary`](crate::metrics::summary).

use std::io::{self, Write};

use crate::metrics::summary::Summary;

/// Writes the summary over many lines, for programs and for people who look.
///
/// # Errors
/// If it cannot be written.
pub fn pretty(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, summary)?;
    writeln!(out)
}

/// Writes the summary on one line.
///
/// # Errors
/// If it cannot be written.
pub fn one_line(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, summary)?;
    writeln!(out)
}
