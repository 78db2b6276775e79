//! Errors in scenarios that are syntactically correct but cannot be simulated.

use std::fmt;

use crate::text::{Excerpt, Path};

/// An error in a scenario: its path, a message and a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path of the field.
    pub path: Path,
    /// The error: a sentence that starts in lower case, without a full stop.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
    /// Paths of fields that may have caused it. If one of them could not be read, the problem may disappear once that
    /// field is corrected.
    pub follows_from: Vec<Path>,
    /// The line of another file that it is about. `path` is then the field that names the file.
    pub excerpt: Option<Box<Excerpt>>,
}

impl Problem {
    /// A problem without a hint.
    #[must_use]
    pub fn new(path: Path, message: impl Into<String>) -> Self {
        Self { path, message: message.into(), hint: None, follows_from: Vec::new(), excerpt: None }
    }

    /// Adds the node or source `name` as a possible cause.
    #[must_use]
    pub fn because_of(mut self, name: &str) -> Self {
        // The names of entries that could not be read are missing: "server-2" may be a member of such a group "server".
        let group = name.rsplit_once('-').map(|(group, _)| group);
        for name in std::iter::once(name).chain(group) {
            self.follows_from.extend(["nodes", "sources"].map(|kind| Path::root().name(kind).name(name)));
        }
        self
    }

    /// Adds a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.excerpt {
            Some(excerpt) => write!(f, "{}: {}: {}", self.path, excerpt.place(), self.message)?,
            None => write!(f, "{}: {}", self.path, self.message)?,
        }
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}
