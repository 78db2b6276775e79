//! The summary for programs: the names and rules are those of [`metrics::summary`](crate::metrics::summary).

use std::io::{self, Write};

use serde::Serialize;

use crate::analysis::Finding;
use crate::format::findings::FindingDocument;
use crate::metrics::summary::Summary;

/// The summary with what the run says.
#[derive(Clone, Debug, Serialize)]
pub struct Document<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    /// The most important first.
    findings: Vec<FindingDocument<'a>>,
    /// How many were left out.
    findings_omitted: usize,
}

impl<'a> Document<'a> {
    /// The document of a run with at most so many findings.
    #[must_use]
    pub fn of(summary: &'a Summary, findings: &'a [Finding], most: usize) -> Self {
        Self {
            summary,
            findings: findings.iter().take(most).map(FindingDocument::of).collect(),
            findings_omitted: findings.len().saturating_sub(most),
        }
    }

    /// Writes it over many lines, for programs and for people who look.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn pretty(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }

    /// Writes it on one line.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn one_line(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }
}
