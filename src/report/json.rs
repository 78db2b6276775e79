//! The summary as JSON. Names and rules are those of [`metrics::summary`](crate::metrics::summary).

use std::io::{self, Write};

use serde::Serialize;

use crate::analysis::{Finding, Verdict};
use crate::format::findings::FindingDocument;
use crate::metrics::summary::Summary;

/// The summary of a run with its findings.
#[derive(Clone, Debug, Serialize)]
pub struct Document<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    verdict: Verdict,
    /// The most important finding first.
    findings: Vec<FindingDocument<'a>>,
    /// Number of findings left out.
    findings_omitted: usize,
}

impl<'a> Document<'a> {
    /// The document of a run with these findings, of which it contains at most `limit`.
    #[must_use]
    pub fn of(summary: &'a Summary, findings: &'a [Finding], limit: usize) -> Self {
        Self {
            summary,
            verdict: Verdict::of(findings),
            findings: findings.iter().take(limit).map(FindingDocument::of).collect(),
            findings_omitted: findings.len().saturating_sub(limit),
        }
    }

    /// Writes the document as indented JSON.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn pretty(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }

    /// Writes the document on one line.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn one_line(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }
}
