//! A trace: requests that are replayed from a CSV file, one a line.
//!
//! The file is read twice, and never held in memory as a whole: `scan` reads it before the run, reports every invalid line and
//! gathers what has to be known in advance; `replay` reads it again while virtual time passes. `file` is what both are about,
//! `reader` reads lines, `columns` their first one, `fields` splits them, and `values` reads numbers.

mod columns;
mod fields;
mod file;
mod reader;
mod replay;
mod scan;
mod values;

use std::fmt;

use crate::engine::time::SimDuration;
use crate::text::Excerpt;

pub use self::file::TraceFile;
pub(super) use self::replay::Replay;
pub use self::scan::Scan;

/// A request of a trace, with what the trace says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its key.
    pub key: Option<u32>,
    /// Its class: an index into [`Scan::classes`].
    pub class: Option<u16>,
    /// The endpoint that it asks for: an index into [`Scan::endpoints`].
    pub endpoint: Option<u16>,
    /// Its size in bytes.
    pub size: Option<u32>,
    /// Its service time at the first server with a service time that it reaches.
    pub service: Option<SimDuration>,
}

/// An error in a trace: a message and a hint, and the line, unless it is about the whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError {
    /// The line that it is about.
    pub excerpt: Option<Box<Excerpt>>,
    /// What is wrong: a sentence in lower case without a full stop.
    pub message: String,
    /// How to correct it.
    pub hint: String,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(excerpt) = &self.excerpt {
            write!(f, "{}: ", excerpt.place())?;
        }
        write!(f, "{} ({})", self.message, self.hint)
    }
}

impl std::error::Error for TraceError {}

impl TraceError {
    /// An error in the file as a whole.
    fn of_file(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { excerpt: None, message: message.into(), hint: hint.into() }
    }
}
